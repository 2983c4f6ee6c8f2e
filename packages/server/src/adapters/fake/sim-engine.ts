import { createHash } from 'node:crypto'
import { EngineConflict, EngineNotFound, EngineRefused } from '../../domain/errors.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import { parseSignal } from '../../domain/signals.ts'
import type { Clock } from '../../orchestration/ports/clock.ts'
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
import { KILLED, SimContainer, type SimBehaviour, type SimHost } from './sim-container.ts'
import { SimEvents } from './sim-events.ts'
import { SimExecs } from './sim-execs.ts'
import { SimCalls } from './sim-calls.ts'
import { CORES, refuseUnknownCores } from './sim-cores.ts'
import type { SimCall } from './sim-faults.ts'
import { SimImages } from './sim-images.ts'
import { SimNetworks } from './sim-networks.ts'
import { LEAST_MEMORY_MIB, refuseBadRequest, RUNTIMES, tooLittleMemory } from './sim-refusals.ts'

export interface SimEngineOptions {
  readonly clock: Clock
  /** Engine's wall clock, epoch milliseconds; default the machine's. */
  readonly wallMs?: () => number
  /** Deadline of one call; stop and restart add their own timeout. Default 60 s. */
  readonly callTimeoutMs?: number
  /** Files and directories of the host that may be mounted; default: any path. */
  readonly hostHas?: (path: string) => boolean
}

const DEFAULT_CALL_TIMEOUT_MS = 60_000
const DEFAULT_STOP_S = 10

/**
 * A container engine that exists only in memory, and passes the same contract suite as the real one
 * (test/contract/engine.suite.ts).
 *
 * What it has: containers with one process each (a small language of command lines, see sim-program.ts), files, logs,
 * exec, archives, restart policies and auto-remove, images and registries (`images`), networks whose addresses cannot be
 * used twice (`networks`), events, and the outside view of a test (`container`, `world`).
 *
 * What a test can do to it:
 * - `calls.faults.add({ call, trouble })`: a call is refused, done but its answer lost, hangs, is held, or is slow;
 * - `calls.latencyMs`: every call takes so long by the injected clock;
 * - `down()`, `up()`: nothing answers, event streams break; the containers live on;
 * - `behave(uuid, { exitAfterMs, exitCode })`: how the process ends, whatever its command line says;
 * - `exit(uuid, code)`, `lose(uuid)`: the process ends, or the container vanishes, behind our back;
 * - `eventStreams.missing = true`: nobody is told of what happens;
 * - `addStranger(name)`: a container that does not carry our label.
 *
 * Two containers never have a time stamp in common, and a restart always moves `startedAtMs`, however fast the test.
 * Every call is kept in `calls.made`, also those that went wrong.
 */
export class SimEngine implements ContainerEngine {
  readonly calls: SimCalls
  readonly images = new SimImages()
  readonly networks = new SimNetworks()
  readonly eventStreams = new SimEvents()
  readonly #options: SimEngineOptions
  readonly #containers = new Map<string, SimContainer>()
  readonly #strangers = new Set<string>()
  readonly #execs: SimExecs
  readonly #behaviours = new Map<string, SimBehaviour>()
  readonly #host: SimHost
  #made = 0
  #lastStampMs = 0

