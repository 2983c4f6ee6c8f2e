/** Neutron's resources, as far as they are looked at. What lacks a field that it must have is left out of a list. */
import { numberIn, recordIn, recordsIn, textIn, textsIn, type JsonRecord } from '../../openstack/json.ts'

export interface NeutronNetwork {
  readonly id: string
  readonly name: string
  readonly projectId: string
  readonly shared: boolean
  readonly external: boolean
  /** Without it ports let everything in, and have no security groups. */
  readonly portSecurity: boolean
  readonly mtu: number | null
  readonly createdAt: string
}

export interface NeutronSubnet {
  readonly id: string
  readonly cidr: string
  readonly gateway: string | null
  readonly version: 4 | 6
  /** Addresses of ports make themselves up, of the prefix and the MAC address. */
  readonly isAutomatic: boolean
  readonly hostRoutes: { readonly destination: string; readonly nextHop: string }[]
  readonly dnsServers: string[]
}

export interface NeutronPort {
  readonly id: string
  readonly name: string
  readonly networkId: string
  readonly projectId: string
  readonly status: string
  readonly macAddress: string
  readonly deviceId: string
  readonly deviceOwner: string
  readonly fixedIps: readonly { readonly address: string; readonly subnetId: string }[]
  readonly securityGroups: readonly string[]
  readonly portSecurity: boolean
  readonly vnicType: string
  /** These are shown to the service alone; else empty. */
  readonly hostId: string
  readonly vifType: string
  readonly bridge: string | null
  readonly hybrid: boolean
  /** Goes up with every change; null: this service does not count them. */
  readonly revision: number | null
}

export interface NeutronGroup {
  readonly id: string
  readonly name: string
}

export function toNetwork(found: JsonRecord): NeutronNetwork[] {
  const id = textIn(found, 'id')
  if (id === undefined) return []
  return [
    {
      id,
      name: textIn(found, 'name') || id,
      projectId: projectOf(found),
      shared: found['shared'] === true,
      external: found['router:external'] === true,
      portSecurity: found['port_security_enabled'] !== false,
      mtu: numberIn(found, 'mtu') || null,
      createdAt: textIn(found, 'created_at') ?? '',
    },
  ]
}

export function toSubnet(found: JsonRecord): NeutronSubnet[] {
  const [id, cidr, version] = [textIn(found, 'id'), textIn(found, 'cidr'), numberIn(found, 'ip_version')]
  if (id === undefined || cidr === undefined || (version !== 4 && version !== 6)) return []
  const mode = textIn(found, 'ipv6_address_mode') ?? ''
  return [
    {
      id,
      cidr,
      gateway: textIn(found, 'gateway_ip') || null,
      version,
      isAutomatic: version === 6 && (mode === 'slaac' || mode === 'dhcpv6-stateless'),
      hostRoutes: recordsIn(found, 'host_routes').flatMap((route) => {
        const [destination, nextHop] = [textIn(route, 'destination'), textIn(route, 'nexthop')]
        return destination === undefined || nextHop === undefined ? [] : [{ destination, nextHop }]
      }),
      dnsServers: textsIn(found, 'dns_nameservers'),
    },
  ]
}

export function toPort(found: JsonRecord): NeutronPort[] {
  const [id, networkId, mac] = [textIn(found, 'id'), textIn(found, 'network_id'), textIn(found, 'mac_address')]
  if (id === undefined || networkId === undefined || mac === undefined) return []
  const details = recordIn(found, 'binding:vif_details')
  return [
    {
      id,
      name: textIn(found, 'name') ?? '',
      networkId,
      projectId: projectOf(found),
      status: textIn(found, 'status') ?? '',
      macAddress: mac.toLowerCase(),
      deviceId: textIn(found, 'device_id') ?? '',
      deviceOwner: textIn(found, 'device_owner') ?? '',
      fixedIps: recordsIn(found, 'fixed_ips').flatMap((fixed) => {
        const [address, subnetId] = [textIn(fixed, 'ip_address'), textIn(fixed, 'subnet_id')]
        return address === undefined || subnetId === undefined ? [] : [{ address, subnetId }]
      }),
      securityGroups: textsIn(found, 'security_groups'),
      portSecurity: found['port_security_enabled'] !== false,
      vnicType: textIn(found, 'binding:vnic_type') ?? 'normal',
      hostId: textIn(found, 'binding:host_id') ?? '',
      vifType: textIn(found, 'binding:vif_type') ?? '',
      bridge: textIn(details, 'bridge_name') || null,
      hybrid: details['ovs_hybrid_plug'] === true,
      revision: numberIn(found, 'revision_number') ?? null,
    },
  ]
}

export function toGroup(found: JsonRecord): NeutronGroup[] {
  const id = textIn(found, 'id')
  return id === undefined ? [] : [{ id, name: textIn(found, 'name') ?? '' }]
}

function projectOf(found: JsonRecord): string {
  return textIn(found, 'project_id') ?? textIn(found, 'tenant_id') ?? ''
}
