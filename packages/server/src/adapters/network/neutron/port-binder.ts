import { messageOf, SystemFault, UserFault } from '../../../domain/errors.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { GroupChange } from '../../../orchestration/ports/drivers.ts'
import type { PortData, RemotePort } from '../../../orchestration/ports/wire.ts'
import { isAway, OpenStackError, toRetryable } from '../../openstack/errors.ts'
import type { JsonRecord } from '../../openstack/json.ts'
import { subnetOf, toFixedIps } from './addresses.ts'
import { BroughtPorts } from './brought-ports.ts'
import type { NeutronClient } from './neutron-client.ts'
import { OpenGroups } from './open-groups.ts'
import type { NeutronPort, NeutronSubnet } from './resources.ts'
import { DEVICE_OWNER, isTied, SUPPORTED, tie } from './tie.ts'

export interface PortBinderDeps {
  readonly neutron: NeutronClient
  /** As the network service's agent on this host is called. */
  readonly host: string
  readonly log: Logger
}

export interface Bound {
  readonly port: PortData
  /** All of its network, those that the port has no address of included. */
  readonly subnets: readonly NeutronSubnet[]
}

/**
 * The ports of this host's containers in Neutron, as the service itself. A port that is made carries the container's
 * uuid, by which it is found again: nothing needs to be remembered to take it away.
 */
export class PortBinder {
  readonly #neutron: NeutronClient
  readonly #host: string
  readonly #log: Logger
  readonly #groups: OpenGroups
  readonly #brought: BroughtPorts

  constructor({ neutron, host, log }: PortBinderDeps) {
    this.#neutron = neutron
    this.#host = host
    this.#log = log
    this.#groups = new OpenGroups(neutron)
    this.#brought = new BroughtPorts({ neutron, host, log })
  }

  async bind(port: PortData, o: CallOptions): Promise<Bound> {
    return await inSteps(async () => {
      const remote = remoteOf(port)
      const openGroup = remote.openPorts.length === 0 ? null : await this.#groups.ensure(port, remote, o)
      const subnets = await this.#neutron.subnets(port.networkId, o)
      const bound =
        remote.before === null
          ? await this.#own(port, remote, openGroup, subnets, o)
          : await this.#brought.take(port, remote, o)
      this.#requireBound(bound)
      const [network] = await this.#neutron.networks({ id: port.networkId }, o)
      const fixedIps = toFixedIps(bound)
      return {
        subnets,
        port: {
          ...port,
          subnets: subnets.filter(({ id }) => fixedIps.some(({ subnetId }) => subnetId === id)).map(subnetOf),
          fixedIps,
          macAddress: bound.macAddress,
          remote: {
            ...remote,
            portId: bound.id,
            openGroup,
            mtu: network?.mtu ?? remote.mtu,
            plug: { kind: bound.vifType, bridge: bound.bridge, hybrid: bound.hybrid },
          },
        },
      }
    })
  }