  constructor(options: SimEngineOptions) {
    this.#options = options
    this.calls = new SimCalls(options.clock, options.callTimeoutMs ?? DEFAULT_CALL_TIMEOUT_MS)
    this.#execs = new SimExecs(options.clock)
    this.#host = {
      clock: options.clock,
      networks: this.networks,
      stamp: () => this.#stamp(),
      emit: (container, action, exitCode) => this.eventStreams.emit(container.uuid, action, this.#stamp(), exitCode),
      behaviourOf: (uuid) => this.#behaviours.get(uuid),
      dropped: (container) => this.#forget(container),
      byEngineId: (id) => [...this.#containers.values()].find((c) => c.engineId === id),
    }
  }

  // --- what a test does to it -------------------------------------------------------------------------------------

  down(): void {
    this.calls.down()
    this.eventStreams.breakAll()
  }

  up(): void {
    this.calls.up()
  }

  behave(containerUuid: string, behaviour: SimBehaviour): void {
    this.#behaviours.set(containerUuid, behaviour)
  }

  exit(containerUuid: string, code: number, options: { oomKilled?: boolean } = {}): void {
    this.#require(containerUuid).exit(code, options)
  }

  lose(containerUuid: string): void {
    this.#forget(this.#require(containerUuid))
  }

  addStranger(name: string): void {
    this.#strangers.add(name)
  }

  get strangers(): readonly string[] {
    return [...this.#strangers]
  }

  container(containerUuid: string): SimContainer | undefined {
    return this.#containers.get(containerUuid)
  }

  liveContainers(): SimContainer[] {
    return [...this.#containers.values()].filter((container) => container.isLive)
  }

  /** How often a call was made, whatever came of it. */
  count(call: SimCall, containerUuid?: string): number {
    return this.calls.made.filter((c) => c.call === call && (containerUuid ?? c.containerUuid) === c.containerUuid)
      .length
  }

  /** All that it holds, in an order that does not depend on history. */
  world() {
    const containers = [...this.#containers.values()].sort((a, b) => (a.uuid < b.uuid ? -1 : 1))
    return {
      containers: containers.map((c) => ({
        uuid: c.uuid,
        generation: c.request.generation,
        image: c.request.image,
        state: c.state,
        exitCode: c.inspect().seen.exitCode,
        networks: [...c.endpoints.values()].map((e) => `${e.network} ${e.ipv4Address} ${e.ipv6Address}`).sort(),
        mounts: c.request.mounts.map((m) => `${m.source}:${m.destination}`),
        memoryMiB: c.memoryMiB,
        cpu: c.cpu,
        cores: c.cpuset?.cpus ?? null,
      })),
      networks: this.networks
        .list()
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((n) => `${n.name}: ${n.containers.toSorted().join(' ')}`),
      images: this.images.references(),
      strangers: [...this.#strangers].sort(),
    }
  }

  // --- the port ---------------------------------------------------------------------------------------------------

  async ping(o: EngineCallOptions): Promise<void> {
    await this.#call('ping', null, o, () => undefined)
  }

  async info(o: EngineCallOptions): Promise<EngineInfo> {
    return await this.#call('info', null, o, () => ({
      version: '0.0-sim',
      apiVersion: '1.41',
      cpus: CORES,
      memTotalBytes: 8 * 1024 ** 3,
      architecture: 'x86_64',
      osType: 'linux',
      os: 'sim',
      kernelVersion: '6.1',
      labels: {},
      runtimes: RUNTIMES,
      defaultRuntime: 'runc',
      rootDir: '/var/lib/sim',
      storageDriver: 'memory',
      diskQuotaSupported: true,
      diskBaseGiB: null,
      totalContainers: this.#containers.size + this.#strangers.size,
    }))
  }

  async list(o: EngineCallOptions): Promise<EngineContainer[]> {
    return await this.#call('list', null, o, () => [...this.#containers.values()].map((c) => c.inspect()))
  }

  async inspect(containerUuid: string, o: EngineCallOptions): Promise<EngineContainer | undefined> {
    return await this.#call('inspect', containerUuid, o, () => this.#containers.get(containerUuid)?.inspect())
  }

  async *events(sinceMs: number, o: EngineCallOptions): AsyncIterable<EngineEvent> {
    await this.#call('events', null, o, () => undefined)
    yield* this.eventStreams.stream(sinceMs, o.signal)
  }

  async pastEvents(containerUuid: string, o: EngineCallOptions): Promise<EngineEvent[]> {
    return await this.#call('pastEvents', containerUuid, o, () => this.eventStreams.pastOf(containerUuid))
  }

  async create(request: EngineCreateRequest, o: EngineCallOptions): Promise<string> {
    return await this.#call('create', request.containerUuid, o, () => this.#create(request).engineId)
  }

  #create(request: EngineCreateRequest): SimContainer {
    const there = this.#containers.get(request.containerUuid)
    if (there !== undefined) {
      if (there.request.generation === request.generation) return there
      throw new EngineConflict(`The container name "/${request.name}" is already in use`)
    }
    const image = this.images.find(request.image)
    if (image === undefined) throw new EngineNotFound(`No such image: ${request.image}`)
    refuseBadRequest(request, this.#options.hostHas)
    const { namespaces } = request
    const joined = namespaces === null || namespaces === 'shared' ? null : this.#require(namespaces.of).engineId
    const made = new SimContainer(this.#host, this.#newId(), request, image, joined)
    this.#containers.set(request.containerUuid, made)
    this.#host.emit(made, 'create')
    return made
  }

  async start(containerUuid: string, o: EngineCallOptions): Promise<void> {
    await this.#on('start', containerUuid, o, (c) => c.start())
  }

  async stop(containerUuid: string, timeoutS: number | null, o: EngineCallOptions): Promise<void> {
    const timeoutMs = (timeoutS ?? DEFAULT_STOP_S) * 1000
    await this.#on('stop', containerUuid, o, (c) => c.stop(timeoutMs), timeoutMs)
  }

  async restart(containerUuid: string, timeoutS: number | null, o: EngineCallOptions): Promise<void> {
    const timeoutMs = (timeoutS ?? DEFAULT_STOP_S) * 1000
    const restart = async (c: SimContainer): Promise<void> => {
      await c.stop(timeoutMs)
      c.start()
      this.#host.emit(c, 'restart')
    }
    await this.#on('restart', containerUuid, o, restart, timeoutMs)
  }

  async pause(containerUuid: string, o: EngineCallOptions): Promise<void> {
    await this.#on('pause', containerUuid, o, (c) => c.pause())
  }

  async unpause(containerUuid: string, o: EngineCallOptions): Promise<void> {
    await this.#on('unpause', containerUuid, o, (c) => c.unpause())
  }

  async kill(containerUuid: string, signal: string | null, o: EngineCallOptions): Promise<void> {
    await this.#on('kill', containerUuid, o, (c) => {
      const parsed = signal === null ? 'SIGKILL' : parseSignal(signal)
      if (parsed === undefined) throw new EngineRefused(`Invalid signal: ${signal}`)
      if (!c.isLive && c.state !== 'restarting') {
        throw new EngineConflict(`Cannot kill container: ${c.request.name}: ${c.notRunning().message}`)
      }
      this.#host.emit(c, 'kill')
      // Process 1 takes no notice of a signal it has no handler for.
      if (parsed === 'SIGKILL' || parsed === '9') c.kill()
    })
  }

  async remove(containerUuid: string, force: boolean, o: EngineCallOptions): Promise<void> {
    await this.#call('remove', containerUuid, o, () => {
      const found = this.#containers.get(containerUuid)
      if (found === undefined) return
      if (found.isLive && !force) {
        throw new EngineConflict(`You cannot remove a ${found.state} container ${found.engineId}`)
      }
      this.#forget(found)
    })
  }

  async update(containerUuid: string, change: EngineUpdate, o: EngineCallOptions): Promise<void> {
    await this.#on('update', containerUuid, o, (c) => {
      if (change.memoryMiB !== undefined && change.memoryMiB < LEAST_MEMORY_MIB) throw tooLittleMemory()
      c.memoryMiB = change.memoryMiB ?? c.memoryMiB
      c.cpu = change.cpu ?? c.cpu
      if (change.cpuset !== undefined) {
        refuseUnknownCores(change.cpuset)
        c.pinTo(change.cpuset)
      }
      this.#host.emit(c, 'update')
    })
  }

  async logs(containerUuid: string, request: LogsRequest, o: EngineCallOptions): Promise<Buffer> {
    return await this.#on('logs', containerUuid, o, (c) => c.logs.read(request))
  }

  async top(containerUuid: string, psArgs: string | null, o: EngineCallOptions) {
    return await this.#on('top', containerUuid, o, (c) => {
      if (!c.isLive) throw c.notRunning()
      if (psArgs?.startsWith('--') === true) throw new EngineRefused(`ps: error: unknown option ${psArgs}`)
      return { Titles: ['PID', 'CMD'], Processes: [['1', c.commandLine.join(' ')]] }
    })
  }

  async stats(containerUuid: string, o: EngineCallOptions): Promise<StatsSample> {
    return await this.#on('stats', containerUuid, o, (c) => ({
      cpuTotalNs: c.isLive ? 2_000_000 : 0,
      cpuSystemNs: c.isLive ? 200_000_000 : 0,
      previousCpuTotalNs: c.isLive ? 1_000_000 : 0,
      previousCpuSystemNs: c.isLive ? 100_000_000 : 0,
      onlineCpus: 1,
      memUsageBytes: c.isLive ? 1024 * 1024 : 0,
      memLimitBytes: c.isLive ? (c.memoryMiB === 0 ? 8 * 1024 : c.memoryMiB) * 1024 * 1024 : 0,
      blockReadBytes: 0,
      blockWriteBytes: 0,
      netRxBytes: 0,
      netTxBytes: 0,
    }))
  }

  async resizeTty(
    containerUuid: string,
    _size: { columns: number; rows: number },
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#on('resizeTty', containerUuid, o, (c) => {
      if (!c.isLive) throw c.notRunning()
    })
  }

  async createExec(containerUuid: string, request: ExecRequest, o: EngineCallOptions): Promise<string> {
    return await this.#on('createExec', containerUuid, o, (c) => {
      const id = this.#newId()
      this.#execs.create(id, c, request)
      return id
    })
  }

  isExecTty(execId: string): boolean {
    return this.#execs.isTty(execId)
  }

  async runExec(execId: string, maxBytes: number, o: EngineCallOptions): Promise<ExecResult> {
    const uuid = this.#execs.containerOf(execId)
    return await this.#call('runExec', uuid, o, () => this.#execs.run(execId, maxBytes, o.signal))
  }

  async resizeExec(
    containerUuid: string,
    execId: string,
    size: { columns: number; rows: number },
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#call('resizeExec', containerUuid, o, () => this.#execs.resize(containerUuid, execId, size))
  }

  async getArchive(
    containerUuid: string,
    path: string,
    o: EngineCallOptions,
  ): Promise<{ stat: PathStat; tar: AsyncIterable<Buffer> }> {
    return await this.#on('getArchive', containerUuid, o, (c) => c.files.archive(path))
  }

  async putArchive(
    containerUuid: string,
    path: string,
    tar: AsyncIterable<Buffer>,
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#on('putArchive', containerUuid, o, (c) => c.files.extract(path, tar))
  }

  async inspectImage(reference: string, o: EngineCallOptions): Promise<EngineImage | undefined> {
    return await this.#call('inspectImage', null, o, () => this.images.inspect(reference))
  }

  async pullImage(
    reference: string,
    auth: RegistryAuth | null,
    onProgress: (p: PullProgress) => void,
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#call('pullImage', null, o, () => this.images.pull(reference, auth, onProgress))
  }

  async removeImage(reference: string, o: EngineCallOptions): Promise<void> {
    const used = (): string[] => [...this.#containers.values()].map(({ imageId }) => imageId)
    await this.#call('removeImage', null, o, () => this.images.remove(reference, used()))
  }

  async imageNames(path: string, o: EngineCallOptions): Promise<string[]> {
    return await this.#call('imageNames', null, o, () => this.images.references(path))
  }

  async importImage(
    reference: string,
    _files: Buffer,
    entrypoint: readonly string[],
    o: EngineCallOptions,
  ): Promise<void> {
    await this.#call('importImage', null, o, () => this.images.import(reference, entrypoint))
  }

  async searchImages(term: string, o: EngineCallOptions): Promise<ImageSearchResult[]> {
    return await this.#call('searchImages', null, o, () =>
      this.images.search(term).map((name) => ({
        name,
        description: '',
        is_automated: false,
        metadata: { is_official: false, star_count: 0 },
      })),
    )
  }

  async commit(containerUuid: string, repository: string, tag: string, o: EngineCallOptions): Promise<string> {
    return await this.#on('commit', containerUuid, o, (c) => {
      const reference = `${repository}:${tag}`
      if (parseImageReference(reference) === undefined) throw new EngineRefused('invalid reference format')
      const image = this.images.make(c.inspect().seen.command, c.inspect().seen.entrypoint, c.files.clone())
      this.images.tag(reference, image)
      return image.id
    })
  }

  async inspectNetwork(name: string, o: EngineCallOptions): Promise<EngineNetwork | undefined> {
    return await this.#call('inspectNetwork', null, o, () => this.networks.find(name))
  }

  async ensureNetwork(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork> {
    return await this.#call('ensureNetwork', null, o, () => this.networks.ensure(request, this.#newId()))
  }

  async removeNetwork(name: string, o: EngineCallOptions): Promise<void> {
    await this.#call('removeNetwork', null, o, () => this.networks.remove(name))
  }

  async listNetworks(o: EngineCallOptions): Promise<EngineNetwork[]> {
    return await this.#call('listNetworks', null, o, () => this.networks.list())
  }

  async connect(containerUuid: string, endpoint: EngineEndpoint, o: EngineCallOptions): Promise<void> {
    await this.#on('connect', containerUuid, o, (c) => c.connect(endpoint))
  }

  async disconnect(containerUuid: string, network: string, o: EngineCallOptions): Promise<void> {
    await this.#call('disconnect', containerUuid, o, () => this.#containers.get(containerUuid)?.disconnect(network))
  }

  // --- within -----------------------------------------------------------------------------------------------------

  async #on<T>(
    call: SimCall,
    containerUuid: string,
    o: EngineCallOptions,
    act: (container: SimContainer) => T | Promise<T>,
    extraMs = 0,
  ): Promise<T> {
    return await this.calls.run({ call, containerUuid }, o.signal, () => act(this.#require(containerUuid)), extraMs)
  }

  async #call<T>(
    call: SimCall,
    containerUuid: string | null,
    o: EngineCallOptions,
    act: () => T | Promise<T>,
  ): Promise<T> {
    return await this.calls.run({ call, containerUuid }, o.signal, act, 0)
  }

  #require(containerUuid: string): SimContainer {
    const found = this.#containers.get(containerUuid)
    if (found === undefined) throw new EngineNotFound(`No such container: zun-${containerUuid}`)
    return found
  }

  #forget(container: SimContainer): void {
    const wasLive = container.isLive
    container.destroy()
    this.#containers.delete(container.uuid)
    this.#execs.forget(container)
    if (wasLive) this.#host.emit(container, 'die', KILLED)
    this.#host.emit(container, 'destroy')
  }

  #newId(): string {
    this.#made += 1
    return createHash('sha256').update(`object ${this.#made}`).digest('hex')
  }

  #stamp(): number {
    this.#lastStampMs = Math.max(this.#lastStampMs + 1, (this.#options.wallMs ?? Date.now)())
    return this.#lastStampMs
  }
}
