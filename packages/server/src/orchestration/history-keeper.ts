import type { Clock, Logger, Service } from './ports/clock.ts'
import type { Store } from './ports/store.ts'

export interface HistoryKeeperDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** How long a deleted container is remembered. */
  readonly keptMs: number
}

const EVERY_MS = 15 * 60_000
/** In one transaction, so that others need not wait long. */
const AT_ONCE = 200

/** Forgets deleted containers when their time is over. Several processes may do it: what is gone is gone. */
export class HistoryKeeper implements Service {
  readonly #deps: HistoryKeeperDeps
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(deps: HistoryKeeperDeps) {
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
        log.warn({ err: error }, 'old history was not removed; it is tried again')
      }
      await clock.sleep(EVERY_MS, this.#stopping.signal).catch(() => undefined)
    }
  }

  /** Returns how many containers were forgotten. */
  async forgetOld(): Promise<number> {
    const { store, keptMs, log } = this.#deps
    let forgotten = 0
    for (;;) {
      const now = await store.write((tx) => tx.history.purge(keptMs, AT_ONCE))
      forgotten += now
      if (now < AT_ONCE) break
    }
    if (forgotten > 0) log.info({ containers: forgotten }, 'forgot deleted containers')
    return forgotten
  }
}
