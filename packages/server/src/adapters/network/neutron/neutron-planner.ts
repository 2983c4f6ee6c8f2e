import ipaddr from 'ipaddr.js'
import { Conflict, InvalidInput, NotFound } from '../../../domain/errors.ts'
import { normaliseUuid } from '../../../domain/ids.ts'
import type { NetworkPlace } from '../../../app/ports/host-gateway.ts'
import type {
  Asker,
  NetRequest,
  NetworkPlan,
  NetworkPlanner,
  NetworksRequest,
} from '../../../app/ports/network-planner.ts'
import type { Tx } from '../../../orchestration/ports/store.ts'
import type { Binding, PortData, RemotePort } from '../../../orchestration/ports/wire.ts'
import { refusalFor } from '../../openstack/errors.ts'
import { subnetOf, toFixedIps } from './addresses.ts'
import type { Asking, NeutronClient } from './neutron-client.ts'
import type { NeutronNetwork, NeutronPort } from './resources.ts'

export interface NeutronPlannerDeps {
  readonly neutron: NeutronClient
  readonly newUuid: () => string
}

/** What becomes a binding once it is known whose. */
interface Planned {
  readonly data: Omit<PortData, 'remote'>
  readonly remote: Omit<RemotePort, 'deviceId'>
  readonly external: boolean
}

/** Looks up in Neutron what a request names: with the caller's token, so that Neutron decides what there is for them. */
export class NeutronPlanner implements NetworkPlanner {
  readonly #neutron: NeutronClient
  readonly #newUuid: () => string

  constructor({ neutron, newUuid }: NeutronPlannerDeps) {
    this.#neutron = neutron
    this.#newUuid = newUuid
  }

