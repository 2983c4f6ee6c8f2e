import { EngineConflict, EngineNotFound, EngineRefused, EngineUnavailable, messageOf } from '../../domain/errors.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
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
  cpuShares,
  createBody,
  endpointConfig,
  LABEL_CONTAINER,
  LABEL_DEPLOYMENT,
  LABEL_NETWORK,
  LABEL_PROJECT,
  type Hardening,
} from './create-body.ts'
import { collectOutput } from './frames.ts'
import { atLeast, EngineHttp } from './http-client.ts'
import { jsonLines } from './json-lines.ts'
import { toEngineContainer, type InspectAnswer } from './observation.ts'
import { pullError, PullState } from './pull.ts'
import { toStatsSample, type StatsAnswer } from './stats.ts'

export interface DockerEngineOptions {
  /** Only a unix socket: the engine's TCP port gives root on the host to whoever reaches it. */
  readonly socketPath: string
  /** Deadline of one call in milliseconds; stop and restart add their own timeout. */
  readonly callTimeoutMs: number
  /** A pull that says nothing for so long is given up. */
  readonly pullStallMs: number
  readonly hardening: Hardening
  /** Id of the deployment whose containers and networks are driven; others on the same engine are never touched. */
  readonly deployment: string
}

/** The engine's default for stop and restart, in seconds. */
const DEFAULT_STOP_S = 10
/** Option of the bridge driver: the interface's name on the host. */
const BRIDGE_NAME = 'com.docker.network.bridge.name'

export class DockerEngine implements ContainerEngine {
  readonly #options: DockerEngineOptions
  readonly #http: EngineHttp
  /** Label filter for objects of this deployment. */
  readonly #mine: string
  /** Networks that are being made, by name. */
  readonly #ensuring = new Map<string, Promise<void>>()

  constructor(options: DockerEngineOptions) {
    this.#options = options
    this.#mine = `${LABEL_DEPLOYMENT}=${options.deployment}`
    this.#http = new EngineHttp({ socketPath: options.socketPath, timeoutMs: options.callTimeoutMs })
  }

  close(): void {
    this.#http.destroy()
  }

  async ping({ signal }: EngineCallOptions): Promise<void> {
    await this.#http.buffer({ method: 'GET', path: '/_ping', signal })
  }

  async info({ signal }: EngineCallOptions): Promise<EngineInfo> {
    const answer = await this.#http.json<InfoAnswer>({ method: 'GET', path: '/info', signal })
    const driverStatus = Object.fromEntries(answer.DriverStatus ?? [])
    return {
      version: answer.ServerVersion,
      apiVersion: await this.#http.version(signal),
      cpus: answer.NCPU,
      memTotalBytes: answer.MemTotal,
      architecture: answer.Architecture,
      osType: answer.OSType,
      os: answer.OperatingSystem,
      kernelVersion: answer.KernelVersion,
      labels: Object.fromEntries((answer.Labels ?? []).map(splitLabel)),
      runtimes: Object.keys(answer.Runtimes ?? {}),
      defaultRuntime: answer.DefaultRuntime ?? 'runc',
      rootDir: answer.DockerRootDir,
      storageDriver: answer.Driver,
      diskQuotaSupported: supportsDiskQuota(answer.Driver, driverStatus),
      totalContainers: answer.Containers,
    }
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

  async create(request: EngineCreateRequest, o: EngineCallOptions): Promise<string> {
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
      if (!(error instanceof EngineConflict)) throw error
      // The name is taken: by an earlier try of ours whose answer was lost, or by another generation.
      const there = await this.inspect(request.containerUuid, o)
      if (there?.seen.generation === request.generation) return there.engineId
      throw error
    }
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

  async update(
    containerUuid: string,
    change: { cpu?: number; memoryMiB?: number },
    { signal }: EngineCallOptions,
  ): Promise<void> {
    await this.#http.buffer({
      method: 'POST',
      path: `${pathOf(containerUuid)}/update`,
      json: {
        ...(change.cpu === undefined ? {} : { CpuShares: cpuShares(change.cpu) }),
        ...(change.memoryMiB === undefined ? {} : { Memory: change.memoryMiB * 1024 * 1024, MemorySwap: -1 }),
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
    const { output, truncated } = await this.#http.reading(call, () => collectOutput(body, tty, request.maxBytes))
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
        Tty: request.interactive,
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
    const { output, truncated } = await this.#http.reading(call, () => collectOutput(body, tty, maxBytes))
    body.destroy()
    const { ExitCode } = await this.#execState(execId, signal)
    return { output, exitCode: ExitCode ?? 0, truncated }
  }

  async #execState(
    execId: string,
    signal: AbortSignal,
  ): Promise<{ ExitCode?: number | null; Running?: boolean; ProcessConfig?: { tty?: boolean } }> {
    return await this.#http.json({ method: 'GET', path: `/exec/${encodeURIComponent(execId)}/json`, signal })
  }

  async resizeExec(
    execId: string,
    size: { columns: number; rows: number },
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const { Running } = await this.#execState(execId, signal)
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

  async inspectImage(reference: string, { signal }: EngineCallOptions): Promise<EngineImage | undefined> {
    try {
      const answer = await this.#http.json<ImageAnswer>({
        method: 'GET',
        path: `/images/${encodeReference(reference)}/json`,
        signal,
      })
      return {
        id: answer.Id,
        repoTags: answer.RepoTags ?? [],
        repoDigests: answer.RepoDigests ?? [],
        sizeBytes: answer.Size,
        command: answer.Config?.Cmd ?? null,
        entrypoint: answer.Config?.Entrypoint ?? null,
      }
    } catch (error) {
      if (error instanceof EngineNotFound) return undefined
      throw error
    }
  }

