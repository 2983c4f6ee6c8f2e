/**
 * The container engine of one host. Adapters: adapters/docker (real), adapters/fake (SimEngine); both pass
 * test/contract/engine.suite.ts.
 *
 * Errors, for every method: EngineUnavailable (no answer, or not within the deadline; the effect is unknown),
 * EngineNotFound, EngineConflict (not running, already paused …), EngineRefused (the request is bad; the text is fit
 * for the user), anything else SystemFault. "Already so" is a success.
 */
import type { Duplex, Readable } from 'node:stream'
import type { Cpuset, Observation, RegistryAuth } from './wire.ts'

export interface EngineCallOptions {
  readonly signal: AbortSignal
}

export interface EngineInfo {
  readonly version: string
  /** Version of the API spoken on this connection, after negotiation. */
  readonly apiVersion: string
  readonly cpus: number
  readonly memTotalBytes: number
  readonly architecture: string
  readonly osType: string
  readonly os: string
  readonly kernelVersion: string
  readonly labels: Readonly<Record<string, string>>
  readonly runtimes: readonly string[]
  readonly defaultRuntime: string
  readonly rootDir: string
  readonly storageDriver: string
  /** True when the storage driver can limit the size of a container's writable layer. */
  readonly diskQuotaSupported: boolean
  /** Size in GiB that every container's disk has at least, where the storage driver knows such a thing. */
  readonly diskBaseGiB: number | null
  readonly totalContainers: number
}

export interface EngineMount {
  /** Absolute path on the host. It must exist: the engine is told not to create it. */
  readonly source: string
  readonly destination: string
}

export interface EngineEndpoint {
  /** Name of the engine network (= the API's network id). */
  readonly network: string
  readonly ipv4Address: string | null
  readonly ipv6Address: string | null
  readonly macAddress: string | null
  /** For the container's resolver; absent or none: the engine's own. Only those of its first interface count. */
  readonly dnsServers?: readonly string[]
}

/** The allow-list: nothing that is not named here can reach the engine from a tenant. */
export interface EngineCreateRequest {
  /** `zun-<uuid>` */
  readonly name: string
  readonly containerUuid: string
  readonly projectId: string
  readonly generation: number
  /** Image reference or id as the image driver resolved it. */
  readonly image: string
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  readonly environment: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly workdir: string | null
  readonly hostname: string | null
  readonly exposedPorts: readonly string[]
  readonly tty: boolean
  readonly interactive: boolean
  readonly cpu: number
  readonly memoryMiB: number
  readonly diskGiB: number
  /** Cores it may run on, and NUMA nodes it may have memory of (none: of any). null: all of them. */
  readonly cpuset: Cpuset | null
  readonly restartPolicy: { readonly name: string; readonly maximumRetryCount: number } | null
  readonly healthcheck: {
    readonly test: string | null
    readonly intervalS: number | null
    readonly timeoutS: number | null
    readonly retries: number | null
  } | null
  readonly autoRemove: boolean
  readonly privileged: boolean
  readonly runtime: string | null
  readonly mounts: readonly EngineMount[]
  /** First interface; the others are connected afterwards. null: no network at all. */
  readonly endpoint: EngineEndpoint | null
  /**
   * `shared`: others may join its network and IPC namespaces. A uuid: it joins those of that container, which must run
   * when this one is started, and is not the same when it is made anew; it then has no endpoint, hostname and exposed ports of its own. null: it stays alone.
   */
  readonly namespaces: 'shared' | { readonly of: string } | null
}

/** Cores, MiB, and the cores it may run on; what is not there stays as it is. */
export interface EngineUpdate {
  readonly cpu?: number
  readonly memoryMiB?: number
  readonly cpuset?: Cpuset
}

/** One engine container that carries our label. */
export interface EngineContainer {
  readonly containerUuid: string
  readonly engineId: string
  readonly seen: Observation
  /** Engine networks it is connected to, by network name. */
  readonly networks: readonly string[]
}

export interface EngineEvent {
  readonly kind: 'container' | 'resync'
  /** Uuid of our container, from the label. Empty for `resync`: events may have been missed, list again. */
  readonly containerUuid: string
  readonly action: string
  readonly atMs: number
  /** With `die`. */
  readonly exitCode?: number
}

export interface EngineImage {
  readonly id: string
  readonly repoTags: readonly string[]
  readonly repoDigests: readonly string[]
  readonly sizeBytes: number
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
}

export interface PullProgress {
  /** Human text, e.g. `3 of 7 layers, 41 %`. */
  readonly detail: string
  readonly layers: Count
  /** null: the engine has not named any. */
  readonly bytes: Count | null
}

export interface Count {
  readonly current: number
  readonly total: number
}

export interface EngineNetwork {
  readonly name: string
  readonly engineId: string
  /** Names of the running containers on it. */
  readonly containers: readonly string[]
  /** Interface of the bridge on the host; absent: the engine chose it, or has no such thing. */
  readonly bridge?: string
  readonly subnets?: EngineNetworkRequest['subnets']
  readonly driver?: string
  readonly createdAtMs?: number
}

