import { EngineConflict, EngineRefused, messageOf, SystemFault } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { NetworkDriver } from '../../orchestration/ports/drivers.ts'
import type { ContainerEngine, EngineEndpoint, EngineNetwork } from '../../orchestration/ports/engine.ts'
import type { PortData } from '../../orchestration/ports/wire.ts'
import type { HostCommand } from '../host-command/host-command.ts'
import { BridgeFirewall } from './bridge-firewall.ts'
import { BRIDGE_PREFIX, bridgeName, normalise, type GuardedNetwork } from './guarded-network.ts'
import { SharedWork } from './shared-work.ts'

export interface LocalBridgeNetworkDeps {
  readonly engine: Pick<ContainerEngine, 'ensureNetwork' | 'listNetworks' | 'removeNetwork' | 'list'>
  readonly command: HostCommand
  readonly log: Logger
}

/** A network without containers is removed at the start of an agent when it is older than this. */
const IDLE_AFTER_MS = 60 * 60_000

/**
 * Networks of a host without Neutron: one bridge of the engine per network, made when first needed, and shut off from
 * every other network by packet filter rules of our own. See docs/design/local-network.md.
 */
export class LocalBridgeNetwork implements NetworkDriver {
  readonly #deps: LocalBridgeNetworkDeps
  readonly #firewall: BridgeFirewall
  readonly #making = new SharedWork()
  /** Networks that are known to be there, with their rules: a prepare of one of these costs nothing. */
  #ready = new Set<string>()

  constructor(deps: LocalBridgeNetworkDeps) {
    this.#deps = deps
    this.#firewall = new BridgeFirewall(deps)
  }

  /** Addresses are given by the control plane. */
  async bind(port: PortData): Promise<PortData> {
    return port
  }

  async changeGroup(): Promise<never> {
    throw new SystemFault('network.no_groups', 'the local network service has only one security group')
  }

  async prepare(port: PortData, { signal }: CallOptions): Promise<EngineEndpoint> {
    if (!this.#ready.has(port.networkId)) await this.#making.join(port.networkId, signal, (s) => this.#make(port, s))
    const address = (version: 4 | 6): string | null =>
      port.fixedIps.find((fixed) => fixed.version === version)?.address ?? null
    return {
      network: port.networkId,
      ipv4Address: address(4),
      ipv6Address: address(6),
      macAddress: port.macAddress,
    }
  }

  /**
   * Nothing to give up: the engine frees the address with the container, and the network stays. Removing it here could
   * take it from under a create that has prepared it and not yet used it, or from a stopped container, and would make the
   * next container of the project wait for a new one. Idle ones go in `restore`.
   */
  async release(): Promise<void> {}

  /** Nobody else has to do anything for it. */
  async activate(): Promise<void> {}

  forget(): void {
    // A new set: what is being made right now was perhaps looked at before it vanished, and lands in the old one.
    this.#ready = new Set()
    this.#making.cutOff()
  }

  /**
   * Once per life of the agent, before anything is prepared: puts back every rule that a reboot or a person has taken
   * away, and removes networks that nothing uses. Repeatable. Throws only when the engine does not answer; a host that
   * cannot filter is logged here, and refuses in `prepare`.
   */
  async restore(signal: AbortSignal): Promise<void> {
    const { engine, log } = this.#deps
    // Without entries every bridge of ours is shut, so this comes first, whether the engine answers or not.
    if (!(await this.#guardOrLog([], signal))) return
    const ours = (await engine.listNetworks({ signal })).filter((n) => n.bridge?.startsWith(BRIDGE_PREFIX) === true)
    await this.#guardOrLog(ours.map(toGuarded), signal)
    const used = new Set((await engine.list({ signal })).flatMap((container) => container.networks))
    for (const network of ours) {
      const ageMs = Date.now() - (network.createdAtMs ?? Date.now())
      if (used.has(network.name) || network.containers.length > 0 || ageMs < IDLE_AFTER_MS) continue
      await this.remove(network.name, { signal }).catch((error: unknown) => {
        log.warn({ networkId: network.name, err: error }, 'an idle network was not removed')
      })
    }
  }

  /** Takes a network off this host. EngineConflict while a running container is on it. Repeatable. */
  async remove(networkId: string, { signal }: CallOptions): Promise<void> {
    this.#ready.delete(networkId)
    await this.#deps.engine.removeNetwork(networkId, { signal })
    // Only now: while the bridge stands its rules stand.
    await this.#firewall.forget(bridgeName(networkId), { signal })
    this.#deps.log.info({ networkId }, 'network removed from this host')
  }

  async #make(port: PortData, signal: AbortSignal): Promise<void> {
    const ready = this.#ready
    const wanted: GuardedNetwork = { bridge: bridgeName(port.networkId), subnets: normalise(port.subnets) }
    // The rules first, so that there is no moment at which the bridge is there without them.
    await this.#firewall.guard([wanted], { signal })
    const made = await this.#ensure(port, wanted, signal)
    requireSame(made, wanted)
    ready.add(port.networkId)
  }

  async #ensure(port: PortData, wanted: GuardedNetwork, signal: AbortSignal): Promise<EngineNetwork> {
    const { networkId, networkName, projectId } = port
    try {
      return await this.#deps.engine.ensureNetwork(
        { name: networkId, projectId, displayName: networkName, subnets: wanted.subnets, bridge: wanted.bridge },
        { signal },
      )
    } catch (error) {
      // Not the user's doing: the subnets were ours to choose.
      if (!(error instanceof EngineRefused || error instanceof EngineConflict)) throw error
      const cidrs = wanted.subnets.map((subnet) => subnet.cidr).join(', ')
      throw new SystemFault(
        'network.not_made',
        `network ${networkName} (${cidrs}) cannot be made on this host: ${error.message}`,
        { cause: error },
      )
    }
  }

  async #guardOrLog(networks: readonly GuardedNetwork[], signal: AbortSignal): Promise<boolean> {
    try {
      await this.#firewall.guard(networks, { signal })
      return true
    } catch (error) {
      signal.throwIfAborted()
      this.#deps.log.error({ err: error, networks: networks.length }, `networks are not guarded: ${messageOf(error)}`)
      return false
    }
  }
}

function toGuarded(network: EngineNetwork): GuardedNetwork {
  return { bridge: network.bridge ?? bridgeName(network.name), subnets: normalise(network.subnets ?? []) }
}

/** One with our name that was made otherwise would be outside of the rules. */
function requireSame(made: EngineNetwork, wanted: GuardedNetwork): void {
  const cidrs = (network: GuardedNetwork): string => network.subnets.map((subnet) => subnet.cidr).join(', ')
  const bridge = made.bridge ?? wanted.bridge
  const seen = { bridge, subnets: normalise(made.subnets ?? wanted.subnets) }
  if (bridge === wanted.bridge && cidrs(seen) === cidrs(wanted)) return
  throw new SystemFault(
    'network.made_otherwise',
    `the engine has a network ${made.name} on ${bridge} (${cidrs(seen)}) where ${wanted.bridge} (${cidrs(wanted)}) is wanted; remove it`,
  )
}
