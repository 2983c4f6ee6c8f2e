/** All roles in one process, on SQLite, with the built-in identity, network and volume services: what `zund up` runs. */
import { localLink } from '../adapters/link/local.ts'
import { LocalStreamDialer } from '../adapters/streams/local-dialer.ts'
import { LocalHostGateway } from '../adapters/streams/local-host-gateway.ts'
import type { Checkpoint, Logger } from '../orchestration/ports/clock.ts'
import type { ContainerEngine } from '../orchestration/ports/engine.ts'
import { composeApi } from './api.ts'
import { checkpointedStore } from './checkpointed-store.ts'
import { composeConductor } from './conductor.ts'
import type { Config } from './config/options.ts'
import { composeCloud } from './cloud.ts'
import { composeLinkEnd, DATABASE_FILE, openControlPlane, openSecrets } from './control-plane.ts'
import { composeEngine, composeEngineArchives, composeEngineStreams, requireEngine } from './engine.ts'
import { composeHost } from './host.ts'
import { composeIdentity } from './identity.ts'
import { Lifetime } from './lifetime.ts'
import { listening } from './listening.ts'
import { composeNetworkPlugin } from './network.ts'
import { policyPlaces } from './policy-places.ts'
import type { StateDir } from './state-dir.ts'
import { composeTerminals } from './terminals.ts'
import { watchedTls } from './tls.ts'
import { apiTls, terminalTls } from './tls-places.ts'

export interface SingleMachineOptions {
  readonly config: Config
  readonly state: StateDir
  /** Where its configuration was found, for names of files beside it. */
  readonly configDirs?: readonly string[]
  readonly log: Logger
  readonly checkpoint: Checkpoint
  /** By user name, of the built-in identity. */
  readonly passwords: ReadonlyMap<string, string>
  /** The engine that is driven; the real one unless a measurement puts another in its place. */
  readonly engine?: ContainerEngine
  /** The host has been taken over by another agent: this process must end. */
  readonly onFatal: (reason: string) => void
}

export class SingleMachine {
  readonly #options: SingleMachineOptions
  readonly #life: Lifetime

  constructor(options: SingleMachineOptions) {
    this.#options = options
    this.#life = new Lifetime(options.log)
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
    const { config, state, log, checkpoint, passwords, onFatal } = this.#options
    const life = this.#life
    const parts = openControlPlane(state.file(DATABASE_FILE))
    const { database, store, doorbell, tickets } = parts
    life.onStop(() => store.close())
    const secrets = await openSecrets(parts, this.#options)
    // First of all: an engine that starts has containers to start, too, and asks it.
    const plugin = composeNetworkPlugin(config, state, log)
    if (plugin !== undefined) await life.start(plugin)
    const engine = this.#options.engine ?? this.#engine(database.deploymentId)
    await requireEngine(engine, config)
    const { identity, logins, close } = await composeIdentity({ config, database, passwords, life, log })
    life.onStop(close)
    const cloud = composeCloud(config, life, log)
    life.onStop(() => cloud?.close())
    await life.start(...composeConductor({ ...parts, config, log, cloud }))

    const archives = composeEngineArchives(config)
    life.onStop(() => archives.close())
    const { agent, disposer, imageWorker, images, networks, registry } = composeHost({
      config,
      state,
      log,
      checkpoint,
      engine,
      archives,
      cloud,
      plugin,
      controlPlane: localLink(composeLinkEnd({ ...parts, config, log, secrets })),
      doorbell,
      onFencedOut: () => onFatal('another agent has taken this host over'),
    })
    await life.start(agent, disposer, imageWorker)

    const streams = composeEngineStreams(config)
    life.onStop(() => streams.close())
    const dialer = new LocalStreamDialer({ host: config.host, engine: streams })
    const terminals = composeTerminals({
      config,
      log,
      store,
      tickets,
      dialer,
      tls: watchedTls(terminalTls(config), life, log),
    })
    await listening(() => terminals.server.start(), config.wsproxyHost, config.wsproxyPort, '--wsproxy-port')
    life.onStop(() => terminals.server.stop())

    const api = composeApi({
      config,
      rules: policyPlaces(config, [...(this.#options.configDirs ?? []), state.path]),
      log,
      store: checkpointedStore(store, checkpoint),
      doorbell,
      identity,
      logins,
      tickets,
      registry,
      cloud,
      secrets,
      terminals: terminals.proxy,
      dialer,
      tls: watchedTls(apiTls(config), life, log),
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
    life.onStop(async () => {
      await terminals.proxy.stop()
      await api.close()
    })
  }

  /** What an operator may have changed in place: reads it again, and drops nothing. */
  reload(): void {
    this.#life.reload()
  }

  /** Operations are let go, not cancelled: the next start resumes them. Containers keep running. */
  async stop(): Promise<void> {
    await this.#life.stop()
  }

  #engine(deployment: string): ContainerEngine {
    const engine = composeEngine(this.#options.config, deployment)
    this.#life.onStop(() => engine.close())
    return engine
  }
}
