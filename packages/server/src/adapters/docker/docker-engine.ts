import {
  EngineConflict,
  EngineNotFound,
  EngineRefused,
  HostLacks,
  EngineUnavailable,
  messageOf,
} from '../../domain/errors.ts'
import type {
  ContainerEngine,
  EngineCallOptions,
  EngineContainer,
  EngineCreateRequest,
  EngineEndpoint,
  EngineEvent,
  EngineImage,
  EngineInfo,
  EngineNetwork,
  EngineNetworkRequest,
  EngineUpdate,
  ExecRequest,
  ExecResult,
  ImageSearchResult,
  LogsRequest,
  PathStat,
  PullProgress,
  StatsSample,
} from '../../orchestration/ports/engine.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import {
  cpusetFields,
  cpuShares,
  createBody,
  LABEL_CONTAINER,
  LABEL_DEPLOYMENT,
  type Hardening,
} from './create-body.ts'
import { pastEvents, toEvent } from './events.ts'
import { collectOutput } from './frames.ts'
import { EngineHttp } from './http-client.ts'
import { ImageCalls } from './image-calls.ts'
import { toEngineInfo, type InfoAnswer } from './info.ts'
import { jsonLines } from './json-lines.ts'
import { NetworkCalls } from './network-calls.ts'
import { toEngineContainer, type InspectAnswer } from './observation.ts'
import { toStatsSample, type StatsAnswer } from './stats.ts'

export interface DockerEngineOptions {
  /** Only a unix socket: the engine's TCP port gives root on the host to whoever reaches it. */
  readonly socketPath: string
  /** Deadline of one call in milliseconds; stop and restart add their own timeout. */
  readonly callTimeoutMs: number
  /** A pull that says nothing for so long is given up. */
  readonly pullStallMs: number
  readonly hardening: Hardening
  /** MiB of memory and swap together, given with a new memory limit; default -1, which is no limit. */
  readonly memorySwapMiB?: number
  /** Id of the deployment whose containers and networks are driven; others on the same engine are never touched. */
  readonly deployment: string
}

/** The engine's default for stop and restart, in seconds. */
const DEFAULT_STOP_S = 10
/** An exec whose output was cut has so long to end and leave its exit code. */
const DRAIN_MS = 1_000
const MIB = 1024 * 1024

/** Refusals that are about the host, and not about the request. */
const LACKING = /unknown (or invalid )?runtime|Requested (CPUs|memory nodes) are not available/i

export class DockerEngine implements ContainerEngine {
  readonly #options: DockerEngineOptions
  readonly #http: EngineHttp
  /** Label filter for objects of this deployment. */
  readonly #mine: string
  readonly #images: ImageCalls
  readonly #networks: NetworkCalls

  constructor(options: DockerEngineOptions) {
    this.#options = options
    this.#mine = `${LABEL_DEPLOYMENT}=${options.deployment}`
    this.#http = new EngineHttp({ socketPath: options.socketPath, timeoutMs: options.callTimeoutMs })
    this.#images = new ImageCalls(this.#http, options)
    this.#networks = new NetworkCalls(this.#http, options.deployment)
  }

  close(): void {
    this.#http.destroy()
  }

  async ping({ signal }: EngineCallOptions): Promise<void> {
    await this.#http.buffer({ method: 'GET', path: '/_ping', onNewConnection: true, signal })
  }

