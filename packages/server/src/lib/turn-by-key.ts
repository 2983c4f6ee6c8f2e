/** One thing at a time for each key. */
export class TurnByKey {
  readonly #ends = new Map<string, Promise<unknown>>()

  async run<T>(key: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(key)
    const mine = (async () => {
      await before?.catch(() => undefined)
      signal.throwIfAborted()
      return await task()
    })()
    this.#ends.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#ends.get(key) === mine) this.#ends.delete(key)
    }
  }
}
