import type { HostNetwork } from '@zund/contract/api/admin.ts'
import { NETWORK_ENDPOINTS as ENDPOINTS } from '@zund/contract/api/endpoints/admin.ts'
import { createNetwork, deleteNetwork, type NetworkDeps } from '../../../../app/networks/manage.ts'
import { route, type Route } from '../../route.ts'

/** Networks on the engines of hosts, for admins (admin-resources 5). */
export function networkRoutes(deps: NetworkDeps): Route[] {
  return [
    route(ENDPOINTS.createHostNetwork, async ({ ctx, body: given }) => {
      const { uuid, networkId, engineId, projectId, userId } = await createNetwork(deps, ctx, given)
      const body: HostNetwork = {
        uuid,
        name: networkId,
        project_id: projectId,
        user_id: userId,
        network_id: engineId,
        neutron_net_id: networkId,
      }
      return { body }
    }),
    route(ENDPOINTS.deleteHostNetwork, async ({ ctx, params }) => {
      await deleteNetwork(deps, ctx, params['uuid'] ?? '')
      return { status: 204 }
    }),
  ]
}
