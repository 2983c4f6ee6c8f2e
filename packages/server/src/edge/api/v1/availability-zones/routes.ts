import { hostEndpoints } from '@zund/contract/api/endpoints/admin.ts'
import { listZones, type ListZonesDeps } from '../../../../app/zones/list-zones.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Route } from '../../route.ts'

/** Zones, as everybody may see them (admin-resources 3). A marker is the zone's name. */
export function availabilityZoneRoutes(deps: ListZonesDeps): Route[] {
  const { maxPageSize } = deps.options
  return [
    route(hostEndpoints(deps.options).listZones, async ({ ctx, args, query, baseUrl }) => {
      const page = pageOf(args, maxPageSize, 'availability_zone')
      const names = await listZones(deps, ctx, page)
      return {
        body: {
          availability_zones: names.map((name) => ({ availability_zone: name })),
          next: nextUrl(baseUrl, 'availability_zones', page, query, names),
        },
      }
    }),
  ]
}
