import { listZones, type ListZonesDeps } from '../../../../app/zones/list-zones.ts'
import { nextUrl, parsePage } from '../../paging.ts'
import type { Route } from '../../route.ts'

/** Zones, as everybody may see them (admin-resources 3). A marker is the zone's name. */
export function availabilityZoneRoutes(deps: ListZonesDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/availability_zones',
      handle: async ({ ctx, query, baseUrl }) => {
        const page = parsePage(query, deps.options.maxPageSize, 'availability_zone')
        const names = await listZones(deps, ctx, page)
        return {
          body: {
            availability_zones: names.map((name) => ({ availability_zone: name })),
            next: nextUrl(baseUrl, 'availability_zones', page, query, names),
          },
        }
      },
    },
  ]
}
