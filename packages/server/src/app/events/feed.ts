import { onBehalfOfNobody } from '../../lib/log-ids.ts'
import type { Clock, Logger } from '../../orchestration/ports/clock.ts'
import { EVENTS_BELL, type EventReads, type StoredEvent } from '../../orchestration/ports/events.ts'
import type { Doorbell } from '../../orchestration/ports/store.ts'

export interface EventFeedDeps {
  readonly events: EventReads
  readonly doorbell: Pick<Doorbell, 'listen'>
  readonly clock: Clock
  readonly log: Logger
  /** Longest time between two looks although nobody rang. */
  readonly pollMs: number
}

/** Newest events, which listeners read from memory. Older ones come from the table. */
const WINDOW = 2_000
const PAGE = 500

export type Read =
  | { readonly kind: 'events'; readonly events: readonly StoredEvent[]; readonly cursor: number }
  /** What follows the place that was asked for is not there any more, or the place never was. */
  | { readonly kind: 'reset'; readonly reason: 'expired' | 'unknown'; readonly cursor: number }

/**
 * The events of the table for all who listen in this process. One look at the table, at a ring or every so often, serves
 * everybody; a listener has nothing here but its place. Whoever is so slow that its place has left the window reads
 * pages of the table until it has caught up. Nobody looks while nobody listens.
 */
export class EventFeed {
  readonly #deps: EventFeedDeps
  readonly #stopping = new AbortController()
  /** All with an id above `#floor`, up to `#head`. */
  #window: StoredEvent[] = []
  #floor = 0
  #head = 0
  #listeners = 0
  #idle: AbortController | undefined
  #loop: Promise<void> | undefined
  #wake = new AbortController()
  readonly #waiting = new Set<() => void>()

  constructor(deps: EventFeedDeps) {
    this.#deps = deps
  }

  /** Aborted when the service stops. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Until all have left, the table is looked at. `head`: the newest event that is committed now. */
  async enter(): Promise<{ readonly head: number; readonly leave: () => void }> {
    this.#listeners += 1
    const leave = (): void => {
      this.#listeners -= 1
      if (this.#listeners === 0) this.#idle?.abort()
    }
    try {
      const { newest } = await this.#deps.events.bounds()
      this.#begin(newest)
      return { head: newest, leave }
    } catch (error) {
      leave()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#idle?.abort()
    await this.#loop
  }

  #begin(newest: number): void {
    if ((this.#idle !== undefined && !this.#idle.signal.aborted) || this.#stopping.signal.aborted) return
    const idle = new AbortController()
    this.#idle = idle
    this.#window = []
    this.#floor = newest
    this.#head = newest
    this.#deps.doorbell.listen(EVENTS_BELL, () => this.#wake.abort(), idle.signal)
    const before = this.#loop
    // The first who listens starts it for all.
    this.#loop = onBehalfOfNobody(async () => {
      await before
      await this.#run(idle.signal)
    })
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, log, pollMs } = this.#deps
    while (!signal.aborted) {
      // Renewed before looking: a ring that comes between the look and the wait must not be lost.
      this.#wake = new AbortController()
      try {
        while (await this.#look(signal)) continue
      } catch (error) {
        log.warn({ err: error }, 'events could not be read; it is tried again')
      }
      await clock.sleep(pollMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
    }
  }

  /** True when there may be more. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const events = await this.#deps.events.after(this.#head, PAGE)
    const last = events.at(-1)
    // Another loop may have taken over.
    if (signal.aborted || last === undefined) return false
    this.#window.push(...events)
    this.#head = last.id
    const tooMany = this.#window.length - WINDOW
    if (tooMany > 0) this.#floor = this.#window.splice(0, tooMany).at(-1)?.id ?? this.#floor
    for (const onMove of this.#waiting) onMove()
    return events.length === PAGE
  }

  /** A page behind the cursor; `cursor` of the answer is the place behind it. */
  async read(cursor: number): Promise<Read> {
    if (cursor >= this.#floor && cursor <= this.#head) {
      const events = this.#window.slice(firstBehind(this.#window, cursor), firstBehind(this.#window, cursor) + PAGE)
      return { kind: 'events', events, cursor: events.at(-1)?.id ?? cursor }
    }
    const { events: table } = this.#deps
    const events = await table.after(cursor, PAGE)
    // After the page: what was forgotten before it was read is missing from it.
    const { oldest, newest } = await table.bounds()
    if (cursor > newest) return { kind: 'reset', reason: 'unknown', cursor: newest }
    if (cursor < oldest - 1) return { kind: 'reset', reason: 'expired', cursor: newest }
    return { kind: 'events', events, cursor: events.at(-1)?.id ?? cursor }
  }

  /** True when there may be something behind the cursor; false when the time is over, or it was aborted. */
  async moved(cursor: number, withinMs: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (cursor < this.#head) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timer = new AbortController()
    const onMove = (): void => resolve(true)
    const onAbort = (): void => resolve(false)
    this.#waiting.add(onMove)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#deps.clock.sleep(withinMs, timer.signal).then(onAbort, () => undefined)
    try {
      return await promise
    } finally {
      this.#waiting.delete(onMove)
      signal.removeEventListener('abort', onAbort)
      timer.abort()
    }
  }
}

/** Index of the first whose id is greater. */
function firstBehind(events: readonly StoredEvent[], id: number): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((events[middle]?.id ?? Infinity) > id) high = middle
    else low = middle + 1
  }
  return low
}
