import { EngineConflict, messageOf, SystemFault } from '../../../domain/errors.ts'
import type { Clock, Logger } from '../../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { GroupChange } from '../../../orchestration/ports/drivers.ts'
import type { ContainerEngine, EngineEndpoint } from '../../../orchestration/ports/engine.ts'
import type { HostPort, HostPorts, PortPlugger } from '../../../orchestration/ports/host-ports.ts'
import type { PortData } from '../../../orchestration/ports/wire.ts'
import type { RemoteNetworks } from '../networks-by-service.ts'
import { ActivePorts } from './active-ports.ts'
import { subnetOf } from './addresses.ts'
import { EngineNetworks } from './engine-networks.ts'
import type { LateJoins } from './late-joins.ts'
import type { NeutronClient } from './neutron-client.ts'
import { PortBinder, remoteOf } from './port-binder.ts'

export interface NeutronNetworksDeps {
  readonly engine: ContainerEngine
  readonly neutron: NeutronClient
  readonly ports: HostPorts
  readonly plugger: PortPlugger
  readonly lateJoins: LateJoins
  readonly host: string
  /** [network] driver_name */
  readonly driver: string
  readonly clock: Clock
  /** [zund] port_active_timeout, in milliseconds. 0: ports are not waited for. */
  readonly activeTimeoutMs: number
  /** [zund] port_active_required */
  readonly activeRequired: boolean
  readonly log: Logger
}

/** Where a network service does not tell. */
const USUAL_MTU = 1500

/**
 * Networks of Neutron. The engine knows them by our plugin (edge/libnetwork), which works with what is written down here
 * before the engine is asked for anything. See docs/design/neutron.md.
 */
export class NeutronNetworks implements RemoteNetworks {
  readonly #deps: NeutronNetworksDeps
  readonly #binder: PortBinder
  readonly #networks: EngineNetworks
  readonly #active: ActivePorts

  constructor(deps: NeutronNetworksDeps) {
    this.#deps = deps
    this.#binder = new PortBinder(deps)
    this.#networks = new EngineNetworks(deps)
    this.#active = new ActivePorts(deps)
  }

  async bind(port: PortData, o: CallOptions): Promise<PortData> {
    const bound = await this.#binder.bind(port, o)
    this.#tellUnused(bound.port)
    const subnets = bound.subnets.map(subnetOf)
    this.#deps.ports.putPort(hostPortOf(bound.port))
    this.#deps.ports.putNetwork({ networkId: port.networkId, subnets })
    return bound.port
  }

  async changeGroup(port: PortData, change: GroupChange, o: CallOptions): Promise<PortData> {
    return await this.#binder.changeGroup(port, change, o)
  }

  async prepare(port: PortData, o: CallOptions): Promise<EngineEndpoint> {
    // Without addresses it is no port, and only the network under it is wanted.
    if (port.fixedIps.length > 0) this.#deps.ports.putPort(hostPortOf(port))
    await this.#networks.ensure(port, o)
    return {
      network: port.networkId,
      ipv4Address: firstAddress(port, 4),
      ipv6Address: firstAddress(port, 6),
      macAddress: port.macAddress,
      dnsServers: [...new Set(port.subnets.flatMap(({ dnsServers = [] }) => dnsServers))],
    }
  }

  async activate(port: PortData, o: CallOptions): Promise<void> {
    const known = hostPortOf(port)
    this.#deps.ports.putPort(known)
    const revision = await this.#active.revisionOf(known.portId, o)
    const isNew = await this.#deps.plugger.plugAhead(known, o)
    await this.#active.wait(known.portId, o, { revision: isNew ? revision : null })
  }

  async release(port: PortData, o: CallOptions): Promise<void> {
    const { deviceId } = remoteOf(port)
    await this.#unplug((known) => known.containerUuid === deviceId && known.networkId === port.networkId, o)
    try {
      await this.#binder.release(port, o)
    } finally {
      // What is of this host goes, also when Neutron is away.
      await this.#tidy(port.networkId, o)
    }
  }

  async holders(): Promise<readonly string[]> {
    return this.#deps.ports.ports().map(({ containerUuid }) => containerUuid)
  }

  /** Its ports are given back by their records. */
  async abandon(holder: string, o: CallOptions): Promise<void> {
    const left = await this.#unplug(({ containerUuid }) => containerUuid === holder, o)
    for (const { networkId } of left) await this.#tidy(networkId, o)
  }

  knows(networkId: string): boolean {
    return this.#deps.ports.network(networkId) !== undefined
  }

  forget(): void {
    this.#networks.forget()
  }

  /** Takes a network off this host. EngineConflict while a container is on it, running or not. */
  async remove(networkId: string, o: CallOptions): Promise<void> {
    const users = this.#deps.ports.ports().filter((port) => port.networkId === networkId)
    if (users.length > 0) throw new EngineConflict(`network ${networkId} has ${users.length} ports on this host`)
    await this.#networks.remove(networkId, o)
  }

  /** Once per life of the agent, before anything is prepared. Repeatable. */
  async restore(signal: AbortSignal): Promise<void> {
    const { plugger, ports, lateJoins, clock, log } = this.#deps
    lateJoins.begin({ active: this.#active, plugger, clock, log }, signal)
    await this.#networks.restore({ signal })
    // An earlier life may have ended in between.
    for (const port of ports.ports()) if (await plugger.isKeptOut(port, { signal })) lateJoins.take(port)
  }

  async #unplug(isMeant: (port: HostPort) => boolean, o: CallOptions): Promise<readonly HostPort[]> {
    const { ports, plugger } = this.#deps
    const meant = ports.ports().filter(isMeant)
    for (const known of meant) {
      // The engine has done it, unless it was killed in between.
      await plugger.unplug(known, o)
      ports.forgetPort(known.portId)
    }
    return meant
  }

  #tellUnused(port: PortData): void {
    const unused = port.fixedIps.filter(({ address, version }) => firstAddress(port, version) !== address)
    if (unused.length === 0) return
    const addresses = unused.map(({ address }) => address)
    const about = { portId: port.remote?.portId, containerId: port.remote?.deviceId, addresses }
    this.#deps.log.warn(about, 'addresses of a port are not on its interface: the engine sets one of each family')
  }

  /** That it stays costs nothing but its being there: the next one that leaves tries again. */
  async #tidy(networkId: string, o: CallOptions): Promise<void> {
    try {
      await this.#networks.removeIfUnused(networkId, o)
    } catch (error) {
      o.signal.throwIfAborted()
      this.#deps.log.warn({ networkId, err: error }, `a network without ports was not removed: ${messageOf(error)}`)
    }
  }
}

function firstAddress({ fixedIps }: PortData, version: 4 | 6): string | null {
  return fixedIps.find((fixed) => fixed.version === version)?.address ?? null
}

function hostPortOf(port: PortData): HostPort {
  const remote = remoteOf(port)
  if (remote.portId === null || remote.plug === null || port.macAddress === null) {
    throw new SystemFault('network.not_bound', `there is no port yet for the container on network ${port.networkName}`)
  }
  return {
    portId: remote.portId,
    networkId: port.networkId,
    containerUuid: remote.deviceId,
    macAddress: port.macAddress,
    mtu: remote.mtu ?? USUAL_MTU,
    addresses: port.fixedIps,
    subnets: port.subnets,
    plug: remote.plug,
  }
}