  async info({ signal }: EngineCallOptions): Promise<EngineInfo> {
    const answer = await this.#http.json<InfoAnswer>({ method: 'GET', path: '/info', signal })
    return toEngineInfo(answer, await this.#http.version(signal))
  }

  // --- containers -------------------------------------------------------------------------------------------------

  async list(o: EngineCallOptions): Promise<EngineContainer[]> {
    const filters = JSON.stringify({ label: [LABEL_CONTAINER, this.#mine] })
    const rows = await this.#http.json<{ Id: string; Labels?: Record<string, string> }[]>({
      method: 'GET',
      path: '/containers/json',
      query: { all: 1, filters },
      signal: o.signal,
    })
    const uuids = rows.map((row) => row.Labels?.[LABEL_CONTAINER] ?? '')
    const found: EngineContainer[] = []
    for (let i = 0; i < uuids.length; i += 16) {
      const some = await Promise.all(uuids.slice(i, i + 16).map((uuid) => this.inspect(uuid, o)))
      // One that vanished meanwhile is simply not there.
      for (const container of some) if (container !== undefined) found.push(container)
    }
    return found
  }

  async inspect(containerUuid: string, { signal }: EngineCallOptions): Promise<EngineContainer | undefined> {
    const answer = await this.#inspectRaw(containerUuid, signal)
    return answer === undefined ? undefined : toEngineContainer(answer)
  }

  async #inspectRaw(containerUuid: string, signal: AbortSignal): Promise<InspectAnswer | undefined> {
    try {
      return await this.#http.json<InspectAnswer>({ method: 'GET', path: `${pathOf(containerUuid)}/json`, signal })
    } catch (error) {
      if (error instanceof EngineNotFound) return undefined
      throw error
    }
  }

  async *events(sinceMs: number, { signal }: EngineCallOptions): AsyncIterable<EngineEvent> {
    const filters = JSON.stringify({ type: ['container'], label: [LABEL_CONTAINER, this.#mine] })
    const body = await this.#http.open({
      method: 'GET',
      path: '/events',
      query: { since: (sinceMs / 1000).toFixed(3), filters },
      signal,
    })
    // Whatever happened before this connection stood may have been missed.
    yield { kind: 'resync', containerUuid: '', action: '', atMs: sinceMs }
    try {
      for await (const line of jsonLines(body)) {
        const event = toEvent(line)
        if (event !== undefined) yield event
      }
    } catch (error) {
      signal.throwIfAborted()
      throw new EngineUnavailable(`the event stream broke: ${messageOf(error)}`, { cause: error })
    } finally {
      body.destroy()
    }
    signal.throwIfAborted()
    throw new EngineUnavailable('the engine ended the event stream')
  }

  async pastEvents(containerUuid: string, o: EngineCallOptions): Promise<EngineEvent[]> {
    return await pastEvents(this.#http, [`${LABEL_CONTAINER}=${containerUuid}`, this.#mine], o)
  }

  async create(asked: EngineCreateRequest, o: EngineCallOptions): Promise<string> {
    const request = await this.#withCommand(asked, o)
    try {
      const { Id } = await this.#http.json<{ Id: string }>({
        method: 'POST',
        path: '/containers/create',
        query: { name: request.name },
        json: (version: string) => createBody(request, this.#options.hardening, this.#options.deployment, version),
        signal: o.signal,
      })
      return Id
    } catch (error) {
      // Each storage driver has words of its own for it, but all name the option, which the user never wrote.
      if (request.diskGiB !== 0 && messageOf(error).includes('--storage-opt')) {
        throw new HostLacks('The host does not support disk quotas: a container cannot be given a disk size there.')
      }
      if (error instanceof EngineRefused && LACKING.test(error.message)) throw new HostLacks(error.message)
      if (!(error instanceof EngineConflict)) throw error
      // The name is taken: by an earlier try of ours whose answer was lost, or by another generation.
      const there = await this.inspect(request.containerUuid, o)
      if (there?.seen.generation === request.generation) return there.engineId
      throw error
    }
  }

  /** An engine forgets the image's command when an entrypoint is given without one; the API keeps it. */
  async #withCommand(request: EngineCreateRequest, o: EngineCallOptions): Promise<EngineCreateRequest> {
    if (request.entrypoint === null || request.command !== null) return request
    const image = await this.#images.inspect(request.image, o)
    return { ...request, command: image?.command ?? null }
  }

  async start(containerUuid: string, { signal }: EngineCallOptions): Promise<void> {
    await this.#act(containerUuid, 'start', {}, signal, [304])
  }

  async stop(containerUuid: string, timeoutS: number | null, { signal }: EngineCallOptions): Promise<void> {
    await this.#act(containerUuid, 'stop', timeoutS === null ? {} : { t: timeoutS }, signal, [304], timeoutS)
  }

  async restart(containerUuid: string, timeoutS: number | null, { signal }: EngineCallOptions): Promise<void> {
    await this.#act(containerUuid, 'restart', timeoutS === null ? {} : { t: timeoutS }, signal, [], timeoutS)
  }

  async pause(containerUuid: string, { signal }: EngineCallOptions): Promise<void> {
    await this.#act(containerUuid, 'pause', {}, signal)
  }

  async unpause(containerUuid: string, { signal }: EngineCallOptions): Promise<void> {
    await this.#act(containerUuid, 'unpause', {}, signal)
  }

  async kill(containerUuid: string, killSignal: string | null, { signal }: EngineCallOptions): Promise<void> {
    await this.#act(containerUuid, 'kill', killSignal === null ? {} : { signal: killSignal }, signal)
  }

  async #act(
    containerUuid: string,
    action: string,
    query: Record<string, string | number>,
    signal: AbortSignal,
    also: readonly number[] = [],
    timeoutS: number | null = 0,
  ): Promise<void> {
    await this.#http.buffer({
      method: 'POST',
      path: `${pathOf(containerUuid)}/${action}`,
      query,
      also,
      timeoutMs: this.#options.callTimeoutMs + (timeoutS ?? DEFAULT_STOP_S) * 1000,
      signal,
    })
  }

  async remove(containerUuid: string, force: boolean, o: EngineCallOptions): Promise<void> {
    const deadline = Date.now() + this.#options.callTimeoutMs
    for (;;) {
      try {
        await this.#http.buffer({
          method: 'DELETE',
          path: pathOf(containerUuid),
          query: { force: force ? 1 : 0, v: 1 },
          signal: o.signal,
        })
        return
      } catch (error) {
        if (error instanceof EngineNotFound) return
        const busy = error instanceof EngineConflict && /in progress/i.test(error.message)
        if (!busy || Date.now() > deadline) throw error
        if ((await this.inspect(containerUuid, o)) === undefined) return
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  async update(containerUuid: string, change: EngineUpdate, { signal }: EngineCallOptions): Promise<void> {
    const swap = this.#options.memorySwapMiB ?? -1
    await this.#http.buffer({
      method: 'POST',
      path: `${pathOf(containerUuid)}/update`,
      json: {
        ...(change.cpu === undefined ? {} : { CpuShares: cpuShares(change.cpu) }),
        ...(change.memoryMiB === undefined
          ? {}
          : { Memory: change.memoryMiB * MIB, MemorySwap: swap === -1 ? -1 : swap * MIB }),
        ...(change.cpuset === undefined ? {} : cpusetFields(change.cpuset)),
      },
      signal,
    })
  }

  // --- looking into containers ------------------------------------------------------------------------------------

  async logs(containerUuid: string, request: LogsRequest, o: EngineCallOptions): Promise<Buffer> {
    const signal = this.#deadline(o.signal)
    const tty = await this.#isTty(containerUuid, signal)
    const call = { method: 'GET', path: `${pathOf(containerUuid)}/logs`, signal } as const
    const body = await this.#http.open({
      ...call,
      query: {
        stdout: request.stdout,
        stderr: request.stderr,
        timestamps: request.timestamps,
        tail: request.tail ?? 'all',
        since: request.since ?? undefined,
      },
    })
    const { output, truncated } = await this.#http.reading(call, () =>
      collectOutput(body, { tty, maxBytes: request.maxBytes }),
    )
    body.destroy()
    return truncated ? Buffer.concat([output, Buffer.from('\n[the log is longer; it was cut here]\n')]) : output
  }

  async #isTty(containerUuid: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#inspectRaw(containerUuid, signal)
    if (answer === undefined) throw new EngineNotFound(`No such container: ${containerUuid}`)
    return answer.Config?.Tty === true
  }

  async top(
    containerUuid: string,
    psArgs: string | null,
    { signal }: EngineCallOptions,
  ): Promise<{ Titles: string[]; Processes: string[][] }> {
    return await this.#http.json({
      method: 'GET',
      path: `${pathOf(containerUuid)}/top`,
      query: { ps_args: psArgs ?? undefined },
      signal,
    })
  }

  async stats(containerUuid: string, { signal }: EngineCallOptions): Promise<StatsSample> {
    const answer = await this.#http.json<StatsAnswer>({
      method: 'GET',
      path: `${pathOf(containerUuid)}/stats`,
      query: { stream: false },
      signal,
    })
    return toStatsSample(answer)
  }

  async resizeTty(
    containerUuid: string,
    size: { columns: number; rows: number },
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const query = { h: size.rows, w: size.columns }
    await this.#http.buffer({ method: 'POST', path: `${pathOf(containerUuid)}/resize`, query, signal })
  }

  async createExec(containerUuid: string, request: ExecRequest, { signal }: EngineCallOptions): Promise<string> {
    const { Id } = await this.#http.json<{ Id: string }>({
      method: 'POST',
      path: `${pathOf(containerUuid)}/exec`,
      json: {
        Cmd: request.command,
        AttachStdin: request.interactive,
        AttachStdout: true,
        AttachStderr: true,
        Tty: request.tty ?? request.interactive,
      },
      signal,
    })
    return Id
  }

  async runExec(execId: string, maxBytes: number, o: EngineCallOptions): Promise<ExecResult> {
    const signal = this.#deadline(o.signal)
    const before = await this.#execState(execId, signal)
    if (before.Running === true || typeof before.ExitCode === 'number') {
      throw new EngineConflict(`exec ${execId} has already run`)
    }
    const tty = before.ProcessConfig?.tty === true
    const call = { method: 'POST', path: `/exec/${encodeURIComponent(execId)}/start`, signal } as const
    const body = await this.#http.open({ ...call, json: { Detach: false, Tty: tty } })
    const { output, truncated } = await this.#http.reading(call, () =>
      collectOutput(body, { tty, maxBytes, drainMs: DRAIN_MS }),
    )
    body.destroy()
    const { ExitCode, Running } = await this.#execState(execId, signal)
    return { output, exitCode: Running === true ? null : (ExitCode ?? null), truncated }
  }

  async #execState(
    execId: string,
    signal: AbortSignal,
  ): Promise<{ ExitCode?: number | null; Running?: boolean; ContainerID: string; ProcessConfig?: { tty?: boolean } }> {
    return await this.#http.json({ method: 'GET', path: `/exec/${encodeURIComponent(execId)}/json`, signal })
  }

  async resizeExec(
    containerUuid: string,
    execId: string,
    size: { columns: number; rows: number },
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const { Running, ContainerID } = await this.#execState(execId, signal)
    const container = await this.#inspectRaw(containerUuid, signal)
    if (container?.Id !== ContainerID) throw new EngineNotFound(`No such exec instance: ${execId}`)
    if (Running !== true) throw new EngineNotFound(`exec ${execId} does not run`)
    await this.#http.buffer({
      method: 'POST',
      path: `/exec/${encodeURIComponent(execId)}/resize`,
      query: { h: size.rows, w: size.columns },
      signal,
    })
  }

  async getArchive(
    containerUuid: string,
    path: string,
    { signal }: EngineCallOptions,
  ): Promise<{ stat: PathStat; tar: AsyncIterable<Buffer> }> {
    const body = await this.#http.open({
      method: 'GET',
      path: `${pathOf(containerUuid)}/archive`,
      query: { path },
      signal,
    })
    const header = String(body.headers['x-docker-container-path-stat'] ?? '')
    const stat: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
    return { stat: stat as PathStat, tar: body }
  }

  async putArchive(
    containerUuid: string,
    path: string,
    tar: AsyncIterable<Buffer>,
    { signal }: EngineCallOptions,
  ): Promise<void> {
    await this.#http.buffer({
      method: 'PUT',
      path: `${pathOf(containerUuid)}/archive`,
      query: { path },
      stream: tar,
      signal,
    })
  }

  // --- images -----------------------------------------------------------------------------------------------------

  async inspectImage(reference: string, o: EngineCallOptions): Promise<EngineImage | undefined> {
    return await this.#images.inspect(reference, o)
  }

  async pullImage(
    reference: string,
    auth: RegistryAuth | null,
    onProgress: (p: PullProgress) => void,
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#images.pull(reference, auth, onProgress, o)
  }

  async removeImage(reference: string, o: EngineCallOptions): Promise<void> {
    await this.#images.remove(reference, o)
  }

  async imageNames(path: string, o: EngineCallOptions): Promise<string[]> {
    return await this.#images.names(path, o)
  }

  async importImage(
    reference: string,
    files: Buffer,
    entrypoint: readonly string[],
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#images.import(reference, files, entrypoint, o)
  }

  async searchImages(term: string, o: EngineCallOptions): Promise<ImageSearchResult[]> {
    return await this.#images.search(term, o)
  }

  async commit(containerUuid: string, repository: string, tag: string, o: EngineCallOptions): Promise<string> {
    return await this.#images.commit(containerUuid, repository, tag, o)
  }

  // --- networks ---------------------------------------------------------------------------------------------------

  async inspectNetwork(name: string, o: EngineCallOptions): Promise<EngineNetwork | undefined> {
    return await this.#networks.inspect(name, o)
  }

  async ensureNetwork(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork> {
    return await this.#networks.ensure(request, o)
  }

  async removeNetwork(name: string, o: EngineCallOptions): Promise<void> {
    await this.#networks.remove(name, o)
  }

  async listNetworks(o: EngineCallOptions): Promise<EngineNetwork[]> {
    return await this.#networks.list(o)
  }

  async connect(containerUuid: string, endpoint: EngineEndpoint, o: EngineCallOptions): Promise<void> {
    await this.#networks.connect(containerUuid, endpoint, o)
  }

  async disconnect(containerUuid: string, network: string, o: EngineCallOptions): Promise<void> {
    await this.#networks.disconnect(containerUuid, network, o)
  }

  /** For answers that are read piece by piece: the deadline covers all of them. */
  #deadline(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#options.callTimeoutMs)])
  }
}

function pathOf(containerUuid: string): string {
  return `/containers/zun-${encodeURIComponent(containerUuid)}`
}
