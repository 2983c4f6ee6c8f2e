/**
 * One piece of work per key for all who want it at the same time. It goes on as long as one of them still waits, and
 * everybody gets its result or its error.
 */
export class SharedWork {
  readonly #running = new Map<
    string,
    { readonly done: Promise<void>; readonly stop: AbortController; waiting: number }
  >()

  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    signal.throwIfAborted()
    const mine = this.#running.get(key) ?? this.#begin(key, work)
    mine.waiting += 1
    const { promise: left, reject } = Promise.withResolvers<never>()
    const leave = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', leave, { once: true })
    try {
      await Promise.race([mine.done, left])
    } finally {
      signal.removeEventListener('abort', leave)
      mine.waiting -= 1
      if (mine.waiting === 0) {
        // A latecomer must not be handed work that is being given up.
        if (this.#running.get(key) === mine) this.#running.delete(key)
        mine.stop.abort(signal.reason)
      }
    }
  }

  /** Whoever comes from now on begins anew; those who wait already get what was begun. */
  cutOff(): void {
    this.#running.clear()
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<void>) {
    const stop = new AbortController()
    const done = work(stop.signal)
    // Nobody may be left to hear of it.
    done.catch(() => undefined)
    const mine = { done, stop, waiting: 0 }
    this.#running.set(key, mine)
    return mine
  }
}
