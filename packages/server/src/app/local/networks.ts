/** Networks of a machine without Neutron, for containers to be put on with `nets`. */
import { CREATE_LOCAL_NETWORK_FIELDS } from '@zund/contract/api/requests/others.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { dispose } from '../../orchestration/disposals.ts'
import type { LocalNetwork, LocalNetworkReads, Page } from '../../orchestration/ports/store.ts'
import { createNetwork } from '../containers/plan-networks.ts'
import { lookupScope, ownScope, type RequestContext } from '../context.ts'
import { readFields, type Body } from '../fields.ts'
import { pageOf } from '../page.ts'
import { requireNameNotId, requireProject, type LocalDeps } from './deps.ts'
import { requireNetworkQuota } from './quota.ts'

/** A network and how many addresses of it are taken, in both versions together. */
export interface NetworkState {
  readonly network: LocalNetwork
  readonly addresses: number
}

const NOT_FOUND = 'network-not-found'
/** The network that containers join when they name none is known by this name. */
const DEFAULT_NAME = 'default'

export async function createLocalNetwork(deps: LocalDeps, ctx: RequestContext, body: Body): Promise<NetworkState> {
  const { name } = readFields(CREATE_LOCAL_NETWORK_FIELDS, body, ctx.minor)
  requireNameNotId(name)
  deps.policy.authorize('local_network:create', ctx)
  const projectId = requireProject(ctx)
  const network = await deps.store.write(async (tx) => {
    if ((await tx.networks.byName(name, { kind: 'project', projectId })).length > 0) {
      throw new Conflict(`A network with name ${name} already exists.`)
    }
    await requireNetworkQuota(tx.networks, projectId, deps.options.localQuota)
    const planner = { tx, pools: deps.options.localNetwork, projectId, newUuid: deps.newUuid }
    return await createNetwork(planner, name, name === DEFAULT_NAME)
  })
  return { network, addresses: 0 }
}

export async function listLocalNetworks(deps: LocalDeps, ctx: RequestContext, page: Page): Promise<NetworkState[]> {
  deps.policy.authorize('local_network:get_all', ctx)
  const networks = pageOf(await deps.store.networks.list(ownScope(ctx)), page, {
    id: (network) => network.uuid,
    keys: {
      created_at: (network) => network.createdAtMs,
      name: (network) => network.name,
      uuid: (network) => network.uuid,
    },
    notFoundCode: NOT_FOUND,
  })
  return await Promise.all(networks.map((network) => stateOf(deps, network)))
}

export async function showLocalNetwork(deps: LocalDeps, ctx: RequestContext, ident: string): Promise<NetworkState> {
  const network = await find(deps.store.networks, ctx, ident)
  deps.policy.authorize('local_network:get_one', ctx, targetOf(network))
  return await stateOf(deps, network)
}

/** Hosts take it down in the background; its subnets are given to no other network before that. */
export async function deleteLocalNetwork(deps: LocalDeps, ctx: RequestContext, ident: string): Promise<void> {
  const found = await find(deps.store.networks, ctx, ident)
  deps.policy.authorize('local_network:delete', ctx, targetOf(found))
  const hosts = await deps.store.write(async (tx) => {
    const network = await tx.networks.byUuid(found.uuid, { kind: 'all' })
    if (network === undefined) throw notFound(ident)
    if (network.deleting) throw new Conflict(`Network ${network.uuid} is being deleted already.`)
    const addresses = await tx.networks.addresses(network.uuid)
    if (addresses.length > 0) {
      throw new Conflict(`Network ${network.uuid} is in use: containers hold ${addresses.length} of its addresses.`)
    }
    // Which of them ever had it is not known, and to take down what is not there is no work.
    const names = (await tx.hosts.list()).map((host) => host.name)
    await dispose(tx, { kind: 'network', uuid: network.uuid }, names)
    return names
  })
  for (const host of hosts) deps.doorbell.ring(hostLane(host))
}

async function stateOf(deps: LocalDeps, network: LocalNetwork): Promise<NetworkState> {
  return { network, addresses: (await deps.store.networks.addresses(network.uuid)).length }
}

async function find(networks: LocalNetworkReads, ctx: RequestContext, ident: string): Promise<LocalNetwork> {
  const scope = lookupScope(ctx)
  const uuid = normaliseUuid(ident)
  const matches = uuid === undefined ? await networks.byName(ident, scope) : [await networks.byUuid(uuid, scope)]
  const [first, ...others] = matches
  if (first === undefined) throw notFound(ident)
  if (others.length > 0) {
    throw new Conflict(`Multiple networks exist with name '${ident}'. Please use the network uuid instead.`)
  }
  return first
}

function notFound(ident: string): NotFound {
  return new NotFound(`Network ${ident.slice(0, 255)} could not be found.`, NOT_FOUND)
}

function targetOf(network: LocalNetwork) {
  return { project_id: network.projectId, uuid: network.uuid, name: network.name }
}
