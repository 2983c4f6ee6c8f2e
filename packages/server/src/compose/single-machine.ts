/** All roles in one process, on SQLite, with the built-in identity, network and volume services: what `zund up` runs. */
import { randomUUID } from 'node:crypto'
import { DockerStreams } from '../adapters/docker/docker-streams.ts'
import { DockerEngine } from '../adapters/docker/docker-engine.ts'
import { LocalDoorbell } from '../adapters/doorbell/local.ts'
import { BuiltInIdentity } from '../adapters/identity/built-in-identity.ts'
import { localLink } from '../adapters/link/local.ts'
import { SqlDatabase } from '../adapters/sql/database.ts'
import { SqlStreamTickets } from '../adapters/sql/repos/stream-tickets.ts'
import { SqlStore } from '../adapters/sql/sql-store.ts'
import { LocalStreamDialer } from '../adapters/streams/local-dialer.ts'
import { LocalHostGateway } from '../adapters/streams/local-host-gateway.ts'
import { messageOf } from '../domain/errors.ts'
import { systemClock } from '../lib/system-clock.ts'
import { SealedSecrets } from '../adapters/secrets/sealed-secrets.ts'
import { accessForOperation } from '../app/registries/access.ts'
import { resealPasswords } from '../app/registries/reseal.ts'
import { ControlPlaneService } from '../orchestration/control-plane/service.ts'
import { Forgetter } from '../orchestration/forgetter.ts'
import type { Checkpoint, Logger } from '../orchestration/ports/clock.ts'
import type { ContainerEngine } from '../orchestration/ports/engine.ts'
import { EVENTS_BELL } from '../orchestration/ports/events.ts'
import { Mover } from '../orchestration/scheduling/mover.ts'
import { composeApi } from './api.ts'
import { baseUrl } from './base-url.ts'
import { appOptions } from './app-options.ts'
import { checkpointedStore } from './checkpointed-store.ts'
import { CLOUD_USERS } from './clouds-file.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import { forgettable } from './forgettable.ts'
import { composeHost, imageDefaults, PING_TIMEOUT_MS } from './host.ts'
import { policyPlaces } from './policy-places.ts'
import type { StateDir } from './state-dir.ts'
import { secretKeys } from './secret-keys.ts'
import { composeTerminals } from './terminals.ts'
import { TlsFiles, type TlsPlaces } from './tls-files.ts'
import { apiTls, terminalTls } from './tls-places.ts'

export const DATABASE_FILE = 'zund.sqlite'
export const ROLES = ['api', 'conductor', 'compute', 'wsproxy'] as const

const LEASE_TTL_MS = 60_000
const PULL_STALL_MS = 120_000
/** Creates of hosts that are away are looked for so often. */
const MOVE_POLL_MS = 10_000
const TICKET_TTL_MS = 60_000

export interface SingleMachineOptions {
  readonly config: Config
  readonly state: StateDir
  /** Where its configuration was found, for names of files beside it. */
  readonly configDirs?: readonly string[]
  readonly log: Logger
  readonly checkpoint: Checkpoint
  /** By user name. */
  readonly passwords: ReadonlyMap<string, string>
  /** The engine that is driven; the real one unless a measurement puts another in its place. */
  readonly engine?: ContainerEngine
  /** The host has been taken over by another agent: this process must end. */
  readonly onFatal: (reason: string) => void
}

export class SingleMachine {
  readonly #options: SingleMachineOptions
  readonly #tlsFiles: TlsFiles[] = []
  /** How to end what has been started, in the order of the starts. */
  #stops: (() => Promise<void> | void)[] = []

  constructor(options: SingleMachineOptions) {
    this.#options = options
  }

  /** ConfigError with one line for the user when something is in the way; nothing is left running then. */
  async start(): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #start(): Promise<void> {
    const { config, state, log, checkpoint, onFatal } = this.#options
    const database = openDatabase(state.file(DATABASE_FILE))
    const doorbell = new LocalDoorbell()
    const store = new SqlStore(database, { onEvents: () => doorbell.ring(EVENTS_BELL) })
    this.#stops.push(() => store.close())
    const secrets = new SealedSecrets(secretKeys(config, state))
    await resealPasswords(store, secrets, log)
    const engine = this.#options.engine ?? this.#dockerEngine(database.deploymentId)
    await requireEngine(engine, config)
    const identity = await this.#identity(database)
    const controlPlane = localLink(
      new ControlPlaneService({
        store,
        doorbell,
        clock: systemClock,
        log,
        leaseTtlMs: LEASE_TTL_MS,
        newUuid: randomUUID,
        moving: appOptions(config),
        resumeStopped: config.resumeContainerState,
        // Credentials of the operator's registry stay on the host; these are the project's own.
        registryFor: (container) =>
          accessForOperation({ ...imageDefaults(config), registries: store.registries, secrets, log }, container),
      }),
    )
    const mover = new Mover({
      store,
      doorbell,
      clock: systemClock,
      log,
      options: appOptions(config),
      pollMs: MOVE_POLL_MS,
    })
    await mover.start()
    this.#stops.push(() => mover.stop())
    const { agent, disposer, imageWorker, images, networks, registry } = composeHost({
      config,
      state,
      log,
      checkpoint,
      engine,
      controlPlane,
      doorbell,
      onFencedOut: () => onFatal('another agent has taken this host over'),
    })
    await agent.start()
    this.#stops.push(() => agent.stop())
    await disposer.start()
    this.#stops.push(() => disposer.stop())
    await imageWorker.start()
    this.#stops.push(() => imageWorker.stop())

