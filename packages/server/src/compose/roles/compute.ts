/** `zund compute`: one host. It works for whoever of the control plane can be reached, and waits while nobody can. */
import { LocalDoorbell } from '../../adapters/doorbell/local.ts'
import { HttpsLink } from '../../adapters/link/https.ts'
import { LocalHostGateway } from '../../adapters/streams/local-host-gateway.ts'
import { FencedOut, messageOf } from '../../domain/errors.ts'
import { HostStreamsServer } from '../../edge/host-streams/host-streams-server.ts'
import { systemClock } from '../../lib/system-clock.ts'
import type { ControlPlane } from '../../orchestration/ports/control-plane.ts'
import type { ContainerEngine } from '../../orchestration/ports/engine.ts'
import type { Doorbell } from '../../orchestration/ports/store.ts'
import { ConfigError } from '../config/config-error.ts'
import { composeCloud } from '../cloud.ts'
import { composeEngine, composeEngineArchives, composeEngineStreams } from '../engine.ts'
import { composeHost, type ComposedHost } from '../host.ts'
import { Lifetime } from '../lifetime.ts'
import { listening } from '../listening.ts'
import { composeNetworkPlugin, type NetworkPlugin } from '../network.ts'
import { ownCertificate, type OwnCertificate } from '../tls.ts'
import type { RoleDeps } from './role.ts'
import { STREAM_TIMES } from './shared-control-plane.ts'

/** Of one call on the link, in milliseconds, and how long it is tried again: less than a lease lasts. */
const CALL_TIMEOUT_MS = 15_000
const PATIENCE_MS = 45_000
/** Between two tries to begin. */
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000
const MIB = 1024 * 1024
/** What this directory belongs to. */
const DEPLOYMENT_FILE = 'deployment'

export async function startCompute(deps: RoleDeps): Promise<void> {
  const { config, state, log, life } = deps
  const { host, controlPlane: endpoints } = config
  if (endpoints.length === 0) {
    throw new ConfigError('option control_plane in [zund] is not set: nobody could give this host work')
  }
  // First of all: an engine that starts has containers to start, too, and asks it.
  const plugin = composeNetworkPlugin(config, state, log)
  if (plugin !== undefined) await life.start(plugin)
  const certificate = ownCertificate({ directory: config.tlsDirectory, part: { host } }, life, log)
  warnOfLoopback(deps)
  const link = new HttpsLink({
    endpoints,
    tls: () => certificate.current(),
    callTimeoutMs: CALL_TIMEOUT_MS,
    patienceMs: PATIENCE_MS,
    onTrouble: (trouble) => {
      if (trouble === null) log.info({ host }, 'the control plane is reached again')
      else log.warn({ host, endpoints, why: trouble }, 'the control plane cannot be reached; it is tried again')
    },
  })
  life.onStop(() => link.close())
  const computing = new Computing(deps, certificate, link.controlPlane, plugin)
  life.onStop(() => computing.stop())
  computing.start()
}

interface Composed {
  readonly engine: ContainerEngine
  readonly host: ComposedHost
}

/** From the first answer of the control plane on. */
class Computing {
  readonly #deps: RoleDeps
  readonly #certificate: OwnCertificate
  readonly #plugin: NetworkPlugin | undefined
  readonly #controlPlane: ControlPlane
  readonly #doorbell = new LocalDoorbell()
  readonly #stopping = new AbortController()
  readonly #life: Lifetime
  #work: Promise<void> | undefined

  constructor(
    deps: RoleDeps,
    certificate: OwnCertificate,
    controlPlane: ControlPlane,
    plugin: NetworkPlugin | undefined,
  ) {
    this.#deps = deps
    this.#plugin = plugin
    this.#certificate = certificate
    this.#controlPlane = ringing(controlPlane, this.#doorbell)
    this.#life = new Lifetime(deps.log)
  }

