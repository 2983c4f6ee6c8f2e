import type { FixedIp, Subnet } from '../../../orchestration/ports/wire.ts'
import type { NeutronPort, NeutronSubnet } from './resources.ts'

export function toFixedIps({ fixedIps }: NeutronPort): FixedIp[] {
  return fixedIps.map(({ address, subnetId }) => ({ address, version: address.includes(':') ? 6 : 4, subnetId }))
}

export function subnetOf({ id, cidr, gateway, version, hostRoutes, dnsServers }: NeutronSubnet): Subnet {
  return { id, cidr, gateway, version, hostRoutes, dnsServers }
}
