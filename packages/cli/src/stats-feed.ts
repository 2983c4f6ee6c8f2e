import { createInterface } from 'node:readline'
import type { Stats } from '@zund/client'
import type { Api } from './api.ts'
import { Refused } from './failures.ts'

/** What containers use, as it comes: one stream for each of them. */
export class StatsFeed {
  readonly #api: Api
  readonly #streams = new Map<string, AbortController>()
  readonly #latest = new Map<string, Stats>()
  #failure: unknown

  constructor(api: Api) {
    this.#api = api
  }

  /** Those and no others from now on. */
  follow(uuids: readonly string[]): void {
    for (const [uuid, stream] of this.#streams) if (!uuids.includes(uuid)) stream.abort()
    for (const uuid of uuids) if (!this.#streams.has(uuid)) this.#begin(uuid)
  }

  /** null: nothing has come yet, or it does not run. Throws what has kept a stream from coming. */
  latest(uuid: string): Stats | null {
    if (this.#failure !== undefined) throw this.#failure
    return this.#latest.get(uuid) ?? null
  }

  close(): void {
    this.follow([])
  }

  #begin(uuid: string): void {
    const stream = new AbortController()
    this.#streams.set(uuid, stream)
    this.#read(uuid, stream.signal)
      .catch((error: unknown) => {
        // It does not run, or does no longer: it is asked again, since it may be started.
        if (stream.signal.aborted || (error instanceof Refused && [404, 409].includes(error.status))) return
        this.#failure = error
      })
      .finally(() => {
        this.#streams.delete(uuid)
        this.#latest.delete(uuid)
      })
  }

  async #read(uuid: string, signal: AbortSignal): Promise<void> {
    const [query, headers] = [{ stream: true }, { accept: 'application/x-ndjson' }]
    const answer = await this.#api.open('GET', `containers/${uuid}/stats`, { query, signal, headers, timeoutMs: 0 })
    for await (const line of createInterface({ input: answer })) this.#latest.set(uuid, JSON.parse(line) as Stats)
  }
}
