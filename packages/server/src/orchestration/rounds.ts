import type { Clock, Logger, Service } from './ports/clock.ts'

export interface RoundsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Between the end of a round and the next. */
  readonly everyMs: number
  /** For the log, when a round has failed; the next one comes all the same. */
  readonly failed: string
  /** Has itself called back when a round is not to be waited for. */
  readonly listen?: (onRing: () => void, signal: AbortSignal) => void
}

/** What is done at the start and then every so often, until it is stopped. */
export abstract class Rounds implements Service {
  readonly #options: RoundsOptions
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined

  constructor(options: RoundsOptions) {
    this.#options = options
  }

  abstract round(): Promise<unknown>

  /** Aborted when it is to stop. */
  protected get signal(): AbortSignal {
    return this.#stopping.signal
  }

  async start(): Promise<void> {
    this.#loop = this.#run()
  }

  /** Resolves when the round that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  async #run(): Promise<void> {
    const { clock, log, everyMs, failed, listen } = this.#options
    const { signal } = this
    let wake = new AbortController()
    listen?.(() => wake.abort(), signal)
    while (!signal.aborted) {
      // Renewed before looking: a ring that comes in the middle of a round must not be lost.
      wake = new AbortController()
      try {
        await this.round()
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, failed)
      }
      await clock.sleep(everyMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined)
    }
  }
}