    const forgetter = new Forgetter({ store, clock: systemClock, log, kinds: forgettable(config) })
    await forgetter.start()
    this.#stops.push(() => forgetter.stop())

    const tickets = new SqlStreamTickets({ database, ttlMs: TICKET_TTL_MS })
    const streams = new DockerStreams({ socketPath: socketPath(config), callTimeoutMs: config.dockerTimeout * 1000 })
    this.#stops.push(() => streams.close())
    const dialer = new LocalStreamDialer({ host: config.host, engine: streams })
    const tls = this.#tls()
    const terminals = composeTerminals({ config, log, store, tickets, dialer, tls: tls.terminals })
    await listening(() => terminals.server.start(), config.wsproxyHost, config.wsproxyPort, '--wsproxy-port')
    this.#stops.push(() => terminals.server.stop())

    const api = composeApi({
      config,
      rules: policyPlaces(config, [...(this.#options.configDirs ?? []), state.path]),
      log,
      store: checkpointedStore(store, checkpoint),
      doorbell,
      identity,
      tickets,
      registry,
      secrets,
      terminals: terminals.proxy,
      dialer,
      tls: tls.api,
      gateway: new LocalHostGateway({
        name: config.host,
        engine,
        images,
        networks,
        trouble: () => agent.engineTrouble,
      }),
    })
    const { apiHostIp: host, apiPort: port } = config
    await listening(() => api.listen({ host, port }), host, port, '--api-port')
    // Terminals at the API's port are told before it closes.
    this.#stops.push(async () => {
      await terminals.proxy.stop()
      await api.close()
    })
  }

  /** What an operator may have changed in place: reads it again, and drops nothing. */
  reload(): void {
    for (const files of this.#tlsFiles) files.reload()
  }

  #tls(): Readonly<Record<'api' | 'terminals', TlsFiles | undefined>> {
    const { config, log } = this.#options
    const start = (places: TlsPlaces): TlsFiles => {
      const files = new TlsFiles(places, log)
      files.start()
      this.#tlsFiles.push(files)
      this.#stops.push(() => files.stop())
      return files
    }
    const [api, terminals] = [apiTls(config), terminalTls(config)]
    return {
      api: api === null ? undefined : start(api),
      terminals: terminals === null ? undefined : start(terminals),
    }
  }

  /** Operations are let go, not cancelled: the next start resumes them. Containers keep running. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.toReversed()) {
      try {
        await stop()
      } catch (error) {
        this.#options.log.error({ err: error }, 'a part did not stop cleanly')
      }
    }
    this.#stops = []
  }

  #dockerEngine(deployment: string): DockerEngine {
    const { config } = this.#options
    const engine = new DockerEngine({
      socketPath: socketPath(config),
      callTimeoutMs: config.dockerTimeout * 1000,
      pullStallMs: PULL_STALL_MS,
      deployment,
      memorySwapMiB: config.defaultMemorySwap,
      hardening: {
        pidsLimit: config.pidsLimit,
        logMaxSize: config.logMaxSize,
        logMaxFiles: config.logMaxFiles,
        defaultRuntime: config.containerRuntime,
      },
    })
    this.#stops.push(() => engine.close())
    return engine
  }

  async #identity(database: SqlDatabase): Promise<BuiltInIdentity> {
    const { config, passwords } = this.#options
    const identity = new BuiltInIdentity({
      database,
      authenticateUri: `${baseUrl(config)}/identity`,
      tokenTtlMs: config.tokenLifetime * 1000,
    })
    for (const { user, project, role } of CLOUD_USERS) {
      const { id } = await identity.ensureUser(user, passwords.get(user) ?? randomUUID())
      await identity.assign(id, (await identity.ensureProject(project)).id, role)
    }
    return identity
  }
}

function socketPath(config: Config): string {
  return config.dockerApiUrl.slice('unix://'.length)
}

async function requireEngine(engine: ContainerEngine, config: Config): Promise<void> {
  try {
    await engine.ping({ signal: AbortSignal.timeout(PING_TIMEOUT_MS) })
  } catch (error) {
    throw new ConfigError(`no usable container engine at ${config.dockerApiUrl}: ${messageOf(error)}`)
  }
}

function openDatabase(file: string): SqlDatabase {
  try {
    return new SqlDatabase(file)
  } catch (error) {
    throw new ConfigError(`the database ${file} cannot be opened: ${messageOf(error)}`)
  }
}

async function listening(start: () => Promise<unknown>, host: string, port: number, option: string): Promise<void> {
  try {
    await start()
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'EADDRINUSE') throw new ConfigError(`port ${port} of ${host} is taken; choose another by ${option}`)
    throw new ConfigError(`cannot listen on ${host} port ${port}: ${messageOf(error)}`)
  }
}
