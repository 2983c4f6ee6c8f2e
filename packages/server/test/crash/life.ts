/** One life of the whole service over a world: all parts that outside of tests `compose/` puts together. */
import { FakeImageDriver } from '../../src/adapters/fake/fake-image-driver.ts'
import { FakeNetworkDriver } from '../../src/adapters/fake/fake-network-driver.ts'
import { FakeVolumeDriver } from '../../src/adapters/fake/fake-volume-driver.ts'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { localLink } from '../../src/adapters/link/local.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import { checkpointedStore } from '../../src/compose/checkpointed-store.ts'
import { Gate } from '../../src/lib/gate.ts'
import { ClaimSweep } from '../../src/orchestration/claim-sweep.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import { Disposer } from '../../src/orchestration/disposer.ts'
import { HostAgent } from '../../src/orchestration/host-agent.ts'
import { ImageWorker } from '../../src/orchestration/image-worker.ts'
import type { Checkpoint, Clock } from '../../src/orchestration/ports/clock.ts'
import type { ControlPlane } from '../../src/orchestration/ports/control-plane.ts'
import type { ContainerEngine } from '../../src/orchestration/ports/engine.ts'
import type { Doorbell, Store } from '../../src/orchestration/ports/store.ts'
import { PortSweep } from '../../src/orchestration/port-sweep.ts'
import { Mover } from '../../src/orchestration/scheduling/mover.ts'
import { someSecrets } from '../support/builders.ts'
import { appOptions } from '../support/live-api.ts'
import type { Deps } from './requests.ts'
import { forever, mortal, Mortality } from './mortal.ts'
import { MixedNetworks } from './remote-networks.ts'
import { MixedVolumes } from './remote-volumes.ts'
import type { Site, World } from './world.ts'
import { quietLog } from '../support/quiet-log.ts'

export const LEASE_TTL_MS = 60_000
const RELIST_MS = 10_000
/** After this time a relist has come twice: what nobody owns is removed at the second. */
export const TWO_RELISTS_MS = 2 * RELIST_MS + 1_000

/** Creates of hosts that are away are looked for so often. */
const MOVE_POLL_MS = 10_000
/** Within the time of two relists. */
const CLAIM_SWEEP_MS = 10_000

interface SharedParts {
  readonly controlPlane: ControlPlane
  readonly doorbell: Doorbell
  readonly clock: Clock
  readonly checkpoint: Checkpoint
}

export interface LifeOptions {
  /** Called at every checkpoint; the life may die while it waits. */
  readonly onCheckpoint: (name: string, life: Life) => Promise<void>
  /** Called around every call of the engine and of the drivers. */
  readonly onEngineCall?: (name: string, moment: 'before' | 'after', life: Life) => Promise<void>
  readonly newUuid: () => string
}

export class Life extends Mortality {
  readonly agent: HostAgent
  readonly deps: Deps
  /** Set when the agent learns that another one has taken its host over. */
  isFencedOut = false
  readonly #parts: readonly { start(): Promise<void>; stop(): Promise<void> }[]
  readonly #world: World

