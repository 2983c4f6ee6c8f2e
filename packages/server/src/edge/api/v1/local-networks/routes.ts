import type { LocalDeps } from '../../../../app/local/deps.ts'
import {
  createLocalNetwork,
  deleteLocalNetwork,
  listLocalNetworks,
  showLocalNetwork,
  type NetworkState,
} from '../../../../app/local/networks.ts'
import { nextUrl, parsePage } from '../../paging.ts'
import type { Route } from '../../route.ts'
import { iso } from '../../timestamps.ts'

const RESOURCE = 'local/networks'
const COLLECTION = `/v1/${RESOURCE}`

/** Networks of the built-in network service; an extension (docs/api/extensions.md). */
export function localNetworkRoutes(deps: LocalDeps): Route[] {
  return [
    {
      method: 'GET',
      path: COLLECTION,
      handle: async ({ ctx, query, baseUrl }) => {
        const page = parsePage(query, deps.options.maxPageSize, 'created_at')
        const states = await listLocalNetworks(deps, ctx, page)
        const uuids = states.map(({ network }) => network.uuid)
        return {
          body: {
            networks: states.map((state) => networkView(state, baseUrl)),
            next: nextUrl(baseUrl, RESOURCE, page, query, uuids),
          },
        }
      },
    },
    {
      method: 'POST',
      path: COLLECTION,
      query: [],
      requiresJson: true,
      handle: async ({ ctx, body, baseUrl }) => {
        const state = await createLocalNetwork(deps, ctx, body)
        const headers = { Location: `${baseUrl}${COLLECTION}/${state.network.uuid}` }
        return { status: 201, body: networkView(state, baseUrl), headers }
      },
    },
    {
      method: 'GET',
      path: `${COLLECTION}/:ident`,
      handle: async ({ ctx, params, baseUrl }) => ({
        body: networkView(await showLocalNetwork(deps, ctx, params['ident'] ?? ''), baseUrl),
      }),
    },
    {
      method: 'DELETE',
      path: `${COLLECTION}/:ident`,
      query: [],
      handle: async ({ ctx, params }) => {
        await deleteLocalNetwork(deps, ctx, params['ident'] ?? '')
        return { status: 204 }
      },
    },
  ]
}

function networkView({ network, addresses }: NetworkState, baseUrl: string): object {
  const { cidrV6, subnetV6, gatewayV6 } = network
  return {
    uuid: network.uuid,
    name: network.name,
    project_id: network.projectId,
    is_default: network.isDefault,
    status: network.deleting ? 'deleting' : 'active',
    addresses_in_use: addresses,
    subnets: [
      { id: network.subnetV4, version: 4, cidr: network.cidrV4, gateway: network.gatewayV4 },
      ...(cidrV6 === null ? [] : [{ id: subnetV6, version: 6, cidr: cidrV6, gateway: gatewayV6 }]),
    ],
    created_at: iso(network.createdAtMs),
    links: [{ href: `${baseUrl}${COLLECTION}/${network.uuid}`, rel: 'self' }],
  }
}
