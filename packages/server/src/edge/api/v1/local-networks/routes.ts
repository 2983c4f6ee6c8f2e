import { localEndpoints } from '@zund/contract/api/endpoints/extensions.ts'
import type { LocalNetwork } from '@zund/contract/api/extension.ts'
import type { LocalDeps } from '../../../../app/local/deps.ts'
import {
  createLocalNetwork,
  deleteLocalNetwork,
  listLocalNetworks,
  showLocalNetwork,
  type NetworkState,
} from '../../../../app/local/networks.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Route } from '../../route.ts'
import { iso } from '../../timestamps.ts'

const RESOURCE = 'local/networks'
const COLLECTION = `/v1/${RESOURCE}`

/** Networks of the built-in network service; an extension (docs/api/extensions.md). */
export function localNetworkRoutes(deps: LocalDeps): Route[] {
  const endpoints = localEndpoints(deps.options)
  return [
    route(endpoints.listLocalNetworks, async ({ ctx, args, query, baseUrl }) => {
      const page = pageOf(args, deps.options.maxPageSize, 'created_at')
      const states = await listLocalNetworks(deps, ctx, page)
      const uuids = states.map(({ network }) => network.uuid)
      return {
        body: {
          networks: states.map((state) => networkView(state, baseUrl)),
          next: nextUrl(baseUrl, RESOURCE, page, query, uuids),
        },
      }
    }),
    route(endpoints.createLocalNetwork, async ({ ctx, body, baseUrl }) => {
      const state = await createLocalNetwork(deps, ctx, body)
      const headers = { Location: `${baseUrl}${COLLECTION}/${state.network.uuid}` }
      return { status: 201, body: networkView(state, baseUrl), headers }
    }),
    route(endpoints.showLocalNetwork, async ({ ctx, params, baseUrl }) => ({
      body: networkView(await showLocalNetwork(deps, ctx, params['ident'] ?? ''), baseUrl),
    })),
    route(endpoints.deleteLocalNetwork, async ({ ctx, params }) => {
      await deleteLocalNetwork(deps, ctx, params['ident'] ?? '')
      return { status: 204 }
    }),
  ]
}

function networkView({ network, addresses }: NetworkState, baseUrl: string): LocalNetwork {
  const { cidrV6, subnetV6, gatewayV6 } = network
  return {
    uuid: network.uuid,
    name: network.name,
    project_id: network.projectId,
    is_default: network.isDefault,
    status: network.deleting ? 'deleting' : 'active',
    addresses_in_use: addresses,
    subnets: [
      { id: network.subnetV4, version: 4 as const, cidr: network.cidrV4, gateway: network.gatewayV4 },
      ...(cidrV6 === null ? [] : [{ id: subnetV6, version: 6 as const, cidr: cidrV6, gateway: gatewayV6 }]),
    ],
    created_at: iso(network.createdAtMs),
    links: [{ href: `${baseUrl}${COLLECTION}/${network.uuid}`, rel: 'self' }],
  }
}