  /** Ports that were made go, one that was brought becomes as it was; so with the group that opened ports. */
  async release(port: PortData, o: CallOptions): Promise<void> {
    await inSteps(async () => {
      const remote = remoteOf(port)
      if (remote.before === null) {
        for (const { id } of await this.#made(port, remote, o)) await this.#neutron.deletePort(id, o)
      } else {
        await this.#brought.giveBack(remote, remote.before, o)
      }
      if (remote.openPorts.length > 0) await this.#groups.remove(port, remote, o)
    })
  }

  async changeGroup(port: PortData, { kind, group }: GroupChange, o: CallOptions): Promise<PortData> {
    return await inSteps(async () => {
      const remote = remoteOf(port)
      const found = remote.portId === null ? undefined : await this.#neutron.port(remote.portId, o)
      if (found === undefined) throw new UserFault('network.port_gone', `Port ${remote.portId ?? ''} is gone.`)
      const others = found.securityGroups.filter((id) => id !== group)
      const had = others.length < found.securityGroups.length
      if (had !== (kind === 'add')) {
        await this.#neutron.updatePort(found.id, { security_groups: kind === 'add' ? [...others, group] : others }, o)
      }
      return { ...port, remote: { ...remote, ...noted(remote, kind, group, had) } }
    })
  }

  /** One that is there already, from an earlier try, or a new one. */
  async #own(
    port: PortData,
    remote: RemotePort,
    openGroup: string | null,
    subnets: readonly NeutronSubnet[],
    o: CallOptions,
  ): Promise<NeutronPort> {
    const groups = openGroup === null ? remote.securityGroups : [openGroup, ...remote.securityGroups]
    const [first, ...others] = (await this.#made(port, remote, o)).toSorted((a, b) => a.id.localeCompare(b.id))
    // Of a call whose answer was lost, and that was done all the same.
    for (const { id } of others) await this.#neutron.deletePort(id, o)
    if (first !== undefined) {
      return isTied(first, remote, this.#host)
        ? first
        : await this.#neutron.updatePort(first.id, tie(remote, this.#host), o)
    }
    const made = await this.#neutron.createPort(
      {
        network_id: port.networkId,
        tenant_id: port.projectId,
        device_id: remote.deviceId,
        device_owner: DEVICE_OWNER,
        'binding:host_id': this.#host,
        admin_state_up: true,
        ...fixedIpsFor(remote.askedAddresses, subnets),
        ...(groups.length === 0 ? {} : { security_groups: groups }),
      },
      o,
    )
    this.#log.info({ portId: made.id, containerId: remote.deviceId, networkId: port.networkId }, 'made a port')
    return made
  }

  async #made(port: PortData, remote: RemotePort, o: CallOptions): Promise<NeutronPort[]> {
    // On a shared network others may give theirs what name they like.
    const owned = { device_id: remote.deviceId, network_id: port.networkId, tenant_id: port.projectId }
    const found = await this.#neutron.ports(owned, o)
    return found.filter(({ deviceOwner }) => deviceOwner === DEVICE_OWNER)
  }

  #requireBound({ id, vifType }: NeutronPort): void {
    if (SUPPORTED.includes(vifType)) return
    if (vifType === 'binding_failed' || vifType === 'unbound' || vifType === '') {
      throw new SystemFault(
        'network.binding_failed',
        `The network service could not bind port ${id} to this host: it says ${vifType || 'nothing'}, ` +
          'as it does when none of its agents is alive there, or none serves the network.',
      )
    }
    throw new SystemFault(
      'network.unsupported_plug',
      `Port ${id} is of the kind '${vifType.slice(0, 40)}', which cannot be plugged here.`,
    )
  }
}

/** A port that was brought keeps what its owner has set: what is changed on it is noted, to be changed back. */
function noted(remote: RemotePort, kind: GroupChange['kind'], group: string, had: boolean): Partial<RemotePort> {
  if (remote.before === null || had === (kind === 'add')) return {}
  const without = (ids: readonly string[]): string[] => ids.filter((id) => id !== group)
  const [added, removed] = [without(remote.addedGroups), without(remote.removedGroups)]
  if (kind === 'add') {
    const isBack = removed.length < remote.removedGroups.length
    return { addedGroups: isBack ? added : [...added, group], removedGroups: removed }
  }
  const isBack = added.length < remote.addedGroups.length
  return { addedGroups: added, removedGroups: isBack ? removed : [...removed, group] }
}

/**
 * Neutron gives no more addresses than are asked for. With one of one family the other has to be asked for, too, or the
 * container would be without on a network of both.
 */
function fixedIpsFor(asked: readonly string[], subnets: readonly NeutronSubnet[]): JsonRecord {
  if (asked.length === 0) return {}
  const families = new Set(asked.map((address) => (address.includes(':') ? 6 : 4)))
  const other = subnets.find(({ version, isAutomatic }) => !families.has(version) && !isAutomatic)
  return {
    fixed_ips: [
      ...asked.map((ip_address) => ({ ip_address })),
      ...(other === undefined ? [] : [{ subnet_id: other.id }]),
    ],
  }
}

export function remoteOf(port: PortData): RemotePort {
  if (port.remote !== undefined) return port.remote
  throw new SystemFault(
    'network.of_another_service',
    `network ${port.networkName} is one of the built-in network service, which this host does not use`,
  )
}

/** Away: later. Refused: in the words of the network service. */
async function inSteps<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isAway(error)) throw toRetryable(error)
    if (error instanceof OpenStackError) {
      if (error.status === 401 || error.status === 403) {
        throw new SystemFault('network.forbidden', messageOf(error), { cause: error })
      }
      throw new UserFault('network.refused', `The network service refuses it: ${error.reason}`, { cause: error })
    }
    throw error
  }
}
