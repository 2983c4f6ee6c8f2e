import { EngineConflict, EngineNotFound, EngineRefused, HostLacks, messageOf } from '../../domain/errors.ts'
import type {
  EngineCallOptions,
  EngineEndpoint,
  EngineNetwork,
  EngineNetworkRequest,
} from '../../orchestration/ports/engine.ts'
import { endpointConfig, LABEL_DEPLOYMENT, LABEL_NETWORK, LABEL_PROJECT } from './create-body.ts'
import { atLeast, type EngineHttp } from './http-client.ts'

/** Option of the bridge driver: the interface's name on the host. */
const BRIDGE_NAME = 'com.docker.network.bridge.name'

/** The engine's calls on networks of one deployment. */
export class NetworkCalls {
  readonly #http: EngineHttp
  readonly #deployment: string
  /** Networks that are being made, by name. */
  readonly #ensuring = new Map<string, Promise<void>>()

  constructor(http: EngineHttp, deployment: string) {
    this.#http = http
    this.#deployment = deployment
  }

  async inspect(name: string, { signal }: EngineCallOptions): Promise<EngineNetwork | undefined> {
    try {
      const path = `/networks/${encodeURIComponent(name)}`
      return toNetwork(await this.#http.json<NetworkAnswer>({ method: 'GET', path, signal }))
    } catch (error) {
      if (error instanceof EngineNotFound) return undefined
      throw error
    }
  }

  async ensure(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork> {
    // Of two creates at once the engine refuses one for its subnet, before the other can be seen: one after the other.
    const turn = this.#ensuring.get(request.name) ?? Promise.resolve()
    const mine = turn.then(() => this.#ensureNow(request, o))
    const over = mine.then(
      () => undefined,
      () => undefined,
    )
    this.#ensuring.set(request.name, over)
    try {
      return await mine
    } finally {
      if (this.#ensuring.get(request.name) === over) this.#ensuring.delete(request.name)
    }
  }

  async #ensureNow(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork> {
    const there = await this.inspect(request.name, o)
    if (there !== undefined) return there
    try {
      await this.#http.buffer({
        method: 'POST',
        path: '/networks/create',
        json: (version: string) => ({
          Name: request.name,
          CheckDuplicate: true,
          Driver: request.plugin?.driver ?? 'bridge',
          ...familiesOf(request, version),
          IPAM: {
            Driver: request.plugin?.driver ?? 'default',
            ...(request.plugin === undefined ? {} : { Options: request.plugin.options }),
            Config: request.subnets.map((subnet) => ({
              Subnet: subnet.cidr,
              ...(subnet.gateway === null ? {} : { Gateway: subnet.gateway }),
            })),
          },
          Options: {
            ...request.plugin?.options,
            ...(request.bridge === undefined ? {} : { [BRIDGE_NAME]: request.bridge }),
          },
          Labels: {
            [LABEL_DEPLOYMENT]: this.#deployment,
            [LABEL_NETWORK]: request.name,
            [LABEL_PROJECT]: request.projectId,
          },
        }),
        signal: o.signal,
      })
    } catch (error) {
      // Somebody else made it between the look and the create.
      const now = error instanceof EngineConflict ? await this.inspect(request.name, o) : undefined
      if (now === undefined) throw error
    }
    const made = await this.inspect(request.name, o)
    if (made === undefined) throw new EngineRefused(`network ${request.name} vanished as it was made`)
    return made
  }

  async remove(name: string, { signal }: EngineCallOptions): Promise<void> {
    try {
      await this.#http.buffer({ method: 'DELETE', path: `/networks/${encodeURIComponent(name)}`, signal })
    } catch (error) {
      if (error instanceof EngineNotFound) return
      // The engine answers 403 while something is connected.
      if (error instanceof EngineRefused && /active endpoints/i.test(error.message)) {
        throw new EngineConflict(error.message)
      }
      throw error
    }
  }

  async list({ signal }: EngineCallOptions): Promise<EngineNetwork[]> {
    const filters = JSON.stringify({ label: [LABEL_NETWORK, `${LABEL_DEPLOYMENT}=${this.#deployment}`] })
    const query = { filters }
    return (await this.#http.json<NetworkAnswer[]>({ method: 'GET', path: '/networks', query, signal })).map(toNetwork)
  }

  async connect(containerUuid: string, endpoint: EngineEndpoint, o: EngineCallOptions): Promise<void> {
    try {
      await this.#http.buffer({
        method: 'POST',
        path: `/networks/${encodeURIComponent(endpoint.network)}/connect`,
        json: (version: string) => ({
          Container: `zun-${containerUuid}`,
          EndpointConfig: endpointConfig(endpoint, version),
        }),
        signal: o.signal,
      })
    } catch (error) {
      if (/already exists in network/i.test(messageOf(error))) return
      // The engine keeps the network in the container's configuration although it could not connect, and the next
      // start would fail for it.
      if (error instanceof EngineRefused) await this.disconnect(containerUuid, endpoint.network, o)
      throw error
    }
  }

  async disconnect(containerUuid: string, network: string, { signal }: EngineCallOptions): Promise<void> {
    try {
      await this.#http.buffer({
        method: 'POST',
        path: `/networks/${encodeURIComponent(network)}/disconnect`,
        json: { Container: `zun-${containerUuid}`, Force: true },
        signal,
      })
    } catch (error) {
      if (!(error instanceof EngineNotFound) && !/is not connected/i.test(messageOf(error))) throw error
    }
  }
}

/** Older engines give every network IPv4, whether there is a subnet for it or not. */
function familiesOf({ subnets, displayName }: EngineNetworkRequest, apiVersion: string) {
  const [v4, v6] = [4, 6].map((version) => subnets.some((subnet) => subnet.version === version))
  if (v4 === true || subnets.length === 0) return { EnableIPv6: v6 === true }
  if (!atLeast(apiVersion, 1, 48)) {
    throw new HostLacks(`Network ${displayName} has no IPv4 subnet, which the container engine of the host needs.`)
  }
  return { EnableIPv4: false, EnableIPv6: true }
}

interface NetworkAnswer {
  readonly Name: string
  readonly Driver?: string
  readonly Id: string
  readonly Created?: string
  readonly Options?: Record<string, string> | null
  readonly IPAM?: { readonly Config?: { readonly Subnet?: string; readonly Gateway?: string }[] | null } | null
  readonly Containers?: Record<string, { readonly Name?: string }> | null
}

function toNetwork(answer: NetworkAnswer): EngineNetwork {
  const bridge = answer.Options?.[BRIDGE_NAME]
  const createdAtMs = Date.parse(answer.Created ?? '')
  return {
    name: answer.Name,
    engineId: answer.Id,
    containers: Object.values(answer.Containers ?? {}).map((container) => container.Name ?? ''),
    subnets: (answer.IPAM?.Config ?? []).flatMap(({ Subnet = '', Gateway = '' }) =>
      Subnet === '' ? [] : [{ cidr: Subnet, gateway: gatewayOf(Gateway), version: Subnet.includes(':') ? 6 : 4 }],
    ),
    ...(bridge === undefined ? {} : { bridge }),
    ...(answer.Driver === undefined ? {} : { driver: answer.Driver }),
    ...(Number.isNaN(createdAtMs) ? {} : { createdAtMs }),
  }
}

/** Some engines write it with the prefix length of its subnet. */
function gatewayOf(text: string): string | null {
  return text === '' ? null : (text.split('/')[0] ?? null)
}