export interface EngineNetworkRequest {
  readonly name: string
  readonly projectId: string
  readonly displayName: string
  readonly subnets: readonly { readonly cidr: string; readonly gateway: string | null; readonly version: 4 | 6 }[]
  /** Driver for the network and its addresses, and what it is told; absent: the engine's own bridge. */
  readonly plugin?: { readonly driver: string; readonly options: Readonly<Record<string, string>> }
  /** Name for the bridge's interface on the host, at most 15 characters; absent: the engine chooses. */
  readonly bridge?: string
}

export interface LogsRequest {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  /** Number of lines, or null for all. */
  readonly tail: number | null
  /** Epoch seconds, fraction allowed; null for all. */
  readonly since: number | null
  /** Bytes after which the answer is cut. */
  readonly maxBytes: number
}

export interface ExecRequest {
  readonly command: readonly string[]
  /** With standard input. */
  readonly interactive: boolean
  /** On a terminal; absent: if it is interactive. */
  readonly tty?: boolean
}

export interface ExecResult {
  readonly output: Buffer
  /** Null: its output was cut and it still runs. */
  readonly exitCode: number | null
  readonly truncated: boolean
}

/** Raw sample, in the engine's own units. */
export interface StatsSample {
  readonly cpuTotalNs: number
  readonly cpuSystemNs: number
  readonly previousCpuTotalNs: number
  readonly previousCpuSystemNs: number
  readonly onlineCpus: number
  /** Without the page cache that can be dropped. */
  readonly memUsageBytes: number
  readonly memLimitBytes: number
  readonly blockReadBytes: number
  readonly blockWriteBytes: number
  readonly netRxBytes: number
  readonly netTxBytes: number
}

export interface PathStat {
  readonly name: string
  readonly size: number
  readonly mode: number
  readonly mtime: string
  readonly linkTarget: string
}

export interface ContainerEngine {
  /** EngineUnavailable also while it goes down, when it still does what it is asked. */
  ping(o: EngineCallOptions): Promise<void>
  info(o: EngineCallOptions): Promise<EngineInfo>

  /** All containers with our label, running or not. */
  list(o: EngineCallOptions): Promise<EngineContainer[]>
  /** undefined: the engine has none for this uuid. Never EngineNotFound. */
  inspect(containerUuid: string, o: EngineCallOptions): Promise<EngineContainer | undefined>
  /** Events of containers with our label since `sinceMs`. Ends by throwing EngineUnavailable, or when aborted. */
  events(sinceMs: number, o: EngineCallOptions): AsyncIterable<EngineEvent>

  /** What it still knows to have happened to one container, oldest first, also when that is gone. It forgets in time. */
  pastEvents(containerUuid: string, o: EngineCallOptions): Promise<EngineEvent[]>

  create(request: EngineCreateRequest, o: EngineCallOptions): Promise<string>
  start(containerUuid: string, o: EngineCallOptions): Promise<void>
  /** `timeoutS` null: the engine's default (10 s); 0: kill at once. Returns when the process is gone. */
  stop(containerUuid: string, timeoutS: number | null, o: EngineCallOptions): Promise<void>
  restart(containerUuid: string, timeoutS: number | null, o: EngineCallOptions): Promise<void>
  pause(containerUuid: string, o: EngineCallOptions): Promise<void>
  unpause(containerUuid: string, o: EngineCallOptions): Promise<void>
  /** `signal` null: SIGKILL. */
  kill(containerUuid: string, signal: string | null, o: EngineCallOptions): Promise<void>
  /** With its anonymous volumes. Gone already is a success; "removal in progress" is waited for. */
  remove(containerUuid: string, force: boolean, o: EngineCallOptions): Promise<void>
  update(containerUuid: string, change: EngineUpdate, o: EngineCallOptions): Promise<void>

  logs(containerUuid: string, request: LogsRequest, o: EngineCallOptions): Promise<Buffer>
  top(
    containerUuid: string,
    psArgs: string | null,
    o: EngineCallOptions,
  ): Promise<{ Titles: string[]; Processes: string[][] }>
  stats(containerUuid: string, o: EngineCallOptions): Promise<StatsSample>
  resizeTty(containerUuid: string, size: { columns: number; rows: number }, o: EngineCallOptions): Promise<void>
  createExec(containerUuid: string, request: ExecRequest, o: EngineCallOptions): Promise<string>
  /** Runs it to its end; output is cut at `maxBytes`. */
  runExec(execId: string, maxBytes: number, o: EngineCallOptions): Promise<ExecResult>
  /** EngineNotFound unless the exec runs and is one of this container: the id alone gives no right to it. */
  resizeExec(
    containerUuid: string,
    execId: string,
    size: { columns: number; rows: number },
    o: EngineCallOptions,
  ): Promise<void>
  /** `tar` is a stream; abort it to stop early. EngineNotFound when the path does not exist. */
  getArchive(
    containerUuid: string,
    path: string,
    o: EngineCallOptions,
  ): Promise<{ stat: PathStat; tar: AsyncIterable<Buffer> }>
  putArchive(containerUuid: string, path: string, tar: AsyncIterable<Buffer>, o: EngineCallOptions): Promise<void>

