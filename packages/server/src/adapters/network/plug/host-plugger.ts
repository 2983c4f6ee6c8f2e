import { SystemFault } from '../../../domain/errors.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { HostPort, PortPlugger } from '../../../orchestration/ports/host-ports.ts'
import type { HostCommand } from '../../host-command/host-command.ts'
import { IpLink } from './ip-link.ts'
import { containerEnd, filterBridge, filterEnd, hostEnd, networkBridge, switchEnd } from './names.ts'
import { OpenVSwitch } from './open-vswitch.ts'
import { hasFilters } from './port-filters.ts'

type Place = Pick<HostPort, 'portId' | 'networkId' | 'plug'>

export interface HostPluggerDeps {
  readonly command: HostCommand
  /** [neutron] ovs_bridge: where the port does not name another. */
  readonly ovsBridge: string
  /**
   * Called with a port that was plugged but for its switch, which it is to `join` later: one that was not plugged ahead, where
   * packets would pass before there are filters. Absent: everything joins at once.
   */
  readonly onKeptOut?: (port: HostPort) => void
}

/** Names of bridges come from the network service, and become arguments. */
const INTERFACE_NAME = /^[A-Za-z0-9_.-]{1,15}$/

/** Plugs ports as the mechanism drivers of Neutron expect it on their hosts. */
export class HostPlugger implements PortPlugger {
  readonly #command: HostCommand
  readonly #ovsBridge: string
  readonly #onKeptOut: ((port: HostPort) => void) | undefined
  readonly #links: IpLink
  readonly #switch: OpenVSwitch
  /** Ports that are plugged and wait for their container; one of an earlier life may be half done, and is not among them. */
  readonly #ahead = new Set<string>()
  /** By port: an operation plugs it ahead, the engine asks for it by itself, and what one makes the other would take back. */
  readonly #turns = new TurnByKey()

  constructor({ command, ovsBridge, onKeptOut }: HostPluggerDeps) {
    this.#command = command
    this.#ovsBridge = ovsBridge
    this.#onKeptOut = onKeptOut
    this.#links = new IpLink(command)
    this.#switch = new OpenVSwitch(command)
  }

  containerEnd(portId: string): string {
    return containerEnd(portId)
  }

  async plug(port: HostPort, o: CallOptions): Promise<void> {
    await this.#turns.run(port.portId, o.signal, async () => {
      const waits = this.#ahead.delete(port.portId)
      if (waits && (await this.#links.hasAddress(containerEnd(port.portId), port.macAddress, o))) return
      // A switch of Open vSwitch lets nothing pass of what its agent has not seen to.
      const isKeptOut = this.#onKeptOut !== undefined && port.plug.kind === 'bridge'
      await this.#make(port, o, isKeptOut)
      if (isKeptOut) this.#onKeptOut?.(port)
    })
  }

