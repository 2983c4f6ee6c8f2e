import { SystemFault } from '../../../domain/errors.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { ContainerEngine, EngineNetwork } from '../../../orchestration/ports/engine.ts'
import type { HostPorts } from '../../../orchestration/ports/host-ports.ts'
import type { PortData, Subnet } from '../../../orchestration/ports/wire.ts'

export interface EngineNetworksDeps {
  readonly engine: Pick<ContainerEngine, 'ensureNetwork' | 'inspectNetwork' | 'listNetworks' | 'removeNetwork' | 'list'>
  readonly ports: HostPorts
  /** [network] driver_name: the name of our plugin with the engine. */
  readonly driver: string
  readonly log: Logger
}

type Network = Pick<PortData, 'networkId' | 'networkName' | 'projectId' | 'subnets' | 'remote'>

/**
 * The engine's side of networks of the network service: one each, made when the first container of this host needs it, and
 * taken away when the last port of it has left the host.
 */
export class EngineNetworks {
  readonly #deps: EngineNetworksDeps
  /** One network is made or removed by one at a time. */
  readonly #turns = new TurnByKey()
  /** Known to be there, with these subnets. */
  #ready = new Map<string, ReadonlySet<string>>()

  constructor(deps: EngineNetworksDeps) {
    this.#deps = deps
  }

  forget(): void {
    this.#ready = new Map()
  }

  async ensure(network: Network, o: CallOptions): Promise<void> {
    if (this.#isReady(network)) return
    await this.#turns.run(network.networkId, o.signal, async () => {
      if (!this.#isReady(network)) await this.#make(network, o)
    })
  }

  /** When no port of it is on this host any more. Whoever comes next has written down their port before they ask for it. */
  async removeIfUnused(networkId: string, o: CallOptions): Promise<void> {
    await this.#turns.run(networkId, o.signal, async () => {
      const { engine, ports } = this.#deps
      if (ports.ports().some((port) => port.networkId === networkId)) return
      // One that an earlier plugin has made may have containers that we know nothing of.
      if (!(await engine.listNetworks(o)).some(({ name }) => name === networkId)) return
      await this.#remove(networkId, o)
    })
  }

  /** EngineConflict while a container is on it. */
  async remove(networkId: string, o: CallOptions): Promise<void> {
    await this.#turns.run(networkId, o.signal, async () => await this.#remove(networkId, o))
  }

  /** What the engine has of us: the plugin must know it, also that of an earlier installation. */
  async restore(o: CallOptions): Promise<void> {
    const { engine, ports, driver } = this.#deps
    for (const found of await engine.listNetworks(o)) {
      if (found.driver !== driver) continue
      ports.putEngineNetwork(found.engineId, found.name)
      await this.removeIfUnused(found.name, o)
    }
  }

  #isReady({ networkId, subnets }: Network): boolean {
    const known = this.#ready.get(networkId)
    return known !== undefined && subnets.every(({ id }) => known.has(id))
  }

  async #make(network: Network, o: CallOptions): Promise<void> {
    const { engine, ports } = this.#deps
    const ready = this.#ready
    const { networkId } = network
    const known = ports.network(networkId)?.subnets ?? []
    const subnets = [...network.subnets, ...known.filter(({ id }) => !network.subnets.some((s) => s.id === id))]
    ports.putNetwork({ networkId, subnets })
    let made = await this.#ask(network, subnets, o)
    const lacking = network.subnets.find((subnet) => !has(made, subnet))
    if (lacking !== undefined) {
      // The network has got a subnet since; the engine's can only be made anew.
      await this.#requireUnused(network, lacking, o)
      await engine.removeNetwork(networkId, o)
      made = await this.#ask(network, subnets, o)
    }
    ports.putEngineNetwork(made.engineId, networkId)
    ready.set(networkId, new Set(subnets.map(({ id }) => id)))
  }

  async #ask(network: Network, subnets: readonly Subnet[], o: CallOptions): Promise<EngineNetwork> {
    const { driver } = this.#deps
    const { networkId, networkName, projectId, remote } = network
    const options = {
      'neutron.net.uuid': networkId,
      // Nothing here reads it; kuryr-libnetwork refuses networks where it is not as Neutron has it.
      ...(remote === undefined ? {} : { 'neutron.net.shared': remote.shared ? 'True' : 'False' }),
      ...named('neutron.subnet.uuid', subnets, 4),
      ...named('neutron.subnet.v6.uuid', subnets, 6),
    }
    const made = await this.#deps.engine.ensureNetwork(
      { name: networkId, projectId, displayName: networkName, subnets, plugin: { driver, options } },
      o,
    )
    if (made.driver === undefined || made.driver === driver) return made
    throw new SystemFault(
      'network.made_otherwise',
      `the engine has a network ${networkId} of the driver ${made.driver} where ${driver} is wanted; remove it`,
    )
  }

  async #requireUnused({ networkId, networkName }: Network, { cidr }: Subnet, o: CallOptions): Promise<void> {
    const users = (await this.#deps.engine.list(o)).filter(({ networks }) => networks.includes(networkId))
    if (users.length === 0) return
    throw new SystemFault(
      'network.changed',
      `network ${networkName} has got the subnet ${cidr} since the first container of this host was put on it; ` +
        `${users.length} containers here have to leave it before a container can have an address of that subnet`,
    )
  }

  async #remove(networkId: string, o: CallOptions): Promise<void> {
    const { engine, ports, log } = this.#deps
    this.#ready.delete(networkId)
    await engine.removeNetwork(networkId, o)
    ports.forgetNetwork(networkId)
    log.info({ networkId }, 'network removed from this host')
  }
}

function has({ subnets = [] }: EngineNetwork, wanted: Subnet): boolean {
  return subnets.length === 0 || subnets.some(({ cidr }) => cidr.toLowerCase() === wanted.cidr.toLowerCase())
}

function named(option: string, subnets: readonly Subnet[], version: 4 | 6): Record<string, string> {
  const first = subnets.find((subnet) => subnet.version === version)
  return first === undefined ? {} : { [option]: first.id }
}
