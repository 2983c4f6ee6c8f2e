/** Networks of the built-in network service: which a container joins, and with which addresses. */
import ipaddr from 'ipaddr.js'
import { Conflict, InvalidInput, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { LocalNetwork, LocalNetworkWrites, Scope, Tx } from '../../orchestration/ports/store.ts'
import type { Binding, FixedIp, PortData } from '../../orchestration/ports/wire.ts'
import type { AppOptions } from '../options.ts'
import type { NetRequest } from '../ports/network-planner.ts'

interface Planner {
  readonly tx: Tx
  readonly pools: AppOptions['localNetwork']
  readonly projectId: string
  readonly newUuid: () => string
}

/** Addresses that an engine may want for itself at the start of a subnet: network and gateway. */
const FIRST_HOST = 2

/** Reserves addresses and gives the ports, in the transaction that accepts the request. */
export async function planPorts(
  planner: Planner,
  requested: readonly NetRequest[],
  firstOrder: number,
): Promise<Binding[]> {
  const nets = requested.length === 0 ? [{ network: null, port: null, ipv4: null, ipv6: null }] : requested
  const ports: Binding[] = []
  const seen = new Set<string>()
  for (const net of nets) {
    const network =
      net.network === null
        ? await defaultNetwork(planner)
        : await findNetwork(planner.tx.networks, planner.projectId, net.network)
    if (seen.has(network.uuid)) throw new InvalidInput(`Network ${network.name} is given twice in 'nets'.`, 'invalid')
    seen.add(network.uuid)
    ports.push(await planPort(planner, network, net, firstOrder + ports.length))
  }
  return ports
}

export async function findNetwork(
  networks: Pick<LocalNetworkWrites, 'byUuid' | 'byName'>,
  projectId: string,
  ident: string,
): Promise<LocalNetwork> {
  const scope: Scope = { kind: 'project', projectId }
  const uuid = normaliseUuid(ident)
  const found = uuid === undefined ? undefined : await networks.byUuid(uuid, scope)
  if (found !== undefined) return found
  const [first, ...others] = await networks.byName(ident, scope)
  if (first === undefined) throw new NotFound(`Network ${ident} could not be found.`, 'network-not-found')
  if (others.length > 0) throw new Conflict(`Multiple networks exist with name '${ident}'. Please use the network id.`)
  return first
}

async function planPort(planner: Planner, network: LocalNetwork, net: NetRequest, order: number): Promise<Binding> {
  const { tx, newUuid } = planner
  if (network.deleting) throw new Conflict(`Network ${network.uuid} is being deleted.`)
  const uuid = newUuid()
  const fixedIps: FixedIp[] = []
  const subnets: PortData['subnets'] = []
  for (const subnet of subnetsOf(network)) {
    const asked = subnet.version === 4 ? net.ipv4 : net.ipv6
    const address =
      asked === null ? await freeAddress(planner, network, subnet) : checkedAddress(network, subnet, asked)
    await tx.networks.reserveAddress(network.uuid, address, uuid)
    fixedIps.push({ address, version: subnet.version, subnetId: subnet.id })
    subnets.push(subnet)
  }
  if (net.ipv6 !== null && network.cidrV6 === null) {
    throw new InvalidInput(`Network ${network.name} has no IPv6 subnet, so v6-fixed-ip cannot be honoured.`)
  }
  return {
    uuid,
    state: 'planned',
    order,
    data: {
      kind: 'port',
      networkId: network.uuid,
      networkName: network.name,
      projectId: network.projectId,
      subnets,
      fixedIps,
      macAddress: null,
      preserveOnDelete: false,
    },
  }
}

type Subnet = PortData['subnets'][number]

export function subnetsOf(network: LocalNetwork): Subnet[] {
  const v4: Subnet = { id: network.subnetV4, cidr: network.cidrV4, gateway: network.gatewayV4, version: 4 }
  if (network.cidrV6 === null || network.subnetV6 === null) return [v4]
  return [v4, { id: network.subnetV6, cidr: network.cidrV6, gateway: network.gatewayV6, version: 6 }]
}

function checkedAddress(network: LocalNetwork, subnet: Subnet, asked: string): string {
  const address = ipaddr.parse(asked)
  const range = ipaddr.parseCIDR(subnet.cidr)
  if (address.kind() !== range[0].kind() || !address.match(range)) {
    throw new InvalidInput(`Address ${asked} is outside the subnet ${subnet.cidr} of network ${network.name}.`)
  }
  const text = address.toString()
  const [base, prefix] = range
  const last = base.kind() === 'ipv4' ? addressAt(base, 2 ** (32 - prefix) - 1) : ''
  if (text === subnet.gateway || text === base.toString() || text === last) {
    throw new InvalidInput(`Address ${asked} of network ${network.name} is reserved (network, gateway or broadcast).`)
  }
  return text
}

/** Offsets looked at from the hint on; in a network where so many in a row are taken all addresses are read. */
const MOST_PROBES = 32

/**
 * The next free address after the one given last, from the start again at the end. An address that was just given back
 * is so the last to be given again, while neighbours may still remember whose it was.
 */
async function freeAddress({ tx }: Planner, network: LocalNetwork, subnet: Subnet): Promise<string> {
  const [base, prefix] = ipaddr.parseCIDR(subnet.cidr)
  const bits = base.kind() === 'ipv4' ? 32 - prefix : Math.min(128 - prefix, 16)
  // Without network and gateway at its start and the broadcast address at its end.
  const size = 2 ** bits - 1 - FIRST_HOST
  const hint = Math.max(network.nextHost - FIRST_HOST, 0)
  const candidate = (n: number): string => addressAt(base, FIRST_HOST + ((hint + n) % size))
  let used: ReadonlySet<string> | undefined
  for (let n = 0; n < size; n += 1) {
    const address = candidate(n)
    if (address === subnet.gateway) continue
    if (n >= MOST_PROBES) used ??= new Set(await tx.networks.addresses(network.uuid))
    const isTaken = used?.has(address) ?? (await tx.networks.isAddressReserved(network.uuid, address))
    if (isTaken) continue
    if (subnet.version === 4) await tx.networks.setNextHost(network.uuid, FIRST_HOST + ((hint + n + 1) % size))
    return address
  }
  throw new Conflict(
    `Network ${network.name} (${subnet.cidr}) has no free address: all ${size} are in use.`,
    'no-free-address',
  )
}

function addressAt(base: ipaddr.IPv4 | ipaddr.IPv6, offset: number): string {
  const bytes = base.toByteArray()
  let carry = offset
  for (let i = bytes.length - 1; i >= 0 && carry > 0; i -= 1) {
    const sum = (bytes[i] ?? 0) + carry
    bytes[i] = sum % 256
    carry = Math.floor(sum / 256)
  }
  return ipaddr.fromByteArray(bytes).toString()
}

/** The project's own network, made when the first container needs it. */
async function defaultNetwork(planner: Planner): Promise<LocalNetwork> {
  const { tx, projectId } = planner
  const existing = (await tx.networks.list({ kind: 'project', projectId })).find((network) => network.isDefault)
  return existing ?? (await createNetwork(planner, 'default', true))
}

/** A network with subnets cut from the configured pools, clear of other networks and of what the hosts route. */
export async function createNetwork(planner: Planner, name: string, isDefault: boolean): Promise<LocalNetwork> {
  const { tx, pools, projectId, newUuid } = planner
  const routed = (await tx.hosts.list()).flatMap((host) => host.inventory?.routedSubnets ?? [])
  const used = [...(await tx.networks.usedCidrs()), ...routed]
  const cidrV4 = freeSubnet(pools.poolV4, pools.prefixV4, used)
  const cidrV6 = pools.poolV6 === null ? null : freeSubnet(pools.poolV6, pools.prefixV6, used)
  return await tx.networks.insert({
    uuid: newUuid(),
    name,
    projectId,
    isDefault,
    cidrV4,
    gatewayV4: addressAt(ipaddr.parseCIDR(cidrV4)[0], 1),
    subnetV4: newUuid(),
    cidrV6,
    gatewayV6: cidrV6 === null ? null : addressAt(ipaddr.parseCIDR(cidrV6)[0], 1),
    subnetV6: cidrV6 === null ? null : newUuid(),
  })
}

/** Subnets looked at before a pool counts as used up. */
const MOST_SUBNETS = 65_536

function freeSubnet(pool: string, prefix: number, used: readonly string[]): string {
  const [base, poolPrefix] = ipaddr.parseCIDR(pool)
  const taken = used.map((cidr) => ipaddr.parseCIDR(cidr)).filter(([address]) => address.kind() === base.kind())
  const takenTexts = new Set(taken.map(([address, length]) => `${address.toString()}/${length}`))
  const count = Math.min(2 ** (prefix - poolPrefix), MOST_SUBNETS)
  for (let n = 0; n < count; n += 1) {
    const start = subnetAt(base, prefix, n)
    const cidr = `${start.toString()}/${prefix}`
    if (takenTexts.has(cidr)) continue
    const overlaps = taken.some(([address, length]) => start.match(address, Math.min(prefix, length)))
    if (!overlaps) return cidr
  }
  throw new Conflict(`The address pool ${pool} has no free /${prefix} for another network.`, 'no-free-subnet')
}

function subnetAt(base: ipaddr.IPv4 | ipaddr.IPv6, prefix: number, n: number): ipaddr.IPv4 | ipaddr.IPv6 {
  const bytes = base.toByteArray()
  const width = bytes.length * 8
  let value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  value += BigInt(n) << BigInt(width - prefix)
  const next = bytes.map((_, i) => Number((value >> BigInt(width - 8 * (i + 1))) & 0xffn))
  return ipaddr.fromByteArray(next)
}
