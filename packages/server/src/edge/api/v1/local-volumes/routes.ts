import { localEndpoints } from '@zund/contract/api/endpoints/extensions.ts'
import type { LocalVolume } from '@zund/contract/api/extension.ts'
import type { LocalDeps } from '../../../../app/local/deps.ts'
import {
  createLocalVolume,
  deleteLocalVolume,
  listLocalVolumes,
  showLocalVolume,
  type VolumeState,
} from '../../../../app/local/volumes.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Route } from '../../route.ts'
import { iso } from '../../timestamps.ts'

const RESOURCE = 'local/volumes'
const COLLECTION = `/v1/${RESOURCE}`

/** Volumes of the built-in volume service; an extension (docs/api/extensions.md). */
export function localVolumeRoutes(deps: LocalDeps): Route[] {
  const endpoints = localEndpoints(deps.options)
  return [
    route(endpoints.listLocalVolumes, async ({ ctx, args, query, baseUrl }) => {
      const page = pageOf(args, deps.options.maxPageSize, 'created_at')
      const states = await listLocalVolumes(deps, ctx, page)
      const uuids = states.map(({ volume }) => volume.uuid)
      return {
        body: {
          volumes: states.map((state) => volumeView(state, baseUrl)),
          next: nextUrl(baseUrl, RESOURCE, page, query, uuids),
        },
      }
    }),
    route(endpoints.createLocalVolume, async ({ ctx, body, baseUrl }) => {
      const state = await createLocalVolume(deps, ctx, body)
      const headers = { Location: `${baseUrl}${COLLECTION}/${state.volume.uuid}` }
      return { status: 201, body: volumeView(state, baseUrl), headers }
    }),
    route(endpoints.showLocalVolume, async ({ ctx, params, baseUrl }) => ({
      body: volumeView(await showLocalVolume(deps, ctx, params['ident'] ?? ''), baseUrl),
    })),
    route(endpoints.deleteLocalVolume, async ({ ctx, params }) => {
      await deleteLocalVolume(deps, ctx, params['ident'] ?? '')
      return { status: 204 }
    }),
  ]
}

function volumeView({ volume, containerUuid }: VolumeState, baseUrl: string): LocalVolume {
  return {
    uuid: volume.uuid,
    name: volume.name,
    project_id: volume.projectId,
    user_id: volume.userId,
    size: volume.sizeGiB,
    status: volume.deleting ? 'deleting' : containerUuid === null ? 'available' : 'in-use',
    container_uuid: containerUuid,
    auto_remove: volume.autoRemove,
    created_at: iso(volume.createdAtMs),
    links: [{ href: `${baseUrl}${COLLECTION}/${volume.uuid}`, rel: 'self' }],
  }
}
