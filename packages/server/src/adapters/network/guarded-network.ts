import ipaddr from 'ipaddr.js'
import { SystemFault } from '../../domain/errors.ts'

export interface GuardedSubnet {
  readonly cidr: string
  readonly gateway: string | null
  readonly version: 4 | 6
}

/** What the packet filter has to know of one network. */
export interface GuardedNetwork {
  readonly bridge: string
  readonly subnets: readonly GuardedSubnet[]
}

/** Every bridge of ours, and nothing else on the host, begins with this. */
export const BRIDGE_PREFIX = 'zn-'
/** Linux allows 15 characters. These are the leading digits of a random uuid, all of them random. */
const BRIDGE_DIGITS = 12

export function bridgeName(networkId: string): string {
  const digits = networkId.replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(digits)) throw new SystemFault('network.bad_id', `${networkId} is no network id`)
  return BRIDGE_PREFIX + digits.slice(0, BRIDGE_DIGITS)
}

/** In one spelling, whoever wrote it; also keeps anything but an address out of the packet filter's input. */
export function normalise(subnets: readonly GuardedSubnet[]): GuardedSubnet[] {
  try {
    return subnets
      .map(({ cidr, gateway, version }) => {
        const [address, length] = ipaddr.parseCIDR(cidr)
        const via = gateway === null ? null : ipaddr.parse(gateway).toString()
        return { cidr: `${address.toString()}/${length}`, gateway: via, version }
      })
      .sort((a, b) => a.version - b.version || a.cidr.localeCompare(b.cidr))
  } catch (error) {
    throw new SystemFault('network.bad_subnet', `bad subnet in ${JSON.stringify(subnets)}`, { cause: error })
  }
}
