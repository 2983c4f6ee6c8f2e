import type { Asker } from '../../src/app/ports/asker.ts'
import type { VolumePlan, VolumePlanner, VolumeRequest } from '../../src/app/ports/volume-planner.ts'
import { LocalVolumePlanner } from '../../src/app/volumes/local-planner.ts'

/** Volumes whose name begins so are those of another service, which has as many as are asked for. */
const REMOTE = 'remote-'

/** The built-in volumes, and beside them those of another service. */
export class MixedVolumes extends LocalVolumePlanner implements VolumePlanner {
  override async plan(asker: Asker, requests: readonly VolumeRequest[]): Promise<VolumePlan> {
    const local = await super.plan(
      asker,
      requests.filter((request) => remoteOf(request) === undefined),
    )
    return {
      ...local,
      volumes: async (tx, place) => {
        const rest = await local.volumes(tx, place)
        return requests.flatMap((request) => {
          const volumeUuid = remoteOf(request)
          if (volumeUuid === undefined) return rest.splice(0, 1)
          const attachment = { holder: place.holder, id: null }
          return [{ volumeUuid, provider: 'block-storage' as const, sizeGiB: 1, autoRemove: false, attachment }]
        })
      },
    }
  }
}

function remoteOf(request: VolumeRequest): string | undefined {
  return request.kind === 'existing' && request.source.startsWith(REMOTE) ? request.source : undefined
}