  start(): void {
    this.#work = this.#run().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#deps.onFatal(messageOf(error))
    })
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#life.stop()
    await this.#work
    // What was begun meanwhile.
    await this.#life.stop()
  }

  async #run(): Promise<void> {
    const { config, state, log } = this.#deps
    const { host } = config
    const { signal } = this.#stopping
    const known = state.read(DEPLOYMENT_FILE)?.trim()
    let composed = known === undefined ? undefined : this.#compose(known)
    // Mounts and rules of the packet filter need nobody else: containers that the engine starts at boot wait for them.
    await composed?.host.restore({ isStart: true }, signal).catch((error: unknown) => {
      log.warn({ err: error }, 'mounts and rules of the packet filter are put back when the engine answers')
    })
    const deployment = await this.#patiently(() => this.#controlPlane.deployment({ host }, { signal }))
    if (known !== undefined && known !== deployment) {
      throw new ConfigError(
        `${state.path} belongs to deployment ${known}, and the control plane is ${deployment}: use another state directory`,
      )
    }
    if (known === undefined) state.write(DEPLOYMENT_FILE, `${deployment}\n`)
    composed ??= this.#compose(deployment)
    await this.#listen(composed)
    const { agent, disposer, imageWorker } = composed.host
    this.#life.onStop(() => agent.stop())
    await this.#patiently(async () => await agent.start())
    await this.#life.start(disposer, imageWorker)
    log.info({ host, deployment }, 'working')
  }

  #compose(deployment: string): Composed {
    const { config, state, log, checkpoint, onFatal } = this.#deps
    const engine = composeEngine(config, deployment)
    this.#life.onStop(() => engine.close())
    const archives = composeEngineArchives(config)
    this.#life.onStop(() => archives.close())
    const cloud = composeCloud(config, this.#life, log)
    this.#life.onStop(() => cloud?.close())
    const host = composeHost({
      config,
      state,
      log,
      checkpoint,
      engine,
      archives,
      cloud,
      plugin: this.#plugin,
      controlPlane: this.#controlPlane,
      doorbell: this.#doorbell,
      address: { address: config.hostAddress ?? config.myIp, port: config.hostPort },
      onFencedOut: () => onFatal('another agent has taken this host over'),
    })
    return { engine, host }
  }

  async #listen({ engine, host }: Composed): Promise<void> {
    const { config, log } = this.#deps
    const streams = composeEngineStreams(config)
    this.#life.onStop(() => streams.close())
    const server = new HostStreamsServer(streams, log, {
      ...STREAM_TIMES,
      host: config.hostListenIp,
      port: config.hostPort,
      tls: this.#certificate.current(),
      calls: {
        host: config.host,
        maxArchiveBytes: config.maxArchiveMiB * MIB,
        gateway: new LocalHostGateway({
          name: config.host,
          engine,
          images: host.images,
          networks: host.networks,
          trouble: () => host.agent.engineTrouble,
        }),
      },
    })
    this.#certificate.onChange((tls) => server.renew(tls))
    await listening(() => server.start(), config.hostListenIp, config.hostPort, '[zund] host_port')
    this.#life.onStop(() => server.stop())
  }

  /** Until it succeeds. What is in the way is told once. */
  async #patiently<T>(task: () => Promise<T>): Promise<T> {
    const { log } = this.#deps
    const { signal } = this.#stopping
    let told = ''
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        return await task()
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof FencedOut || error instanceof ConfigError) throw error
        if (told !== messageOf(error)) log.warn({ why: messageOf(error) }, 'this host cannot begin yet; it waits')
        told = messageOf(error)
      }
      await systemClock.sleep(waitMs, signal)
    }
  }
}

/** A claim that comes back without work was woken by something else of this host: an image, a volume that is to go. */
function ringing(controlPlane: ControlPlane, doorbell: Doorbell): ControlPlane {
  return {
    ...controlPlane,
    claim: async (query, o) => {
      const claimed = await controlPlane.claim(query, o)
      if (claimed.length === 0) doorbell.ring(query.lane)
      return claimed
    },
  }
}

/** What was left at its default suits one machine only. */
function warnOfLoopback({ config, log }: Pick<RoleDeps, 'config' | 'log'>): void {
  const isHere = (name: string): boolean => /^(127\.|localhost$|\[?::1\]?$)/.test(name)
  const address = config.hostAddress ?? config.myIp
  const away = config.controlPlane.find((endpoint) => !isHere(new URL(endpoint).hostname))
  if (away === undefined || !isHere(address)) return
  log.warn({ address, away }, 'the control plane cannot reach this host under that address; set my_ip in [DEFAULT]')
}
