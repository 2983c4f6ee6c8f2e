/**
 * Networks of the engines, which hosts make when a container first needs them; an admin may have one made before that, or
 * taken down (admin-resources 5).
 */
import { CREATE_HOST_NETWORK_FIELDS } from '@zund/contract/api/requests/others.ts'
import { Conflict, Forbidden, NotFound, Unavailable } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import { v5 } from '../../lib/uuid-v5.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { Store } from '../../orchestration/ports/store.ts'
import { askerOf } from '../containers/networks-of-request.ts'
import type { RequestContext } from '../context.ts'
import { readFields, type Body } from '../fields.ts'
import { upHosts } from '../hosts/up-hosts.ts'
import type { AppOptions } from '../options.ts'
import type { HostGateway, NetworkPlace } from '../ports/host-gateway.ts'
import type { NetworkPlanner } from '../ports/network-planner.ts'
import type { Policy } from '../ports/policy.ts'

export interface NetworkDeps {
  readonly store: Store
  readonly policy: Policy
  readonly gateway: HostGateway
  readonly networks: NetworkPlanner
  readonly options: AppOptions
  readonly log: Logger
}

export interface HostNetwork {
  readonly uuid: string
  readonly networkId: string
  readonly engineId: string
  readonly projectId: string
  readonly userId: string
}

/** Namespace of the ids that stand for one network on one host. */
const NAMESPACE = '1f0a8a55-43c4-4f0f-8f0a-0f6d6f3a7f25'

/** Makes it on one host that is up. It may be there already: then nothing changes, and the answer is the same. */
export async function createNetwork(deps: NetworkDeps, ctx: RequestContext, body: Body): Promise<HostNetwork> {
  deps.policy.authorize('network:create', ctx)
  const { neutron_net_id: id } = readFields(CREATE_HOST_NETWORK_FIELDS, body, ctx.minor)
  const { projectId, userId } = ctx.caller
  if (projectId === null) throw new Forbidden('The token is not scoped to a project.')
  const place = await placeOf(deps, ctx, projectId, id)
  const [host] = await upHosts(deps.store.hosts, deps.options)
  if (host === undefined) throw new Unavailable('No compute host is up.', { retryAfterS: 10 })
  const { networkId } = place
  const engineId = await deps.gateway.prepareNetwork(host, place, { signal: ctx.signal })
  return { uuid: v5(`${networkId} ${host}`, NAMESPACE), networkId, engineId, projectId, userId }
}

/**
 * Takes it down on every host that has it; the network itself stays, and the next container makes it anew. NotFound
 * when no host has it, Conflict while containers are on it, Unavailable when a host cannot be asked.
 */
export async function deleteNetwork(deps: NetworkDeps, ctx: RequestContext, ident: string): Promise<void> {
  deps.policy.authorize('network:delete', ctx)
  const uuid = normaliseUuid(ident)
  if (uuid === undefined) throw networkNotFound(ident)
  const addresses = await deps.store.networks.addresses(uuid)
  if (addresses.length > 0) {
    throw new Conflict(`Network ${uuid} is in use: containers hold ${addresses.length} of its addresses.`)
  }
  let found = false
  for (const host of await upHosts(deps.store.hosts, deps.options)) {
    if (await deps.gateway.removeNetwork(host, uuid, { signal: ctx.signal })) found = true
  }
  if (!found) throw networkNotFound(ident)
}

async function placeOf(
  deps: NetworkDeps,
  ctx: RequestContext,
  projectId: string,
  ident: string,
): Promise<NetworkPlace> {
  const uuid = normaliseUuid(ident)
  const place = uuid === undefined ? undefined : await deps.networks.placeOf(askerOf(ctx, projectId), uuid)
  if (place === undefined) throw networkNotFound(ident)
  return place
}

function networkNotFound(ident: string): NotFound {
  return new NotFound(`Network ${ident.slice(0, 255)} could not be found.`, 'network-not-found')
}
