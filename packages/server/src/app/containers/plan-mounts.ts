/** What a request mounts: volumes, which whoever has them plans, and files that were sent along. */
import { InvalidInput } from '../../domain/errors.ts'
import type { Binding, MountData } from '../../orchestration/ports/wire.ts'
import type { PlannedVolume, VolumeRequest } from '../ports/volume-planner.ts'

export type MountRequest =
  | { readonly kind: 'existing'; readonly source: string; readonly destination: string }
  | { readonly kind: 'new'; readonly sizeGiB: number; readonly destination: string }
  | { readonly kind: 'file'; readonly contents: string; readonly destination: string }

/** In their order. A volume that is made for a container goes with it. */
export function volumesOf(mounts: readonly MountRequest[]): VolumeRequest[] {
  return mounts.flatMap((mount): VolumeRequest[] => {
    if (mount.kind === 'file') return []
    if (mount.kind === 'existing') return [{ kind: 'existing', source: mount.source, onlyById: false }]
    return [{ kind: 'new', sizeGiB: mount.sizeGiB, autoRemove: true }]
  })
}

/** `volumes`: as they were planned, in the order of `volumesOf`. */
export function bindMounts(
  mounts: readonly MountRequest[],
  volumes: readonly PlannedVolume[],
  newUuid: () => string,
): Binding[] {
  const waiting = [...volumes]
  const bindings: Binding[] = []
  for (const mount of mounts) {
    const volume = mount.kind === 'file' ? fileOf(newUuid()) : waiting.shift()
    if (volume === undefined) continue
    if (bindings.some((b) => b.data.kind === 'mount' && b.data.volumeUuid === volume.volumeUuid)) {
      throw new InvalidInput(`Volume ${volume.volumeUuid} is given twice in 'mounts'.`)
    }
    const contents = mount.kind === 'file' ? mount.contents : null
    const data: MountData = { ...volume, kind: 'mount', destination: mount.destination, contents }
    bindings.push({ uuid: newUuid(), state: 'planned', order: bindings.length, data })
  }
  return bindings
}

function fileOf(volumeUuid: string): PlannedVolume {
  return { volumeUuid, provider: 'file', sizeGiB: 0, autoRemove: true }
}
