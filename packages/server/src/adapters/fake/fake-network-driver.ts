import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { GroupChange, NetworkDriver } from '../../orchestration/ports/drivers.ts'
import type { ContainerEngine, EngineEndpoint } from '../../orchestration/ports/engine.ts'
import type { PortData } from '../../orchestration/ports/wire.ts'
import type { FakeHost } from './fake-host.ts'
import type { SimEngine } from './sim-engine.ts'

/** Networks are engine networks; what the host holds for a port are its addresses. */
export class FakeNetworkDriver implements NetworkDriver {
  readonly #deps: FakeNetworkDeps

  constructor(deps: FakeNetworkDeps) {
    this.#deps = deps
  }

  async bind(port: PortData, { signal }: CallOptions): Promise<PortData> {
    signal.throwIfAborted()
    return port.remote === undefined ? port : this.#deps.host.ports.bind(port, port.remote)
  }

  async changeGroup(port: PortData, change: GroupChange, { signal }: CallOptions): Promise<PortData> {
    signal.throwIfAborted()
    this.#deps.host.ports.changeGroup(port, change)
    return port
  }

  async prepare(port: PortData, o: CallOptions): Promise<EngineEndpoint> {
    const { networkId, networkName, projectId, subnets, fixedIps, macAddress } = port
    await this.#deps.engine.ensureNetwork({ name: networkId, projectId, displayName: networkName, subnets }, o)
    this.#deps.host.takeAddresses(port)
    return {
      network: networkId,
      ipv4Address: fixedIps.find((ip) => ip.version === 4)?.address ?? null,
      ipv6Address: fixedIps.find((ip) => ip.version === 6)?.address ?? null,
      macAddress,
    }
  }

  async activate(_port: PortData, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted()
  }

  async release(port: PortData, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted()
    const { host, sim } = this.#deps
    host.giveAddresses(port, sim)
    if (port.remote === undefined) return
    await host.requireCloud()
    host.ports.release(port)
  }

  forget(): void {}
}

export interface FakeNetworkDeps {
  /** As the agent reaches it. */
  readonly engine: ContainerEngine
  /** The same engine, as the test sees it. */
  readonly sim: SimEngine
  readonly host: FakeHost
}