  /** undefined: no such image. `reference` is a name with tag or digest, or an id. */
  inspectImage(reference: string, o: EngineCallOptions): Promise<EngineImage | undefined>
  /** Resolves when the image is there. EngineNotFound when the registry says so; EngineRefused on bad credentials. */
  pullImage(
    reference: string,
    auth: RegistryAuth | null,
    onProgress: (p: PullProgress) => void,
    o: EngineCallOptions,
  ): Promise<void>
  /** Gone already is a success. EngineConflict when it is the last name of an image that a container has, whoever made that. */
  removeImage(reference: string, o: EngineCallOptions): Promise<void>
  /** With tag, of all images that have a name below this path, which ends with a slash. */
  imageNames(path: string, o: EngineCallOptions): Promise<string[]>
  /** Makes an image under this name of a tar of its files, which then runs `entrypoint`. */
  importImage(reference: string, files: Buffer, entrypoint: readonly string[], o: EngineCallOptions): Promise<void>
  searchImages(term: string, o: EngineCallOptions): Promise<ImageSearchResult[]>
  /** Image id of the new image. Pauses the container while it copies. */
  commit(containerUuid: string, repository: string, tag: string, o: EngineCallOptions): Promise<string>

  inspectNetwork(name: string, o: EngineCallOptions): Promise<EngineNetwork | undefined>
  /** Adopt or create, by name. */
  ensureNetwork(request: EngineNetworkRequest, o: EngineCallOptions): Promise<EngineNetwork>
  /** Gone already is a success. EngineConflict while containers are connected. */
  removeNetwork(name: string, o: EngineCallOptions): Promise<void>
  /** Networks with our label. */
  listNetworks(o: EngineCallOptions): Promise<EngineNetwork[]>
  connect(containerUuid: string, endpoint: EngineEndpoint, o: EngineCallOptions): Promise<void>
  disconnect(containerUuid: string, network: string, o: EngineCallOptions): Promise<void>
}

/** A program one talks to. */
export interface ProgramStream {
  /** It has a terminal: what it writes comes as it is. Otherwise in frames (lib/output-frames.ts), one kind for each output. */
  readonly tty: boolean
  /**
   * What is written goes to the program as it is; ending it tells the program that there is no more input, destroying it
   * breaks the connection off.
   */
  readonly bytes: Duplex
  /** Without a terminal, or when the program has ended: EngineConflict, EngineNotFound or EngineRefused. */
  resize(size: { columns: number; rows: number }, o: EngineCallOptions): Promise<void>
  /** To be asked when `bytes` has come to its end. null: the program goes on without this stream, or nobody knows any more. */
  exitCode(o: EngineCallOptions): Promise<number | null>
}

export type FollowRequest = Omit<LogsRequest, 'maxBytes'>

/** A log that grows: in frames unless the container has a terminal. */
export interface LogStream {
  readonly tty: boolean
  readonly bytes: Readable
}

/**
 * Connections that live on after the call. The signal stays in charge: when it is aborted later, the stream is destroyed.
 * Only the opening has a deadline. Nothing is read faster than whoever has it takes it.
 */
export interface EngineStreams {
  /** Input and output of the main program from now on; nothing is repeated. */
  attachStream(containerUuid: string, o: EngineCallOptions): Promise<ProgramStream>
  /** Starts the exec. EngineNotFound when there is none, EngineConflict when it was started before. */
  startExecStream(execId: string, o: EngineCallOptions): Promise<ProgramStream>
  /** What was written and what is going to be, until the container ends. */
  followLogs(containerUuid: string, request: FollowRequest, o: EngineCallOptions): Promise<LogStream>
  /** About one a second, until the container ends. Objects of type StatsSample. */
  followStats(containerUuid: string, o: EngineCallOptions): Promise<Readable>
  /** EngineNotFound when there is no such container or path. */
  readArchive(
    containerUuid: string,
    path: string,
    o: EngineCallOptions,
  ): Promise<{ readonly stat: PathStat; readonly tar: Readable }>
  /**
   * Unpacks a tar as it comes. Resolves when all of it is unpacked. What is wrong with container or path is said before
   * `begin` gives the tar away, if the engine can tell by then.
   */
  writeArchive(containerUuid: string, path: string, begin: () => Readable, o: EngineCallOptions): Promise<void>
}

export interface ImageSearchResult {
  readonly name: string
  readonly description: string
  readonly is_automated: boolean
  readonly metadata: { readonly is_official: boolean; readonly star_count: number }
}

/** Images as archives of any length: tars that hold a `manifest.json`. */
export interface EngineArchives {
  /** To be read or destroyed. EngineNotFound when there is no such image. `reference` is a name with tag, or an id. */
  saveImage(reference: string, o: EngineCallOptions): Promise<Readable>
  /**
   * Under the names that the archive itself gives, which are then taken from the images that had them. EngineRefused when
   * it is no archive of images. The archive's own error when that breaks off.
   */
  loadImage(archive: Readable, o: EngineCallOptions): Promise<void>
}