  async plan(asker: Asker, request: NetworksRequest): Promise<NetworkPlan> {
    return await told(async () => {
      const planned: Planned[] = []
      for (const net of request.nets.length === 0 ? [NOTHING_ASKED] : request.nets) {
        const one = await this.#planOne(asker, net, request)
        if (planned.some(({ data }) => data.networkId === one.data.networkId)) {
          throw new InvalidInput(`Network ${one.data.networkName} is given twice in 'nets'.`, 'invalid')
        }
        planned.push(one)
      }
      return {
        external: planned.filter(({ external }) => external).map(({ data }) => data.networkName),
        bindings: async (tx, o) => {
          for (const { remote } of planned) await requireUnpromised(tx, remote)
          return planned.map((one, n) => this.#binding(one, o.containerUuid, o.firstOrder + n))
        },
      }
    })
  }

  async securityGroups(asker: Asker, idents: readonly string[]): Promise<string[]> {
    const ids: string[] = []
    for (const ident of idents) ids.push(await this.groupToChange(asker, ident))
    return [...new Set(ids)]
  }

  async groupToChange(asker: Asker, ident: string): Promise<string> {
    return await told(async () => {
      const found = await byIdOrName(
        ident,
        async (query) => await this.#neutron.groups({ ...query, tenant_id: asker.projectId }, asking(asker)),
      )
      const [first, ...others] = found
      if (first === undefined) throw new InvalidInput(`Security group ${ident} could not be found.`)
      if (others.length > 0) throw severalOf('security groups', ident)
      return first.id
    })
  }

  async placeOf({ signal, requestId }: Asker, networkId: string): Promise<NetworkPlace | undefined> {
    return await told(async () => {
      const o = { signal, requestId }
      const [network] = await this.#neutron.networks({ id: networkId }, o)
      if (network === undefined) return undefined
      const subnets = (await this.#neutron.subnets(network.id, o)).map(subnetOf)
      if (subnets.length === 0) throw withoutSubnet(network)
      return { networkId: network.id, networkName: network.name, projectId: network.projectId, subnets }
    })
  }

  #binding({ data, remote }: Planned, deviceId: string, order: number): Binding {
    return { uuid: this.#newUuid(), state: 'planned', order, data: { ...data, remote: { ...remote, deviceId } } }
  }

  async #planOne(asker: Asker, net: NetRequest, request: NetworksRequest): Promise<Planned> {
    if (net.port !== null) return await this.#planPort(asker, net.port, request)
    const network =
      net.network === null ? await this.#defaultNetwork(asker) : await this.#findNetwork(asker, net.network)
    requireFilters(`Network ${network.name}`, network, request)
    return {
      data: {
        ...placeIn(network, asker.projectId),
        subnets: [],
        fixedIps: [],
        macAddress: null,
        preserveOnDelete: false,
      },
      external: isForeign(network),
      remote: {
        ...remoteOf(network, request),
        // Where nothing is filtered everything is open, and Neutron refuses groups.
        openPorts: network.portSecurity ? [...request.openPorts] : [],
        portId: null,
        askedAddresses: await this.#askedAddresses(asker, network, net),
        before: null,
      },
    }
  }

  async #defaultNetwork(asker: Asker): Promise<NeutronNetwork> {
    const own = await this.#neutron.networks({ tenant_id: asker.projectId, shared: false }, asking(asker))
    const candidates = own.length > 0 ? own : await this.#neutron.networks({ shared: true }, asking(asker))
    const [oldest] = candidates.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt))
    if (oldest === undefined) throw new Conflict('There is no network for the container: make one, or name one.')
    return oldest
  }

  async #findNetwork(asker: Asker, ident: string): Promise<NeutronNetwork> {
    const found = await byIdOrName(ident, async (query) => await this.#neutron.networks(query, asking(asker)))
    const [first, ...others] = found
    if (first === undefined) throw new NotFound(`Network ${ident} could not be found.`, 'network-not-found')
    if (others.length > 0) throw severalOf('networks', ident)
    return first
  }

  /** Neutron itself refuses the rest when the port is made: what is known before that is said in time. */
  async #askedAddresses(asker: Asker, network: NeutronNetwork, { ipv4, ipv6 }: NetRequest): Promise<string[]> {
    const asked = [ipv4, ipv6].filter((address) => address !== null)
    // Its subnets are shown to few. Whether it may be used at all is for others to say, who have not been asked yet.
    if (isForeign(network)) return asked
    const subnets = await this.#neutron.subnets(network.id, asking(asker))
    if (subnets.length === 0) throw withoutSubnet(network)
    for (const address of asked) {
      const parsed = ipaddr.parse(address)
      if (!subnets.some(({ cidr }) => contains(cidr, parsed))) {
        const cidrs = subnets.map(({ cidr }) => cidr).join(', ')
        throw new InvalidInput(`Address ${address} is in none of the subnets of network ${network.name}: ${cidrs}.`)
      }
      // Whose it is is not told.
      const holders = await this.#neutron.ports(
        { network_id: network.id, fixed_ips: `ip_address=${parsed.toString()}` },
        { signal: asker.signal, requestId: asker.requestId },
      )
      if (holders.length > 0) throw new Conflict(`Address ${address} of network ${network.name} is in use.`)
    }
    return asked
  }

  async #planPort(asker: Asker, ident: string, request: NetworksRequest): Promise<Planned> {
    const found = await byIdOrName(ident, async (query) => await this.#neutron.ports(query, asking(asker)))
    const [visible, ...others] = found
    if (visible === undefined) throw new NotFound(`Port ${ident} could not be found.`, 'port-not-found')
    if (others.length > 0) throw severalOf('ports', ident)
    // How it is bound is shown to the service alone.
    const service = { signal: asker.signal, requestId: asker.requestId }
    const port = (await this.#neutron.port(visible.id, service)) ?? visible
    requireUsable(port, asker.projectId)
    requireFilters(`Port ${port.id}`, port, request)
    const [network] = await this.#neutron.networks({ id: port.networkId }, service)
    if (network === undefined) throw new NotFound(`Port ${ident} could not be found.`, 'port-not-found')
    const subnets = await this.#neutron.subnets(network.id, service)
    return {
      data: {
        ...placeIn(network, asker.projectId),
        subnets: subnets.filter(({ id }) => port.fixedIps.some(({ subnetId }) => subnetId === id)).map(subnetOf),
        fixedIps: toFixedIps(port),
        macAddress: port.macAddress,
        preserveOnDelete: true,
      },
      external: isForeign(network),
      remote: {
        ...remoteOf(network, request),
        // Its groups are its owner's: one that opens ports would not be put on it.
        openPorts: [],
        portId: port.id,
        askedAddresses: [],
        before: { deviceOwner: port.deviceOwner, hostId: port.hostId },
      },
    }
  }
}

