import assert from 'node:assert/strict'
import { StreamedEventSchema, type StreamedEvent } from '@zund/contract/api/events.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'

const isDocumented = new Ajv2020({ strict: false }).compile(StreamedEventSchema)

/** Reads server-sent events as they come; each is held against the contract. */
export class EventStream {
  readonly response: Response
  readonly #reader: AsyncIterator<Uint8Array>
  readonly #stop: AbortController
  #text = ''
  /** As a client keeps it for its next request. */
  lastEventId = ''

  private constructor(response: Response, stop: AbortController) {
    assert.ok(response.body)
    this.response = response
    this.#reader = response.body[Symbol.asyncIterator]()
    this.#stop = stop
  }

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<EventStream> {
    const stop = new AbortController()
    const response = await fetch(url, { headers, signal: AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]) })
    assert.equal(response.status, 200, response.ok ? '' : await response.text())
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    return new EventStream(response, stop)
  }

  /** The next event; undefined: the stream has ended. */
  async next(): Promise<StreamedEvent | undefined> {
    for (;;) {
      const block = await this.#block()
      if (block === undefined) return undefined
      const lines = new Map(block.split('\n').map((line) => [line.split(':')[0], line.slice(line.indexOf(':') + 2)]))
      this.lastEventId = lines.get('id') ?? this.lastEventId
      const data = lines.get('data')
      if (data === undefined) continue
      const event = JSON.parse(data) as StreamedEvent
      assert.ok(isDocumented(event), `${data}: ${JSON.stringify(isDocumented.errors)}`)
      assert.equal(lines.get('event'), event.type)
      assert.equal(lines.get('id'), event.id)
      return event
    }
  }

  async #block(): Promise<string | undefined> {
    for (;;) {
      const at = this.#text.indexOf('\n\n')
      if (at >= 0) {
        const block = this.#text.slice(0, at)
        this.#text = this.#text.slice(at + 2)
        return block
      }
      const { done, value } = await this.#reader.next()
      if (done === true) return undefined
      this.#text += Buffer.from(value).toString('utf8')
    }
  }

  /** All up to the first that is as wanted, with it. */
  async until(isLast: (event: StreamedEvent) => boolean): Promise<StreamedEvent[]> {
    const seen: StreamedEvent[] = []
    for (;;) {
      const event = await this.next()
      assert.ok(event, `the stream ended after ${JSON.stringify(seen)}`)
      seen.push(event)
      if (isLast(event)) return seen
    }
  }

  /** All up to its end. */
  async rest(): Promise<StreamedEvent[]> {
    const seen: StreamedEvent[] = []
    for (let event = await this.next(); event !== undefined; event = await this.next()) seen.push(event)
    return seen
  }

  close(): void {
    this.#stop.abort()
  }
}