  async pullImage(
    reference: string,
    auth: RegistryAuth | null,
    onProgress: (p: PullProgress) => void,
    { signal }: EngineCallOptions,
  ): Promise<void> {
    const stalled = new AbortController()
    const giveUp = (): void => stalled.abort(new DOMException('the pull stands still', 'TimeoutError'))
    let timer = setTimeout(giveUp, this.#options.pullStallMs)
    try {
      const body = await this.#http.open({
        method: 'POST',
        path: '/images/create',
        query: { fromImage: reference },
        headers: { 'X-Registry-Auth': registryHeader(auth) },
        timeoutMs: this.#options.pullStallMs,
        signal: AbortSignal.any([signal, stalled.signal]),
      })
      const state = new PullState()
      for await (const line of jsonLines(body)) {
        clearTimeout(timer)
        timer = setTimeout(giveUp, this.#options.pullStallMs)
        if (typeof line['error'] === 'string') throw pullError(reference, line['error'])
        const detail = state.take(line)
        if (detail !== undefined) onProgress({ detail })
      }
    } catch (error) {
      signal.throwIfAborted()
      if (stalled.signal.aborted) throw new EngineUnavailable(`the pull of ${reference} stood still`, { cause: error })
      if (error instanceof EngineNotFound || error instanceof EngineUnavailable) throw error
      throw pullError(reference, messageOf(error))
    } finally {
      clearTimeout(timer)
    }
  }

  async removeImage(reference: string, { signal }: EngineCallOptions): Promise<void> {
    try {
      await this.#http.buffer({ method: 'DELETE', path: `/images/${encodeReference(reference)}`, signal })
    } catch (error) {
      if (!(error instanceof EngineNotFound)) throw error
    }
  }

