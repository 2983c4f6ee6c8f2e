import { createNetwork, deleteNetwork, type NetworkDeps } from '../../../../app/networks/manage.ts'
import type { Route } from '../../route.ts'

/** Networks on the engines of hosts, for admins (admin-resources 5). */
export function networkRoutes(deps: NetworkDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/networks',
      requiresJson: true,
      handle: async ({ ctx, body }) => {
        const { uuid, networkId, engineId, projectId, userId } = await createNetwork(deps, ctx, body)
        return {
          body: {
            uuid,
            name: networkId,
            project_id: projectId,
            user_id: userId,
            network_id: engineId,
            neutron_net_id: networkId,
          },
        }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/networks/:uuid',
      minVersion: 27,
      handle: async ({ ctx, params }) => {
        await deleteNetwork(deps, ctx, params['uuid'] ?? '')
        return { status: 204 }
      },
    },
  ]
}
