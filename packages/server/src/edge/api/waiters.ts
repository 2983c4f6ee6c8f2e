import type { ServerResponse } from 'node:http'

/** For so long, in milliseconds, an answer may take to leave when the service stops. */
const FAREWELL_MS = 2_000

/** Requests that wait for something to happen. They end with their client or with the service, and are then answered. */
export class Waiters {
  readonly #closing = new AbortController()
  readonly #open = new Map<ServerResponse, AbortSignal>()

  /** Aborted when the client is gone, or has to be answered because the service stops. */
  of(response: ServerResponse): AbortSignal {
    const known = this.#open.get(response)
    if (known !== undefined) return known
    const gone = new AbortController()
    const signal = AbortSignal.any([gone.signal, this.#closing.signal])
    if (response.destroyed) {
      gone.abort()
      return signal
    }
    this.#open.set(response, signal)
    response.once('close', () => {
      this.#open.delete(response)
      gone.abort()
    })
    return signal
  }

  /** Resolves when they have been answered. */
  async close(): Promise<void> {
    this.#closing.abort()
    const answered = [...this.#open.keys()].map(
      (response) => new Promise<void>((resolve) => response.once('close', () => resolve())),
    )
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(late.resolve, FAREWELL_MS)
    await Promise.race([Promise.all(answered), late.promise])
    clearTimeout(timer)
  }
}
