/** Mounts of the built-in volume service, planned in the transaction that accepts the request. */
import { Conflict, InvalidInput, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { LocalVolume, LocalVolumeReads, Scope, Tx } from '../../orchestration/ports/store.ts'
import type { Binding } from '../../orchestration/ports/wire.ts'
import { requireVolumeQuota } from '../local/quota.ts'
import type { LocalQuota } from '../options.ts'

export type MountRequest =
  | { readonly kind: 'existing'; readonly source: string; readonly destination: string }
  | { readonly kind: 'new'; readonly sizeGiB: number; readonly destination: string }
  | { readonly kind: 'file'; readonly contents: string; readonly destination: string }

export interface Planner {
  readonly tx: Tx
  readonly projectId: string
  readonly userId: string
  readonly newUuid: () => string
  readonly quota: LocalQuota
  /** Where the container will be, and its volumes with it. */
  readonly host: string
}

/**
 * The host that existing volumes tie a container to: their data is there and nowhere else. null: none of them was ever
 * attached.
 */
export async function hostOfVolumes(
  volumes: LocalVolumeReads,
  projectId: string,
  mounts: readonly MountRequest[],
): Promise<string | null> {
  const hosts = new Set<string>()
  for (const mount of mounts) {
    if (mount.kind !== 'existing') continue
    const { host } = await findVolume(volumes, projectId, mount.source)
    if (host !== null) hosts.add(host)
  }
  if (hosts.size > 1) throw new Conflict("The volumes in 'mounts' are on different hosts and cannot be used together.")
  return [...hosts][0] ?? null
}

export async function planMounts(planner: Planner, mounts: readonly MountRequest[]): Promise<Binding[]> {
  const bindings: Binding[] = []
  for (const mount of mounts) {
    const volume = await volumeFor(planner, mount)
    if (bindings.some((b) => b.data.kind === 'mount' && b.data.volumeUuid === volume.uuid)) {
      throw new InvalidInput(`Volume ${volume.uuid} is given twice in 'mounts'.`)
    }
    bindings.push({
      uuid: planner.newUuid(),
      state: 'planned',
      order: bindings.length,
      data: {
        kind: 'mount',
        volumeUuid: volume.uuid,
        provider: mount.kind === 'file' ? 'file' : 'volume',
        destination: mount.destination,
        sizeGiB: volume.sizeGiB,
        contents: mount.kind === 'file' ? mount.contents : null,
        autoRemove: mount.kind !== 'existing',
      },
    })
  }
  return bindings
}

async function volumeFor(planner: Planner, mount: MountRequest): Promise<{ uuid: string; sizeGiB: number }> {
  const { tx, projectId, userId, newUuid, host, quota } = planner
  if (mount.kind === 'file') return { uuid: newUuid(), sizeGiB: 0 }
  if (mount.kind === 'existing') {
    const volume = await usableVolume(tx.volumes, projectId, mount.source)
    // Noted before anything is made there, so that a deletion knows where to look for the data.
    await tx.volumes.setHost(volume.uuid, host)
    return volume
  }
  await requireVolumeQuota(tx.volumes, projectId, mount.sizeGiB, quota)
  return await tx.volumes.insert({
    uuid: newUuid(),
    name: null,
    projectId,
    userId,
    sizeGiB: mount.sizeGiB,
    host,
    autoRemove: true,
  })
}

export async function findVolume(volumes: LocalVolumeReads, projectId: string, ident: string): Promise<LocalVolume> {
  const scope: Scope = { kind: 'project', projectId }
  const uuid = normaliseUuid(ident)
  const found = uuid === undefined ? undefined : await volumes.byUuid(uuid, scope)
  if (found !== undefined) return found
  const [first, ...others] = await volumes.byName(ident, scope)
  if (first === undefined) throw new NotFound(`Volume ${ident.slice(0, 255)} could not be found.`, 'volume-not-found')
  if (others.length > 0) throw new Conflict(`Multiple volumes exist with name '${ident}'. Please use the volume id.`)
  return first
}

export async function usableVolume(volumes: LocalVolumeReads, projectId: string, ident: string): Promise<LocalVolume> {
  const volume = await findVolume(volumes, projectId, ident)
  if (volume.deleting) throw new InvalidInput(`Volume ${volume.uuid} is being deleted.`, 'volume-not-usable')
  const users = await volumes.users(volume.uuid)
  if (users.length > 0)
    throw new InvalidInput(`Volume ${volume.uuid} is in use by container ${users[0]}.`, 'volume-in-use')
  return volume
}
