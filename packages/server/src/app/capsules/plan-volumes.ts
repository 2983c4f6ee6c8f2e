/** Volumes of a template from the built-in volume service, planned in the transaction that accepts the request. */
import type { MemberTemplate, VolumeTemplate } from '../../domain/capsule/types.ts'
import { NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Binding, MountData } from '../../orchestration/ports/wire.ts'
import { usableVolume, type Planner } from '../containers/plan-mounts.ts'
import { requireVolumeQuota } from '../local/quota.ts'

type PlannedVolume = Pick<MountData, 'volumeUuid' | 'sizeGiB' | 'autoRemove'>

/** Names that somebody in the project gave to a volume are no ids of volumes. */
export function volumeIdOf(text: string): string {
  const uuid = normaliseUuid(text)
  if (uuid === undefined) throw new NotFound(`Volume ${text.slice(0, 255)} could not be found.`, 'volume-not-found')
  return uuid
}

/** The template's volumes under their names in it; new ones are made. */
export async function planVolumes(
  planner: Planner,
  volumes: readonly VolumeTemplate[],
): Promise<ReadonlyMap<string, PlannedVolume>> {
  const planned = new Map<string, PlannedVolume>()
  for (const { name, source } of volumes) planned.set(name, await planVolume(planner, source))
  return planned
}

async function planVolume(planner: Planner, source: VolumeTemplate['source']): Promise<PlannedVolume> {
  const { tx, projectId, userId, newUuid, host, quota } = planner
  if (source.kind === 'existing') {
    const { uuid, sizeGiB } = await usableVolume(tx.volumes, projectId, volumeIdOf(source.volumeId))
    await tx.volumes.setHost(uuid, host)
    return { volumeUuid: uuid, sizeGiB, autoRemove: false }
  }
  const { sizeGiB, autoRemove } = source
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
  return { volumeUuid: uuid, sizeGiB, autoRemove }
}

/** Where one member sees them. */
export function mountsOf(
  { volumeMounts }: MemberTemplate,
  volumes: ReadonlyMap<string, PlannedVolume>,
  newUuid: () => string,
): Binding[] {
  return volumeMounts.flatMap(({ volume, mountPath }, order) => {
    const planned = volumes.get(volume)
    if (planned === undefined) return []
    return {
      uuid: newUuid(),
      state: 'planned' as const,
      order,
      data: { ...planned, kind: 'mount' as const, provider: 'volume' as const, destination: mountPath, contents: null },
    }
  })
}
