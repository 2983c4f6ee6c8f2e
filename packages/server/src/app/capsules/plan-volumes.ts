/** Volumes of a template. */
import type { MemberTemplate, VolumeTemplate } from '../../domain/capsule/types.ts'
import { NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Binding } from '../../orchestration/ports/wire.ts'
import type { PlannedVolume, VolumeRequest } from '../ports/volume-planner.ts'

export function volumesOf(volumes: readonly VolumeTemplate[]): VolumeRequest[] {
  return volumes.map(({ source }) =>
    source.kind === 'existing'
      ? { kind: 'existing', source: volumeIdOf(source.volumeId), onlyById: true }
      : { kind: 'new', sizeGiB: source.sizeGiB, autoRemove: source.autoRemove },
  )
}

/** Names that somebody in the project gave to a volume are no ids of volumes. */
function volumeIdOf(text: string): string {
  const uuid = normaliseUuid(text)
  if (uuid === undefined) throw new NotFound(`Volume ${text.slice(0, 255)} could not be found.`, 'volume-not-found')
  return uuid
}

/** Under their names in the template. */
export function byName(
  volumes: readonly VolumeTemplate[],
  planned: readonly PlannedVolume[],
): ReadonlyMap<string, PlannedVolume> {
  return new Map(
    volumes.flatMap(({ name }, n): [string, PlannedVolume][] => {
      const volume = planned[n]
      return volume === undefined ? [] : [[name, volume]]
    }),
  )
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
      data: { ...planned, kind: 'mount' as const, destination: mountPath, contents: null },
    }
  })
}