  constructor(world: World, options: LifeOptions) {
    super()
    this.#world = world
    const clock = this.#clock()
    const checkpoint: Checkpoint = (name) => this.reach(() => options.onCheckpoint(name, this))
    const store = this.#store()
    const doorbell = new LocalDoorbell()
    let serial = 0
    const controlPlane = localLink(
      new ControlPlaneService({
        moving: appOptions,
        resumeStopped: world.resumesStopped,
        store,
        doorbell,
        clock,
        log: quietLog,
        leaseTtlMs: LEASE_TTL_MS,
        deployment: 'test',
        newUuid: () => `system-${(serial += 1)}`,
        registryFor: async () => ({ domain: null, auth: null }),
      }),
    )
    const mover = new Mover({ store, doorbell, clock, log: quietLog, options: appOptions, pollMs: MOVE_POLL_MS })
    const hosts = world.sites.map((site) => {
      const images = new FakeImageDriver(this.#engine(site, options))
      return this.#host(site, images, { controlPlane, doorbell, clock, checkpoint }, options)
    })
    const [first] = hosts
    if (first === undefined) throw new Error('a world without a host')
    this.agent = first.agent
    const claims = mortal(world.claims, this, async (_, call) => await call())
    const sweep = new ClaimSweep({ store, doorbell, claims, clock, log: quietLog, pollMs: CLAIM_SWEEP_MS })
    const ports = new PortSweep({
      store,
      forget: async (uuid) => await store.write((tx) => tx.leftoverPorts.remove(uuid)),
      release: async (port) => {
        await this.living()
        await world.host.requireCloud()
        world.host.ports.release(port)
      },
      clock,
      log: quietLog,
    })
    this.#parts = [mover, sweep, ports, ...hosts.flatMap(({ agent, disposer, worker }) => [agent, disposer, worker])]
    this.deps = {
      store: checkpointedStore(store, checkpoint),
      doorbell,
      policy: new PolicyEngine({ file: null, log: quietLog }),
      images: { check: async () => 'exists' },
      imageService: undefined,
      volumes: new MixedVolumes({ quota: appOptions.localQuota, newUuid: options.newUuid }),
      networks: new MixedNetworks({ store, pools: appOptions.localNetwork, newUuid: options.newUuid }),
      secrets: someSecrets(),
      gateway: { searchImages: async () => [] },
      sim: world.engine,
      imagesOfCloud: world.imageService,
      options: appOptions,
      clock,
      log: quietLog,
      newUuid: options.newUuid,
    }
  }

  /** What runs on one host. */
  #host(site: Site, images: FakeImageDriver, shared: SharedParts, options: LifeOptions) {
    const { engine: sim, host, name } = site
    const { clock, checkpoint, controlPlane } = shared
    const engine = this.#engine(site, options)
    const volumes = this.#driver(new FakeVolumeDriver({ sim, host }), 'volumes', options)
    const agent = new HostAgent({
      controlPlane,
      host: name,
      availabilityZone: 'nova',
      tools: {
        engine,
        images,
        networks: this.#driver(new FakeNetworkDriver({ engine: sim, sim, host }), 'networks', options),
        volumes,
        claims: this.#driver(this.#world.claims, 'claims', options),
        snapshots: this.#driver(this.#world.imageService, 'snapshots', options),
        floatingCpus: [],
        gate: new Gate(2),
        clock,
        log: quietLog,
        checkpoint,
      },
      readInventory: async () => site.has,
      restore: async () => undefined,
      onFencedOut: () => {
        this.isFencedOut = true
      },
      intervals: {
        heartbeatMs: 15_000,
        relistMs: RELIST_MS,
        pingMs: 60_000,
        pingTimeoutMs: 60_000,
        inventoryMs: 3_600_000,
        claimWaitMs: 30_000,
        progressMs: 500,
      },
      retryBudgetMs: 60_000,
      maxOperations: 10,
    })
    const common = { ...shared, host: name, session: () => agent.session, log: quietLog, pollMs: 30_000 }
    const networks = { remove: (network: string, o: { signal: AbortSignal }) => engine.removeNetwork(network, o) }
    return {
      agent,
      disposer: new Disposer({ ...common, volumes, networks }),
      worker: new ImageWorker({ ...common, images, engine, retryBudgetMs: 60_000, maxAtOnce: 2, progressMs: 0 }),
    }
  }

  async start(): Promise<void> {
    for (const part of this.#parts) await part.start()
  }

  /** As when the service is asked to stop; for the end of a test. */
  async stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop()
  }

  #clock(): Clock {
    const { clock } = this.#world
    return {
      now: () => clock.now(),
      sleep: (ms, signal) =>
        this.reach(async () => {
          try {
            await clock.sleep(ms, AbortSignal.any([signal, this.cut]))
          } catch (error) {
            signal.throwIfAborted()
            throw error
          }
        }),
    }
  }

  #store(): Store {
    const { store, activity } = this.#world
    return mortal<Store>(store, this, (_, call) => activity.watch(call))
  }

  #engine({ engine }: Site, options: LifeOptions): ContainerEngine {
    const guarded = this.#driver<ContainerEngine>(engine, 'engine', options)
    // A stream is an iterator at once, not the promise of one.
    const events: ContainerEngine['events'] = (sinceMs, o) =>
      this.#whileAlive(engine.events(sinceMs, { ...o, signal: AbortSignal.any([o.signal, this.cut]) }))
    return new Proxy(guarded, { get: (target, key) => (key === 'events' ? events : Reflect.get(target, key)) })
  }

  async *#whileAlive<T>(stream: AsyncIterable<T>): AsyncIterable<T> {
    try {
      for await (const item of stream) {
        await this.living()
        yield item
      }
    } catch (error) {
      await this.living()
      throw error
    }
  }

  #driver<T extends object>(driver: T, name: string, { onEngineCall }: LifeOptions): T {
    return mortal(driver, this, async (method, call) => {
      await onEngineCall?.(`${name}:${method}`, 'before', this)
      await this.living()
      const answer = await call()
      await onEngineCall?.(`${name}:${method}`, 'after', this)
      return answer
    })
  }

  /** The end of it, seen from within: nothing follows. */
  async dieHere(): Promise<never> {
    this.die()
    return await forever()
  }
}
