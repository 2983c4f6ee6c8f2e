/** A world with one life after another on it, and time that passes only when nothing else can happen. */
import assert from 'node:assert/strict'
import { Life, TWO_RELISTS_MS, type LifeOptions } from './life.ts'
import { contextOf, type Request } from './requests.ts'
import { World } from './world.ts'

/** Virtual time after which a world that has not come to rest counts as stuck. */
const STUCK_MS = 15 * 60_000

export interface StageOptions extends Partial<Omit<LifeOptions, 'newUuid'>> {
  /** A life has ended; its successor is about to begin. */
  readonly onDeath?: () => void
}

export class Stage {
  readonly world: World
  #options: StageOptions = {}
  #life: Life
  #requests = 0
  /** Of the newest request: one that is sent again gets the same. */
  #uuids = 0

  static async make(hosts = 1): Promise<Stage> {
    const stage = new Stage(await World.make(hosts))
    await stage.#begin()
    return stage
  }

  private constructor(world: World) {
    this.world = world
    this.#life = this.newLife()
  }

  get life(): Life {
    return this.#life
  }

  /** What happens at checkpoints and calls from now on, in this life and the next ones. */
  arm(options: StageOptions): void {
    this.#options = options
  }

  /** One that is not started yet. */
  newLife(): Life {
    return new Life(this.world, {
      onCheckpoint: async (name, life) => await this.#options.onCheckpoint?.(name, life),
      onEngineCall: async (name, moment, life) => await this.#options.onEngineCall?.(name, moment, life),
      newUuid: () => {
        this.#uuids += 1
        return `00000000-0000-4000-8000-${String(this.#requests * 100 + this.#uuids).padStart(12, '0')}`
      },
    })
  }

  /** Ends the life, as a crash does, and begins the next one. */
  async crash(): Promise<void> {
    this.#life.die()
    await this.revive()
  }

  /** The next life begins although this one is not over. */
  async takeOver(): Promise<void> {
    this.#life = this.newLife()
    await this.#begin()
  }

  async revive(): Promise<void> {
    while (this.#life.isDead) {
      await this.world.activity.settle()
      this.#options.onDeath?.()
      this.#life = this.newLife()
      await this.#begin()
    }
  }

  async #begin(): Promise<void> {
    await Promise.race([this.#life.start(), this.#life.death])
  }

  /** Sends a request to this life; does not wait for anything to be done. */
  async send(request: Request, options: { again?: boolean } = {}): Promise<unknown> {
    if (options.again !== true) this.#requests += 1
    this.#uuids = 0
    return await request(this.#life.deps, contextOf(`req-${this.#requests}`))
  }

  /** Sends a request and waits for its answer. False when the life ended first; the next one has begun then. */
  async ask(request: Request, options: { again?: boolean } = {}): Promise<boolean> {
    const life = this.#life
    let isAnswered = false
    const answer = this.send(request, options).finally(() => {
      isAnswered = true
    })
    answer.catch(() => undefined)
    await this.goOn(() => isAnswered || life.isDead)
    if (isAnswered) {
      await answer
      return true
    }
    await this.revive()
    return false
  }

  /** Each to its end before the next. */
  async askAll(requests: readonly Request[]): Promise<void> {
    for (const request of requests) {
      assert.ok(await this.ask(request))
      await this.rest()
    }
  }

  /** Lets time pass until nothing is left to be done. */
  async rest(): Promise<void> {
    await this.goOn(async () => {
      await this.revive()
      return await this.world.isQuiet()
    })
  }

  /** Lets two relists happen: nothing that comes late may still change what is seen. */
  async relists(): Promise<void> {
    await this.pass(TWO_RELISTS_MS)
  }

  async pass(ms: number): Promise<void> {
    const until = this.world.clock.now() + ms
    await this.goOn(async () => {
      await this.revive()
      return this.world.clock.now() >= until
    })
    await this.world.activity.settle()
  }

  async goOn(isDone: () => boolean | Promise<boolean>): Promise<void> {
    const { activity, clock } = this.world
    const giveUpAt = clock.now() + STUCK_MS
    for (;;) {
      await activity.settle()
      if (await isDone()) return
      assert.ok(clock.now() < giveUpAt, `it does not come to rest: ${JSON.stringify(await this.world.seen())}`)
      assert.ok(clock.advanceToNext() || this.#life.isDead, 'nothing is left that could happen')
    }
  }

  async close(): Promise<void> {
    this.#options = {}
    await Promise.race([this.#life.stop(), this.#life.death])
    this.#life.die()
    await this.world.close()
  }
}
