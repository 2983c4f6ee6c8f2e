import { EngineConflict, EngineNotFound, EngineRefused } from '../../domain/errors.ts'
import type { EngineEndpoint, EngineNetwork, EngineNetworkRequest } from '../../orchestration/ports/engine.ts'

interface SimNetwork {
  readonly request: EngineNetworkRequest
  readonly engineId: string
  /** Endpoints in use, by container uuid. A container that does not run has none. */
  readonly endpoints: Map<string, EngineEndpoint>
}

/** The engine's networks and who is on them. */
export class SimNetworks {
  readonly #networks = new Map<string, SimNetwork>()

  ensure(request: EngineNetworkRequest, engineId: string): EngineNetwork {
    if (!this.#networks.has(request.name)) {
      const taken = new Set([...this.#networks.values()].flatMap((n) => n.request.subnets.map((s) => s.cidr)))
      if (request.subnets.some((subnet) => taken.has(subnet.cidr))) {
        throw new EngineRefused('Pool overlaps with other one on this address space')
      }
      this.#networks.set(request.name, { request, engineId, endpoints: new Map() })
    }
    return toEngineNetwork(this.#require(request.name))
  }

  find(name: string): EngineNetwork | undefined {
    const found = this.#networks.get(name)
    return found === undefined ? undefined : toEngineNetwork(found)
  }

  list(): EngineNetwork[] {
    return [...this.#networks.values()].map(toEngineNetwork)
  }

  remove(name: string): void {
    const found = this.#networks.get(name)
    if (found === undefined) return
    if (found.endpoints.size > 0) throw new EngineConflict(`network ${name} has active endpoints`)
    this.#networks.delete(name)
  }

  require(name: string): void {
    this.#require(name)
  }

  /** Takes the addresses of the endpoint into use. */
  join(containerUuid: string, endpoint: EngineEndpoint): void {
    const network = this.#require(endpoint.network)
    for (const [other, used] of network.endpoints) {
      if (other !== containerUuid && shareAddress(used, endpoint)) throw new EngineRefused('Address already in use')
    }
    network.endpoints.set(containerUuid, endpoint)
  }

  leave(containerUuid: string, name: string): void {
    this.#networks.get(name)?.endpoints.delete(containerUuid)
  }

  #require(name: string): SimNetwork {
    const found = this.#networks.get(name)
    if (found === undefined) throw new EngineNotFound(`network ${name} not found`)
    return found
  }
}

function shareAddress(a: EngineEndpoint, b: EngineEndpoint): boolean {
  return (
    (a.ipv4Address !== null && a.ipv4Address === b.ipv4Address) ||
    (a.ipv6Address !== null && a.ipv6Address === b.ipv6Address)
  )
}

function toEngineNetwork({ request, engineId, endpoints }: SimNetwork): EngineNetwork {
  return { name: request.name, engineId, containers: [...endpoints.keys()].map((uuid) => `zun-${uuid}`) }
}
