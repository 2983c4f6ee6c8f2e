/** Cuts what a part of the service can do to the world at the moment when that part dies. */
import { setImmediate } from 'node:timers/promises'

/** Never comes back: to whoever is dead no answer is given. */
export async function forever(): Promise<never> {
  return await new Promise<never>(() => undefined)
}

/** How much goes on, over all lives of one world: when nothing moves any more, only time can move on. */
export class Activity {
  #moved = 0
  #underWay = 0

  async watch<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1
    this.#moved += 1
    try {
      return await work()
    } finally {
      this.#underWay -= 1
      this.#moved += 1
    }
  }

  /** Returns when everything that can go on without time passing has done so. */
  async settle(): Promise<void> {
    for (;;) {
      const before = this.#moved
      for (let turn = 0; turn < TURNS; turn += 1) await setImmediate()
      if (this.#moved === before && this.#underWay === 0) return
    }
  }
}

/** A commit waits one turn of the event loop for others; twice that, and one for good measure. */
const TURNS = 4

/** One life. `cut` is aborted when it ends. */
export class Mortality {
  readonly #cut = new AbortController()
  /** Resolves at the death. */
  readonly death: Promise<void>

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.death = promise
    this.#cut.signal.addEventListener('abort', () => resolve())
  }

  get cut(): AbortSignal {
    return this.#cut.signal
  }

  get isDead(): boolean {
    return this.#cut.signal.aborted
  }

  die(): void {
    this.#cut.abort(new Error('this life is over'))
  }

  /** Lets only the living pass. */
  async living(): Promise<void> {
    if (this.isDead) await forever()
  }

  /** Calls reach the world only while this life lasts, and so do answers. What is under way at the death is still done. */
  async reach<T>(call: () => Promise<T>): Promise<T> {
    await this.living()
    try {
      const answer = await call()
      await this.living()
      return answer
    } catch (error) {
      await this.living()
      throw error
    }
  }
}

/** `target`, whose every method is cut off by the death. `onCall` may hold or kill before and after each of them. */
export function mortal<T extends object>(
  target: T,
  life: Mortality,
  around: (name: string, call: () => Promise<unknown>) => Promise<unknown>,
): T {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value === 'object' && value !== null) return mortal(value, life, around)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) =>
        life.reach(() => around(String(key), async () => (await Reflect.apply(value, target, args)) as unknown))
    },
  })
}
