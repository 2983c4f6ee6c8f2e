/** Server-sent events, and how they are taken up again. */
import { EVENT_ENDPOINTS } from '@zund/contract/api/endpoints/events.ts'
import type { StreamedEvent } from '@zund/contract/api/events.ts'
import type { Given } from '@zund/contract/fields/field.ts'
import { requestOf, type CallOptions, type HttpRequest } from './call.ts'
import { ApiError, ConnectionError } from './errors.ts'
import { pause } from './wait.ts'

type Endpoint = typeof EVENT_ENDPOINTS.listenEvents

/**
 * `for await (const event of client.listenEvents({ query: { uuid } }, { signal }))`. The first event is `ready` or `reset`; when the
 * connection breaks it is opened again behind the last event, and no second `ready` is given. Ends with its `timeout`, throws
 * what the service refuses and, when it is given up, the reason of the signal.
 */
export type ListenEvents = (
  input?: { readonly query?: Given<Endpoint['args']> },
  o?: CallOptions,
) => AsyncGenerator<StreamedEvent, void, void>

type Open = (request: HttpRequest, signal: AbortSignal) => Promise<Response>

/** Until the service names another. */
const RETRY_MS = 2_000

export function listener(open: Open): ListenEvents {
  return async function* listenEvents({ query = {} } = {}, { signal } = {}) {
    // Ends the connection when whoever listens has had enough.
    const stop = new AbortController()
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
    const place = new Place()
    try {
      for (;;) {
        try {
          yield* connection(open, query, place, either)
          // It was to end.
          if (query.timeout !== undefined) return
        } catch (error) {
          // What never was open may never be.
          if (either.aborted || place.id === undefined || !isPassing(error)) throw error
        }
        await pause(place.retryMs, either)
      }
    } finally {
      stop.abort()
    }
  }
}

/** Where the stream is. */
class Place {
  id: string | undefined
  retryMs = RETRY_MS
}

async function* connection(
  open: Open,
  query: Given<Endpoint['args']>,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<StreamedEvent> {
  const isFirst = place.id === undefined
  const request = requestOf(EVENT_ENDPOINTS.listenEvents, { query })
  const headers = {
    accept: 'text/event-stream, application/json',
    ...(place.id === undefined ? {} : { 'last-event-id': place.id }),
  }
  const { body } = await open({ ...request, headers }, signal)
  if (body === null) throw new ConnectionError('the stream of events has no body')
  try {
    for await (const block of blocks(body)) {
      const event = read(block, place)
      if (event !== undefined && (isFirst || event.type !== 'ready')) yield event
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof TypeError ? new ConnectionError('the stream of events broke off', { cause: error }) : error
  }
}

async function* blocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = ''
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      yield text.slice(0, at)
      text = text.slice(at + 2)
    }
  }
}

function read(block: string, place: Place): StreamedEvent | undefined {
  let data: string | undefined
  for (const line of block.split('\n')) {
    const at = line.indexOf(':')
    const [name, value] = [line.slice(0, at), line.slice(at + 1).trimStart()]
    if (name === 'id') place.id = value
    else if (name === 'data') data = value
    else if (name === 'retry' && /^[0-9]{1,6}$/.test(value)) place.retryMs = Number(value)
  }
  return data === undefined ? undefined : (JSON.parse(data) as StreamedEvent)
}

/** Not there now, or too much asked of it now. */
function isPassing(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && error.status >= 500)
}
