import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../orchestration/ports/clock.ts'

interface Timer {
  readonly at: number
  readonly ring: () => void
}

/**
 * Time that stands still until it is told to go on. Timers ring in the order of their times, and between two of them
 * everything that can run without time passing does run.
 */
export class VirtualClock implements Clock {
  readonly #startedAtMs: number
  #now = 0
  #timers: Timer[] = []

  /** `startedAtMs`: wall-clock time, in epoch milliseconds, at the beginning. */
  constructor(startedAtMs: number = Date.UTC(2030, 0, 1)) {
    this.#startedAtMs = startedAtMs
  }

  now(): number {
    return this.#now
  }

  /** Epoch milliseconds, a whole number. */
  readonly wallMs = (): number => this.#startedAtMs + Math.floor(this.#now)

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const timer: Timer = {
        at: this.#now + Math.max(0, ms),
        ring: () => {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      const giveUp = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#timers.push(timer)
    })
  }

  /** When the next timer rings; undefined when nobody sleeps. */
  get nextAt(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map((timer) => timer.at))
  }

  /** Goes to the next timer and rings all that are due then. False when nobody sleeps. */
  advanceToNext(): boolean {
    const at = this.nextAt
    if (at === undefined) return false
    this.#now = Math.max(this.#now, at)
    const due = this.#timers.filter((timer) => timer.at <= this.#now)
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now)
    for (const timer of due) timer.ring()
    return true
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await setImmediate()
      const at = this.nextAt
      if (at === undefined || at > until) break
      this.advanceToNext()
    }
    this.#now = until
  }
}
