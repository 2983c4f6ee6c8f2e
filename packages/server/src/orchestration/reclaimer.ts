import { messageOf } from '../domain/errors.ts'
import type { Advance, AdvanceReads } from './ports/advances.ts'
import type { Clock, Logger } from './ports/clock.ts'
import { Rounds } from './rounds.ts'
import type { OperationParams } from './ports/wire.ts'

export interface ReclaimerDeps {
  readonly store: {
    readonly advances: AdvanceReads
    readonly operations: {
      unfinished(containerUuid: string): Promise<readonly { readonly params: Pick<OperationParams, 'imageUuid'> }[]>
    }
  }
  /** What was made is gone. */
  readonly forget: (uuid: string) => Promise<unknown>
  readonly clock: Clock
  readonly log: Logger
  /** Removes what is known by this id or mark; repeatable. */
  readonly remove: Readonly<Record<Advance['kind'], (uuid: string, o: { signal: AbortSignal }) => Promise<void>>>
}

const EVERY_MS = 15_000
/** Longer than any request takes. */
const ABANDONED_MS = 10 * 60_000
const AT_ONCE = 50
const TIMEOUT_MS = 60_000

/**
 * Removes what was made in other services for requests that came to nothing, or whose process died before they were accepted.
 * Several processes may do it: what is gone is gone.
 */
export class Reclaimer extends Rounds {
  readonly #deps: ReclaimerDeps

  constructor(deps: ReclaimerDeps) {
    const { clock, log } = deps
    super({ clock, log, everyMs: EVERY_MS, failed: 'what was made in advance was not looked at' })
    this.#deps = deps
  }

  async round(): Promise<void> {
    const { store, log, forget } = this.#deps
    for (const advance of await store.advances.due(ABANDONED_MS, AT_ONCE)) {
      this.signal.throwIfAborted()
      if (await this.#isInWork(advance)) continue
      const { uuid, kind } = advance
      try {
        const signal = AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS)])
        await this.#deps.remove[kind](uuid, { signal })
        await forget(uuid)
        log.info({ kind, uuid }, 'removed what was made for a request that came to nothing')
      } catch (error) {
        log.warn({ kind, uuid, why: messageOf(error) }, 'what was made for a request could not be removed yet')
      }
    }
  }

  async #isInWork({ uuid, containerUuid }: Advance): Promise<boolean> {
    if (containerUuid === null) return false
    const unfinished = await this.#deps.store.operations.unfinished(containerUuid)
    return unfinished.some(({ params }) => params.imageUuid === uuid)
  }
}
