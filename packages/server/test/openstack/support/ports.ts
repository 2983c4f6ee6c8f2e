/** Ports of Neutron, past the service under test. */
import assert from 'node:assert/strict'
import type { CloudUser } from './cloud-user.ts'

export interface PortBody {
  readonly id: string
  readonly network_id: string
  readonly device_id: string
  readonly device_owner: string
  readonly security_groups: readonly string[]
}

export async function networkId(user: CloudUser, name: string): Promise<string> {
  const { networks } = await user.get<{ networks: { id: string }[] }>('network', `/v2.0/networks?name=${name}`)
  assert.equal(networks.length, 1, `networks named ${name}`)
  return networks[0]?.id ?? ''
}

/** One that its owner brings along. */
export async function makePort(user: CloudUser, network: string): Promise<string> {
  const body = { port: { network_id: await networkId(user, network), name: 'brought' } }
  return (await user.post<{ port: PortBody }>('network', '/v2.0/ports', body)).port.id
}

export async function showPort(user: CloudUser, id: string): Promise<PortBody> {
  return (await user.get<{ port: PortBody }>('network', `/v2.0/ports/${id}`)).port
}

/** `admin`: a container's ports may be of any project. */
export async function portsOfDevice(admin: CloudUser, uuid: string): Promise<readonly PortBody[]> {
  return (await admin.get<{ ports: PortBody[] }>('network', `/v2.0/ports?device_id=${uuid}`)).ports
}