const NOTHING_ASKED: NetRequest = { network: null, port: null, ipv4: null, ipv6: null }
const UNUSABLE_STATUSES: readonly string[] = ['ACTIVE', 'BUILD', 'ERROR']

function requireUsable(port: NeutronPort, projectId: string): void {
  const unusable = (why: string, code = 'port-not-usable'): InvalidInput =>
    new InvalidInput(`Port ${port.id} is not usable: ${why}.`, code)
  if (port.projectId !== projectId) throw unusable('it belongs to another project')
  if (port.deviceId !== '') throw new InvalidInput(`Port ${port.id} is still in use.`, 'port-in-use')
  if (UNUSABLE_STATUSES.includes(port.status)) throw unusable(`its status is ${port.status}`)
  if (port.vifType === 'binding_failed') {
    throw new InvalidInput(`Binding failed for port ${port.id}.`, 'port-binding-failed')
  }
  if (port.vnicType !== 'normal') throw unusable(`its kind ${port.vnicType} is not supported for containers`)
  if (port.fixedIps.length === 0) throw unusable('it has no address')
}

/** Of a request that was accepted and not begun yet Neutron does not know. */
async function requireUnpromised(tx: Tx, { portId }: Planned['remote']): Promise<void> {
  const [user] = portId === null ? [] : await tx.bindings.portUsers(portId)
  if (user !== undefined) throw new InvalidInput(`Port ${portId} is in use by container ${user}.`, 'port-in-use')
}

function requireFilters(
  what: string,
  { portSecurity }: Pick<NeutronPort, 'portSecurity'>,
  { securityGroups }: NetworksRequest,
): void {
  if (portSecurity || securityGroups.length === 0) return
  throw new InvalidInput(`${what} has its port security disabled, so security groups cannot be used there.`)
}

function placeIn({ id, name }: NeutronNetwork, projectId: string) {
  return { kind: 'port' as const, networkId: id, networkName: name, projectId }
}

/** Not everybody may use such a network. */
function isForeign({ external, shared }: NeutronNetwork): boolean {
  return external && !shared
}

function remoteOf(network: NeutronNetwork, { securityGroups }: NetworksRequest) {
  return {
    securityGroups: [...securityGroups],
    openGroup: null,
    addedGroups: [],
    removedGroups: [],
    shared: network.shared,
    mtu: network.mtu,
    plug: null,
  }
}

function asking({ token, signal, requestId }: Asker): Asking {
  return { userToken: token, signal, requestId }
}

/** A name may look like an id, so one that is not found as such is looked for as the other. */
async function byIdOrName<T>(ident: string, list: (query: Record<string, string>) => Promise<T[]>): Promise<T[]> {
  const uuid = normaliseUuid(ident)
  const byId = uuid === undefined ? [] : await list({ id: uuid })
  return byId.length > 0 ? byId : await list({ name: ident })
}

function severalOf(what: string, ident: string): Conflict {
  return new Conflict(`Multiple ${what} exist with name '${ident}'. Please use the id instead.`)
}

function withoutSubnet(network: NeutronNetwork): InvalidInput {
  return new InvalidInput(
    `Network ${network.name} has no subnet, so a container on it could have no address.`,
    'invalid',
  )
}

function contains(cidr: string, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (!ipaddr.isValidCIDR(cidr)) return false
  const range = ipaddr.parseCIDR(cidr)
  return range[0].kind() === address.kind() && address.match(range)
}

/** A service that is away is a 503; one that refuses the caller says why. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusalFor(error)
  }
}
