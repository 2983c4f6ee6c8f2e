import type { Clock, Logger, Service } from './ports/clock.ts'
import type { Store, Tx } from './ports/store.ts'

export interface Forgettable {
  /** For the log. */
  readonly what: string
  /** Forgets up to `max`; says how many. */
  purge(tx: Tx, max: number): Promise<number>
}

export interface ForgetterDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  readonly kinds: readonly Forgettable[]
}

const EVERY_MS = 60_000
/** In one transaction, so that others need not wait long. */
const AT_ONCE = 200

/** Forgets what has been kept for long enough. Several processes may do it: what is gone is gone. */
export class Forgetter implements Service {
  readonly #deps: ForgetterDeps
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(deps: ForgetterDeps) {
    this.#deps = deps
  }

  start(): Promise<void> {
    this.#loop = this.#run()
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#deps
    while (!this.#stopping.signal.aborted) {
      try {
        await this.forgetOld()
      } catch (error) {
        log.warn({ err: error }, 'what is old was not removed; it is tried again')
      }
      await clock.sleep(EVERY_MS, this.#stopping.signal).catch(() => undefined)
    }
  }

  /** Returns how many were forgotten of all kinds. */
  async forgetOld(): Promise<number> {
    const { store, log, kinds } = this.#deps
    let all = 0
    for (const { what, purge } of kinds) {
      let forgotten = 0
      for (;;) {
        const now = await store.write((tx) => purge(tx, AT_ONCE))
        forgotten += now
        if (now < AT_ONCE || this.#stopping.signal.aborted) break
      }
      if (forgotten > 0) log.info({ count: forgotten }, `forgot ${what}`)
      all += forgotten
    }
    return all
  }
}
