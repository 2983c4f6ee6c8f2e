import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { GroupChange, HostHoldings, NetworkDriver } from '../../orchestration/ports/drivers.ts'
import type { EngineEndpoint } from '../../orchestration/ports/engine.ts'
import type { PortData } from '../../orchestration/ports/wire.ts'

/** What a host does with networks besides ports. */
export interface HostNetworks extends NetworkDriver {
  /** Takes a network off this host. EngineConflict while a container is on it. Repeatable. */
  remove(networkId: string, o: CallOptions): Promise<void>
  /** Once per life of the agent, before anything is prepared. Repeatable. */
  restore(signal: AbortSignal): Promise<void>
  /** Absent: what it has of containers is the engine's. */
  readonly holdings?: HostHoldings
}

export interface RemoteNetworks extends HostNetworks, HostHoldings {
  knows(networkId: string): boolean
}

/** Networks of another service, beside those of the built-in one that containers were put on before there was another. */
export class NetworksByService implements HostNetworks {
  readonly #local: HostNetworks
  readonly #remote: RemoteNetworks

  constructor(local: HostNetworks, remote: RemoteNetworks) {
    this.#local = local
    this.#remote = remote
  }

  get holdings(): HostHoldings {
    return this.#remote
  }

  async bind(port: PortData, o: CallOptions): Promise<PortData> {
    return await this.#of(port).bind(port, o)
  }

  async changeGroup(port: PortData, change: GroupChange, o: CallOptions): Promise<PortData> {
    return await this.#of(port).changeGroup(port, change, o)
  }

  async prepare(port: PortData, o: CallOptions): Promise<EngineEndpoint> {
    return await this.#of(port).prepare(port, o)
  }

  async activate(port: PortData, o: CallOptions): Promise<void> {
    await this.#of(port).activate(port, o)
  }

  async release(port: PortData, o: CallOptions): Promise<void> {
    await this.#of(port).release(port, o)
  }

  forget(): void {
    this.#local.forget()
    this.#remote.forget()
  }

  async remove(networkId: string, o: CallOptions): Promise<void> {
    await (this.#remote.knows(networkId) ? this.#remote : this.#local).remove(networkId, o)
  }

  async restore(signal: AbortSignal): Promise<void> {
    await this.#local.restore(signal)
    await this.#remote.restore(signal)
  }

  /** Without addresses it is a network that is to be made by itself, and new ones are not built in. */
  #of({ remote, fixedIps }: PortData): HostNetworks {
    return remote === undefined && fixedIps.length > 0 ? this.#local : this.#remote
  }
}
