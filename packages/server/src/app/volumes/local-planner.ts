import { Conflict, Forbidden, InvalidInput, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { LocalVolume, LocalVolumeReads, Scope, Tx } from '../../orchestration/ports/store.ts'
import { requireVolumeQuota } from '../local/quota.ts'
import type { LocalQuota } from '../options.ts'
import type { Asker } from '../ports/asker.ts'
import type { PlannedVolume, VolumePlace, VolumePlan, VolumePlanner, VolumeRequest } from '../ports/volume-planner.ts'

export interface LocalVolumePlannerDeps {
  readonly quota: LocalQuota
  readonly newUuid: () => string
}

/** The built-in volume service: all that is to be known is in our own records, and read where the request is accepted. */
export class LocalVolumePlanner implements VolumePlanner {
  readonly #deps: LocalVolumePlannerDeps

  constructor(deps: LocalVolumePlannerDeps) {
    this.#deps = deps
  }

  async plan({ caller }: Asker, requests: readonly VolumeRequest[]): Promise<VolumePlan> {
    const { projectId } = caller
    if (projectId === null) throw new Forbidden('A volume belongs to a project; the token is not scoped to one.')
    return {
      host: async (tx) => await hostOf(tx.volumes, projectId, requests),
      volumes: async (tx, place) => {
        const planned: PlannedVolume[] = []
        for (const request of requests) planned.push(await this.#planned(tx, projectId, place, request))
        return planned
      },
      giveUp: async () => undefined,
    }
  }

  async #planned(
    tx: Tx,
    projectId: string,
    { host, userId }: VolumePlace,
    request: VolumeRequest,
  ): Promise<PlannedVolume> {
    const { quota, newUuid } = this.#deps
    if (request.kind === 'existing') {
      const { uuid, sizeGiB } = await usableVolume(tx.volumes, projectId, request.source)
      // Noted before anything is made there, so that a deletion knows where to look for the data.
      await tx.volumes.setHost(uuid, host)
      return { volumeUuid: uuid, provider: 'volume', sizeGiB, autoRemove: false }
    }
    const { sizeGiB, autoRemove } = request
    await requireVolumeQuota(tx.volumes, projectId, sizeGiB, quota)
    const { uuid } = await tx.volumes.insert({
      uuid: newUuid(),
      name: null,
      projectId,
      userId,
      sizeGiB,
      host,
      autoRemove,
    })
    return { volumeUuid: uuid, provider: 'volume', sizeGiB, autoRemove }
  }
}

async function hostOf(
  volumes: LocalVolumeReads,
  projectId: string,
  requests: readonly VolumeRequest[],
): Promise<string | null> {
  const hosts = new Set<string>()
  for (const request of requests) {
    if (request.kind !== 'existing') continue
    const { host } = await findVolume(volumes, projectId, request.source)
    if (host !== null) hosts.add(host)
  }
  if (hosts.size > 1) throw new Conflict("The volumes in 'mounts' are on different hosts and cannot be used together.")
  return [...hosts][0] ?? null
}

async function findVolume(volumes: LocalVolumeReads, projectId: string, ident: string): Promise<LocalVolume> {
  const scope: Scope = { kind: 'project', projectId }
  const uuid = normaliseUuid(ident)
  const found = uuid === undefined ? undefined : await volumes.byUuid(uuid, scope)
  if (found !== undefined) return found
  const [first, ...others] = await volumes.byName(ident, scope)
  if (first === undefined) throw new NotFound(`Volume ${ident.slice(0, 255)} could not be found.`, 'volume-not-found')
  if (others.length > 0) throw new Conflict(`Multiple volumes exist with name '${ident}'. Please use the volume id.`)
  return first
}

async function usableVolume(volumes: LocalVolumeReads, projectId: string, ident: string): Promise<LocalVolume> {
  const volume = await findVolume(volumes, projectId, ident)
  if (volume.deleting) throw new InvalidInput(`Volume ${volume.uuid} is being deleted.`, 'volume-not-usable')
  const users = await volumes.users(volume.uuid)
  if (users.length > 0)
    throw new InvalidInput(`Volume ${volume.uuid} is in use by container ${users[0]}.`, 'volume-in-use')
  return volume
}
