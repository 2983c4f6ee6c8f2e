/**
 * The engine's questions about addresses. The network service has given them away long before: nothing is handed out here,
 * the engine is only told what it needs to write them into a container.
 */
import { randomInt } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import type { HostPorts } from '../../orchestration/ports/host-ports.ts'
import type { Subnet } from '../../orchestration/ports/wire.ts'
import { objectOf, Refusal, requiredText, textOf, type Message } from './message.ts'
import { NETWORK_OPTION, SUBNET_OPTION, SUBNET_V6_OPTION } from './options.ts'

type Handler = (message: Message) => Message

/** No address is given by it, so nothing can be given twice. */
const ADDRESS_SPACE = 'no_address_space'
/** Value of the option of this name when the address is to be a network's gateway. */
const REQUEST_TYPE = 'RequestAddressType'
const GATEWAY = 'com.docker.network.gateway'
/** Subnets without a gateway. */
const NO_GATEWAY = { 4: '0.0.0.0/0', 6: '::/0' } as const

export function ipamHandlers(ports: HostPorts): Readonly<Record<string, Handler>> {
  return {
    // Not the MAC address: the engine would make one up, and then insist on it.
    'IpamDriver.GetCapabilities': () => ({ RequiresMACAddress: false, RequiresRequestReplay: false }),
    'IpamDriver.GetDefaultAddressSpaces': () => ({
      LocalDefaultAddressSpace: ADDRESS_SPACE,
      GlobalDefaultAddressSpace: ADDRESS_SPACE,
    }),
    'IpamDriver.RequestPool': (message) => requestPool(ports, message),
    'IpamDriver.ReleasePool': () => ({}),
    'IpamDriver.RequestAddress': (message) => requestAddress(ports, message),
    'IpamDriver.ReleaseAddress': () => ({}),
  }
}

/** The pool is the subnet, by its id. */
function requestPool(ports: HostPorts, message: Message): Message {
  const options = objectOf(message['Options'])
  const networkId = textOf(options, NETWORK_OPTION)
  const version = message['V6'] === true ? 6 : 4
  const cidr = textOf(message, 'Pool')
  const known = ports.network(networkId)?.subnets.filter((subnet) => subnet.version === version) ?? []
  const subnet = known.find((candidate) => sameCidr(candidate.cidr, cidr))
  if (subnet !== undefined) return { PoolID: subnet.id, Pool: subnet.cidr, Data: {} }
  // One who makes such a network by hand says which subnet it is.
  const id = textOf(options, version === 4 ? SUBNET_OPTION : SUBNET_V6_OPTION)
  if (id !== '' && cidr !== '') return { PoolID: id, Pool: cidr, Data: {} }
  throw new Refusal(`no IPv${version} subnet ${cidr} of network ${networkId} is known on this host`)
}

function requestAddress(ports: HostPorts, message: Message): Message {
  const poolId = requiredText(message, 'PoolID')
  const asked = textOf(message, 'Address')
  const pool = ports
    .networks()
    .flatMap(({ subnets }) => subnets)
    .find(({ id }) => id === poolId)
  if (textOf(objectOf(message['Options']), REQUEST_TYPE) === GATEWAY) return gatewayAddress(pool, asked)
  if (asked === '') return linkLocal(poolId, pool)
  // Networks that an earlier plugin made have pools of other ids; the addresses are those of the ports all the same.
  const subnet = subnetOf(ports, asked, pool)
  if (subnet === undefined) throw new Refusal(`no port with the address ${asked} is known on this host`, 404)
  return { Address: `${asked}/${prefixOf(subnet.cidr)}`, Data: {} }
}

/**
 * The engine wants an address of every family that its network has, and the port has none of this one. Such an address is
 * that of the link alone, and nothing is lost when two have the same.
 */
function linkLocal(poolId: string, pool: Subnet | undefined): Message {
  if (pool === undefined) {
    throw new Refusal(`addresses of subnet ${poolId} are given by the network service: a container needs a port of it`)
  }
  const [a, b] = [randomInt(1, 255), randomInt(1, 255)]
  return {
    Address: pool.version === 4 ? `169.254.${a}.${b}/32` : `fe80::${a.toString(16)}:${b.toString(16)}/64`,
    Data: {},
  }
}

export function isLinkLocal(address: string): boolean {
  return ipaddr.parse(address).range() === 'linkLocal'
}

function gatewayAddress(pool: Subnet | undefined, asked: string): Message {
  if (pool === undefined) throw new Refusal('the subnet is not known on this host', 404)
  return { Address: asked === '' ? NO_GATEWAY[pool.version] : `${asked}/${prefixOf(pool.cidr)}`, Data: {} }
}

function subnetOf(ports: HostPorts, address: string, pool: Subnet | undefined): Subnet | undefined {
  const wanted = normalAddress(address)
  for (const port of ports.ports()) {
    for (const fixed of port.addresses) {
      if (normalAddress(fixed.address) !== wanted) continue
      const subnet = port.subnets.find(({ id }) => id === fixed.subnetId)
      if (subnet !== undefined && (pool === undefined || subnet.id === pool.id)) return subnet
    }
  }
  return undefined
}

export function normalAddress(text: string): string {
  if (!ipaddr.isValid(text)) throw new Refusal(`'${text.slice(0, 64)}' is no address`)
  return ipaddr.parse(text).toString()
}

function sameCidr(a: string, b: string): boolean {
  if (!ipaddr.isValidCIDR(a) || !ipaddr.isValidCIDR(b)) return false
  const [[left, leftPrefix], [right, rightPrefix]] = [ipaddr.parseCIDR(a), ipaddr.parseCIDR(b)]
  return leftPrefix === rightPrefix && left.kind() === right.kind() && left.match(right, leftPrefix)
}

function prefixOf(cidr: string): number {
  return ipaddr.parseCIDR(cidr)[1]
}
