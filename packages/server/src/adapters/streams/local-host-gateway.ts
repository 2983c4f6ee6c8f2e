import { ApiError, Conflict, EngineConflict, EngineNotFound, Unavailable } from '../../domain/errors.ts'
import { ABSENT } from '../../domain/container/status.ts'
import type { HostGateway, NetworkPlace, TtySize } from '../../app/ports/host-gateway.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ImageDriver, ImageRequest, NetworkDriver } from '../../orchestration/ports/drivers.ts'
import type { ContainerEngine, ExecRequest, LogsRequest } from '../../orchestration/ports/engine.ts'

export interface LocalHost {
  readonly name: string
  readonly engine: ContainerEngine
  readonly images: Pick<ImageDriver, 'find'>
  readonly networks: Pick<NetworkDriver, 'prepare'> & {
    remove(networkId: string, o: CallOptions): Promise<void>
  }
  /** What is wrong with the engine at the moment; null: it answers. Asked first, so that nobody waits for a deadline. */
  readonly trouble: () => string | null
}

/** The one host of this very process. */
export class LocalHostGateway implements HostGateway {
  readonly #host: LocalHost

  constructor(host: LocalHost) {
    this.#host = host
  }

  #engine(host: string): ContainerEngine {
    const { name, engine, trouble } = this.#host
    // The texts reach tenants, who are not told the names of hosts.
    if (host !== name) throw new Unavailable('The host of the container cannot be reached.', { retryAfterS: 30 })
    if (trouble() !== null) {
      throw new Unavailable('The container engine of the host does not answer.', { retryAfterS: 10 })
    }
    return engine
  }

  async observe(host: string, containerUuid: string, o: CallOptions) {
    return (await this.#engine(host).inspect(containerUuid, o))?.seen ?? ABSENT
  }

  async logs(host: string, containerUuid: string, request: LogsRequest, o: CallOptions) {
    return await this.#engine(host).logs(containerUuid, request, o)
  }

  async top(host: string, containerUuid: string, psArgs: string | null, o: CallOptions) {
    return await this.#engine(host).top(containerUuid, psArgs, o)
  }

  async stats(host: string, containerUuid: string, o: CallOptions) {
    return await this.#engine(host).stats(containerUuid, o)
  }

  async resizeTty(host: string, containerUuid: string, size: TtySize, o: CallOptions) {
    await this.#engine(host).resizeTty(containerUuid, size, o)
  }

  async execute(
    host: string,
    containerUuid: string,
    request: ExecRequest & { timeoutMs: number; maxBytes: number },
    { signal }: CallOptions,
  ) {
    const engine = this.#engine(host)
    const { timeoutMs, maxBytes, ...exec } = request
    const deadline = AbortSignal.timeout(timeoutMs)
    const o = { signal: AbortSignal.any([signal, deadline]) }
    try {
      const execId = await engine.createExec(containerUuid, exec, o)
      return await engine.runExec(execId, maxBytes, o)
    } catch (error) {
      if (!deadline.aborted || signal.aborted) throw error
      throw new ApiError(409, 'conflict', `The command did not end within ${timeoutMs / 1000} seconds.`)
    }
  }

  async createExec(host: string, containerUuid: string, request: ExecRequest, o: CallOptions) {
    return await this.#engine(host).createExec(containerUuid, request, o)
  }

  async resizeExec(host: string, containerUuid: string, execId: string, size: TtySize, o: CallOptions) {
    await this.#engine(host).resizeExec(containerUuid, execId, size, o)
  }

  async getArchive(host: string, containerUuid: string, path: string, maxBytes: number, o: CallOptions) {
    const { stat, tar } = await this.#engine(host).getArchive(containerUuid, path, o)
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of tar) {
      size += chunk.length
      if (size > maxBytes) {
        throw new ApiError(413, 'request-too-large', `The archive of ${path} has more than ${maxBytes} bytes.`)
      }
      chunks.push(chunk)
    }
    return { stat, tar: Buffer.concat(chunks) }
  }

  async putArchive(host: string, containerUuid: string, path: string, tar: Buffer, o: CallOptions) {
    const engine = this.#engine(host)
    if ((await engine.inspect(containerUuid, o)) === undefined) {
      throw new EngineNotFound(`No such container: ${containerUuid}`)
    }
    await engine.putArchive(containerUuid, path, once(tar), o)
  }

  async searchImages(host: string, term: string, o: CallOptions) {
    return await this.#engine(host).searchImages(term, o)
  }

  async prepareNetwork(host: string, network: NetworkPlace, o: CallOptions) {
    const engine = this.#engine(host)
    // A port without addresses: only the network under it is wanted.
    await this.#host.networks.prepare(
      { kind: 'port', ...network, fixedIps: [], macAddress: null, preserveOnDelete: false },
      o,
    )
    const made = (await engine.listNetworks(o)).find(({ name }) => name === network.networkId)
    if (made === undefined) throw new Unavailable('The network was removed as it was made.', { retryAfterS: 1 })
    return made.engineId
  }

  async removeNetwork(host: string, networkId: string, o: CallOptions) {
    const engine = this.#engine(host)
    if (!(await engine.listNetworks(o)).some(({ name }) => name === networkId)) return false
    try {
      await this.#host.networks.remove(networkId, o)
    } catch (error) {
      if (error instanceof EngineConflict) throw new Conflict(`Network ${networkId} is in use.`)
      throw error
    }
    return true
  }

  async findImage(host: string, request: ImageRequest, o: CallOptions) {
    this.#engine(host)
    return await this.#host.images.find(request, o)
  }
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