  async plugAhead(port: HostPort, o: CallOptions): Promise<boolean> {
    return await this.#turns.run(port.portId, o.signal, async () => {
      // One end without the other: that one is in a container.
      const isInUse =
        (await this.#links.exists(hostEnd(port.portId), o)) && !(await this.#links.exists(containerEnd(port.portId), o))
      if (isInUse) return false
      await this.#make(port, o)
      this.#ahead.add(port.portId)
      return true
    })
  }

  async unplug(port: Place, o: CallOptions): Promise<void> {
    await this.#turns.run(port.portId, o.signal, async () => await this.#unmake(port, o))
  }

  async isKeptOut({ portId, plug }: HostPort, o: CallOptions): Promise<boolean> {
    return plug.kind === 'bridge' && (await this.#links.isAlone(hostEnd(portId), o))
  }

  async hasFilters({ portId }: HostPort, o: CallOptions): Promise<boolean> {
    return await hasFilters(this.#command, hostEnd(portId), o)
  }

  async join(port: HostPort, o: CallOptions): Promise<void> {
    await this.#turns.run(port.portId, o.signal, async () => {
      if (await this.isKeptOut(port, o)) await this.#wayOf(port.plug)?.plug(port, o)
    })
  }

  async #make(port: HostPort, o: CallOptions, isKeptOut = false): Promise<void> {
    const way = this.#wayOf(port.plug)
    if (way === undefined) {
      throw new SystemFault(
        'network.unsupported_plug',
        `ports of the kind '${port.plug.kind.slice(0, 40)}' cannot be plugged here; supported are bridge, ovs and tap`,
      )
    }
    const tap = hostEnd(port.portId)
    const { macAddress, mtu } = checked(port)
    // Of an earlier life: its other end may be in a namespace that nobody can look into any more. A switch must have let go of
    // the old one before there is a new one of its name, or it goes on with the old.
    await way.unplug(port, o)
    await this.#links.remove(tap, o)
    try {
      await this.#links.change(
        [
          `link add name ${tap} mtu ${mtu} type veth peer name ${containerEnd(port.portId)} mtu ${mtu} address ${macAddress}`,
          `link set dev ${tap} addrgenmode none`,
          `link set dev ${tap} up`,
        ],
        o,
      )
      if (!isKeptOut) await way.plug(port, o)
    } catch (error) {
      await this.#takeBack(port)
      throw error
    }
  }

  async #unmake(port: Place, o: CallOptions): Promise<void> {
    this.#ahead.delete(port.portId)
    await (this.#wayOf(port.plug) ?? LEFT_ALONE).unplug(port, o)
    await this.#links.remove(hostEnd(port.portId), o)
  }

  /** Whatever the failure was, an aborted call included: it must not leave an interface that the next one trips over. */
  async #takeBack(port: HostPort): Promise<void> {
    await this.#unmake(port, { signal: AbortSignal.timeout(PLUG_BACK_MS) }).catch(() => undefined)
    await this.#links.remove(hostEnd(port.portId), { signal: AbortSignal.timeout(PLUG_BACK_MS) }).catch(() => undefined)
  }

  #wayOf(plug: HostPort['plug']): Way | undefined {
    switch (plug.kind) {
      case 'bridge':
        return this.#linuxBridge
      case 'ovs':
        return plug.hybrid ? this.#filteredSwitch : this.#plainSwitch
      case 'tap':
        return LEFT_ALONE
      default:
        return undefined
    }
  }

  readonly #linuxBridge: Way = {
    plug: async (port, o) => {
      const bridge = networkBridge(port.networkId)
      await this.#links.ensureBridge(bridge, o)
      await this.#links.change([`link set dev ${hostEnd(port.portId)} master ${bridge}`], o)
    },
    // The bridge is the whole network's on this host; its agent takes it down.
    unplug: async () => undefined,
  }

  readonly #plainSwitch: Way = {
    plug: async (port, o) => await this.#switch.add(this.#bridgeOf(port.plug), hostEnd(port.portId), port, o),
    unplug: async ({ portId }, o) => await this.#switch.remove(hostEnd(portId), o),
  }

  readonly #filteredSwitch: Way = {
    plug: async (port, o) => {
      const [bridge, inner, outer] = [filterBridge(port.portId), filterEnd(port.portId), switchEnd(port.portId)]
      await this.#links.remove(inner, o)
      await this.#links.ensureBridge(bridge, o, ' ageing_time 0 mcast_snooping 0')
      await this.#links.change(
        [
          `link add name ${inner} mtu ${port.mtu} type veth peer name ${outer} mtu ${port.mtu}`,
          ...[inner, outer].map((name) => `link set dev ${name} addrgenmode none`),
          `link set dev ${inner} up`,
          `link set dev ${outer} up`,
          `link set dev ${inner} master ${bridge}`,
          `link set dev ${hostEnd(port.portId)} master ${bridge}`,
        ],
        o,
      )
      await this.#switch.add(this.#bridgeOf(port.plug), outer, port, o)
    },
    unplug: async ({ portId }, o) => {
      await this.#switch.remove(switchEnd(portId), o)
      await this.#links.remove(filterEnd(portId), o)
      await this.#links.remove(filterBridge(portId), o)
    },
  }

  #bridgeOf({ bridge }: HostPort['plug']): string {
    const name = bridge ?? this.#ovsBridge
    if (!INTERFACE_NAME.test(name)) throw new SystemFault('network.bad_bridge', `'${name.slice(0, 80)}' is no bridge`)
    return name
  }
}

interface Way {
  plug(port: HostPort, o: CallOptions): Promise<void>
  unplug(port: Place, o: CallOptions): Promise<void>
}

const LEFT_ALONE: Way = { plug: async () => undefined, unplug: async () => undefined }
const PLUG_BACK_MS = 5_000

function checked({ macAddress, mtu }: HostPort): { macAddress: string; mtu: number } {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(macAddress)) {
    throw new SystemFault('network.bad_mac', `'${macAddress.slice(0, 40)}' is no MAC address`)
  }
  return { macAddress, mtu }
}