  async searchImages(term: string, { signal }: EngineCallOptions): Promise<ImageSearchResult[]> {
    const answer = await this.#http.json<SearchAnswer[]>({
      method: 'GET',
      path: '/images/search',
      query: { term },
      signal,
    })
    return answer.map((item) => ({
      name: item.name,
      description: item.description ?? '',
      is_automated: item.is_automated ?? false,
      metadata: { is_official: item.is_official ?? false, star_count: item.star_count ?? 0 },
    }))
  }

  async commit(containerUuid: string, repository: string, tag: string, { signal }: EngineCallOptions): Promise<string> {
    // The engine looks at the name after it has made the image, and then leaves that without a name.
    if (parseImageReference(`${repository}:${tag}`) === undefined) {
      throw new EngineRefused(`${repository}:${tag} is not an image name`)
    }
    const { Id } = await this.#http.json<{ Id: string }>({
      method: 'POST',
      path: '/commit',
      query: { container: `zun-${containerUuid}`, repo: repository, tag, pause: true },
      json: {},
      // Copying a large layer takes its time.
      timeoutMs: this.#options.callTimeoutMs * 10,
      signal,
    })
    return Id
  }

  // --- networks ---------------------------------------------------------------------------------------------------

  async inspectNetwork(name: string, { signal }: EngineCallOptions): Promise<EngineNetwork | undefined> {
    try {
      const path = `/networks/${encodeURIComponent(name)}`
      return toNetwork(await this.#http.json<NetworkAnswer>({ method: 'GET', path, signal }))
    } catch (error) {
      if (error instanceof EngineNotFound) return undefined
      throw error
    }
  }

  async ensureNetwork(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork> {
    // Of two creates at once the engine refuses one for its subnet, before the other can be seen: one after the other.
    const turn = this.#ensuring.get(request.name) ?? Promise.resolve()
    const mine = turn.then(() => this.#ensureNetworkNow(request, o))
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

  async #ensureNetworkNow(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork> {
    const there = await this.inspectNetwork(request.name, o)
    if (there !== undefined) return there
    try {
      await this.#http.buffer({
        method: 'POST',
        path: '/networks/create',
        json: {
          Name: request.name,
          CheckDuplicate: true,
          Driver: 'bridge',
          EnableIPv6: request.subnets.some((subnet) => subnet.version === 6),
          IPAM: {
            Driver: 'default',
            Config: request.subnets.map((subnet) => ({
              Subnet: subnet.cidr,
              ...(subnet.gateway === null ? {} : { Gateway: subnet.gateway }),
            })),
          },
          Options: request.bridge === undefined ? {} : { [BRIDGE_NAME]: request.bridge },
          Labels: {
            [LABEL_DEPLOYMENT]: this.#options.deployment,
            [LABEL_NETWORK]: request.name,
            [LABEL_PROJECT]: request.projectId,
          },
        },
        signal: o.signal,
      })
    } catch (error) {
      // Somebody else made it between the look and the create.
      const now = error instanceof EngineConflict ? await this.inspectNetwork(request.name, o) : undefined
      if (now === undefined) throw error
    }
    const made = await this.inspectNetwork(request.name, o)
    if (made === undefined) throw new EngineRefused(`network ${request.name} vanished as it was made`)
    return made
  }

  async removeNetwork(name: string, { signal }: EngineCallOptions): Promise<void> {
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

  async listNetworks({ signal }: EngineCallOptions): Promise<EngineNetwork[]> {
    const filters = JSON.stringify({ label: [LABEL_NETWORK, this.#mine] })
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
          EndpointConfig: endpointConfig(endpoint, atLeast(version, 1, 44)),
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

  /** For answers that are read piece by piece: the deadline covers all of them. */
  #deadline(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#options.callTimeoutMs)])
  }
}

interface InfoAnswer {
  readonly ServerVersion: string
  readonly NCPU: number
  readonly MemTotal: number
  readonly Architecture: string
  readonly OSType: string
  readonly OperatingSystem: string
  readonly KernelVersion: string
  readonly Labels?: string[] | null
  readonly Runtimes?: Record<string, unknown> | null
  readonly DefaultRuntime?: string
  readonly DockerRootDir: string
  readonly Driver: string
  readonly DriverStatus?: [string, string][] | null
  readonly Containers: number
}

interface ImageAnswer {
  readonly Id: string
  readonly RepoTags?: string[] | null
  readonly RepoDigests?: string[] | null
  readonly Size: number
  readonly Config?: { readonly Cmd?: string[] | null; readonly Entrypoint?: string[] | null } | null
}

interface NetworkAnswer {
  readonly Name: string
  readonly Id: string
  readonly Created?: string
  readonly Options?: Record<string, string> | null
  readonly IPAM?: { readonly Config?: { readonly Subnet?: string; readonly Gateway?: string }[] | null } | null
  readonly Containers?: Record<string, { readonly Name?: string }> | null
}

interface SearchAnswer {
  readonly name: string
  readonly description?: string
  readonly is_automated?: boolean
  readonly is_official?: boolean
  readonly star_count?: number
}

function pathOf(containerUuid: string): string {
  return `/containers/zun-${encodeURIComponent(containerUuid)}`
}

/** Slashes belong to the path here, everything else is quoted. */
function encodeReference(reference: string): string {
  return reference.split('/').map(encodeURIComponent).join('/')
}

/**
 * Always sent: without it some engines use the credentials of the user they run as. URL-safe but with its padding, which
 * Node's `base64url` leaves out: an engine takes what it cannot decode for no credentials at all.
 */
function registryHeader(auth: RegistryAuth | null): string {
  const value =
    auth === null ? {} : { username: auth.username, password: auth.password, serveraddress: auth.serverAddress }
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function splitLabel(label: string): [string, string] {
  const at = label.indexOf('=')
  return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)]
}

function supportsDiskQuota(driver: string, status: Readonly<Record<string, string>>): boolean {
  // On xfs the engine needs project quotas to be on, which it does not say; a create would be refused with its reason.
  if (driver === 'overlay2') return status['Backing Filesystem'] === 'xfs'
  return ['devicemapper', 'windowsfilter', 'zfs', 'btrfs'].includes(driver)
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
    ...(Number.isNaN(createdAtMs) ? {} : { createdAtMs }),
  }
}

/** Some engines write it with the prefix length of its subnet. */
function gatewayOf(text: string): string | null {
  return text === '' ? null : (text.split('/')[0] ?? null)
}

/** Actions after which a container looks different. */
const ACTIONS = new Set([
  'create',
  'start',
  'die',
  'oom',
  'stop',
  'kill',
  'pause',
  'unpause',
  'restart',
  'destroy',
  'update',
])

function toEvent(line: Record<string, unknown>): EngineEvent | undefined {
  const { Action, Actor, timeNano } = line
  if (typeof Action !== 'string' || !ACTIONS.has(Action)) return undefined
  const attributes = (Actor as { Attributes?: Record<string, string> } | undefined)?.Attributes
  const containerUuid = attributes?.[LABEL_CONTAINER]
  if (containerUuid === undefined) return undefined
  return {
    kind: 'container',
    containerUuid,
    action: Action,
    atMs: typeof timeNano === 'number' ? timeNano / 1e6 : Date.now(),
  }
}
