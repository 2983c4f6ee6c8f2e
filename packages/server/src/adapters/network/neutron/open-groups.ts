import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { PortData, RemotePort } from '../../../orchestration/ports/wire.ts'
import type { NeutronClient } from './neutron-client.ts'
import type { NeutronGroup } from './resources.ts'

const ANYBODY = [
  { ethertype: 'IPv4', remote_ip_prefix: '0.0.0.0/0' },
  { ethertype: 'IPv6', remote_ip_prefix: '::/0' },
] as const

/** The security groups that open the ports a container exposes: one for each container, found by its name. */
export class OpenGroups {
  readonly #neutron: NeutronClient

  constructor(neutron: NeutronClient) {
    this.#neutron = neutron
  }

  async ensure(port: PortData, remote: RemotePort, o: CallOptions): Promise<string> {
    const [found] = await this.#find(port, remote, o)
    const group =
      found ??
      (await this.#neutron.createGroup(
        {
          name: nameOf(remote),
          description: `Ports that container ${remote.deviceId} exposes.`,
          tenant_id: port.projectId,
        },
        o,
      ))
    for (const open of remote.openPorts) {
      const [number = '', protocol = 'tcp'] = open.split('/')
      for (const who of ANYBODY) {
        await this.#neutron.createRule(
          {
            security_group_id: group.id,
            tenant_id: port.projectId,
            direction: 'ingress',
            port_range_min: Number(number),
            port_range_max: Number(number),
            protocol,
            ...who,
          },
          o,
        )
      }
    }
    return group.id
  }

  /** As long as another port of the container is in it, it stays. */
  async remove(port: PortData, remote: RemotePort, o: CallOptions): Promise<void> {
    for (const { id } of await this.#find(port, remote, o)) await this.#neutron.deleteGroup(id, o)
  }

  async #find(port: PortData, remote: RemotePort, o: CallOptions): Promise<NeutronGroup[]> {
    const found = await this.#neutron.groups({ name: nameOf(remote), tenant_id: port.projectId }, o)
    return found.toSorted((a, b) => a.id.localeCompare(b.id))
  }
}

function nameOf({ deviceId }: RemotePort): string {
  return `zun-${deviceId}`
}
