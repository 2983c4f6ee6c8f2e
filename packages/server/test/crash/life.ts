/** One life of the whole service over a world: all parts that outside of tests `compose/` puts together. */
import { FakeImageDriver } from '../../src/adapters/fake/fake-image-driver.ts'
import { FakeNetworkDriver } from '../../src/adapters/fake/fake-network-driver.ts'
import { FakeVolumeDriver } from '../../src/adapters/fake/fake-volume-driver.ts'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { localLink } from '../../src/adapters/link/local.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import { checkpointedStore } from '../../src/compose/checkpointed-store.ts'
import { Gate } from '../../src/lib/gate.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import { Disposer } from '../../src/orchestration/disposer.ts'
import { HostAgent } from '../../src/orchestration/host-agent.ts'
import { ImageWorker } from '../../src/orchestration/image-worker.ts'
import type { Checkpoint, Clock } from '../../src/orchestration/ports/clock.ts'
import type { ContainerEngine } from '../../src/orchestration/ports/engine.ts'
import type { Store } from '../../src/orchestration/ports/store.ts'
import { someSecrets } from '../support/builders.ts'
import { appOptions, inventory } from '../support/live-api.ts'
import type { Deps } from './requests.ts'
import { forever, mortal, Mortality } from './mortal.ts'
import { HOST, type World } from './world.ts'
import { quietLog } from '../support/quiet-log.ts'

export const LEASE_TTL_MS = 60_000
const RELIST_MS = 10_000
/** After this time a relist has come twice: what nobody owns is removed at the second. */
export const TWO_RELISTS_MS = 2 * RELIST_MS + 1_000

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
    const engine = this.#engine(options)
    const store = this.#store()
    const doorbell = new LocalDoorbell()
    let serial = 0
    const controlPlane = localLink(
      new ControlPlaneService({
        store,
        doorbell,
        clock,
        log: quietLog,
        leaseTtlMs: LEASE_TTL_MS,
        newUuid: () => `system-${(serial += 1)}`,
        registryFor: async () => ({ domain: null, auth: null }),
      }),
    )
    const { engine: sim, host } = world
    const images = new FakeImageDriver(engine)
    const volumes = this.#driver(new FakeVolumeDriver({ sim, host }), 'volumes', options)
    this.agent = new HostAgent({
      controlPlane,
      host: HOST,
      availabilityZone: 'nova',
      tools: {
        engine,
        images,
        networks: this.#driver(new FakeNetworkDriver({ engine: sim, sim, host }), 'networks', options),
        volumes,
        floatingCpus: [],
        gate: new Gate(2),
        clock,
        log: quietLog,
        checkpoint,
      },
      readInventory: async () => inventory,
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
    const shared = {
      controlPlane,
      doorbell,
      host: HOST,
      session: () => this.agent.session,
      clock,
      log: quietLog,
      checkpoint,
    }
    this.#parts = [
      this.agent,
      new Disposer({
        ...shared,
        volumes,
        networks: { remove: (name, o) => engine.removeNetwork(name, o) },
        pollMs: 30_000,
      }),
      new ImageWorker({ ...shared, images, engine, pollMs: 30_000, retryBudgetMs: 60_000, maxAtOnce: 2 }),
    ]
    this.deps = {
      store: checkpointedStore(store, checkpoint),
      doorbell,
      policy: new PolicyEngine({ file: null, log: quietLog }),
      images: { check: async () => 'exists' },
      secrets: someSecrets(),
      gateway: { searchImages: async () => [] },
      options: appOptions,
      clock,
      log: quietLog,
      newUuid: options.newUuid,
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

  #engine(options: LifeOptions): ContainerEngine {
    const { engine } = this.#world
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
