import type { Clock, Logger } from './ports/clock.ts'
import type { Store, Tx } from './ports/store.ts'
import { Rounds } from './rounds.ts'

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
export class Forgetter extends Rounds {
  readonly #deps: ForgetterDeps

  constructor(deps: ForgetterDeps) {
    const { clock, log } = deps
    super({ clock, log, everyMs: EVERY_MS, failed: 'what is old was not removed; it is tried again' })
    this.#deps = deps
  }

  /** Returns how many were forgotten of all kinds. */
  async round(): Promise<number> {
    const { store, log, kinds } = this.#deps
    let all = 0
    for (const { what, purge } of kinds) {
      let forgotten = 0
      for (;;) {
        const now = await store.write((tx) => purge(tx, AT_ONCE))
        forgotten += now
        if (now < AT_ONCE || this.signal.aborted) break
      }
      if (forgotten > 0) log.info({ count: forgotten }, `forgot ${what}`)
      all += forgotten
    }
    return all
  }
}
