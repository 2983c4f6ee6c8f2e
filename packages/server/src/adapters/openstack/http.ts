import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { PassThrough, pipeline, type Readable } from 'node:stream'

export interface ClientTls {
  /** PEM; absent: the authorities of the system. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Take any certificate. */
  readonly insecure: boolean
}

/** What is in force now: files may be replaced while the service runs. */
export interface ClientTlsSource {
  readonly current: ClientTls
}

export interface HttpRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | Readable
  readonly signal: AbortSignal
  /** Milliseconds in which nothing moves, although it could. */
  readonly stallMs: number
}

/** Less than any server keeps an idle connection, so that none is closed under a request. */
const IDLE_MS = 4_000
const SOCKETS = 64
const LARGEST_HEADERS = 64 * 1024

/** Connections to the services of one group of options. */
export class HttpClient {
  readonly #plain = new PlainAgent({ keepAlive: true, maxSockets: SOCKETS, timeout: IDLE_MS })
  /** It keeps connections of other certificates apart: those of former ones are used no more, and end when they are idle. */
  readonly #tls = new TlsAgent({ keepAlive: true, maxSockets: SOCKETS, timeout: IDLE_MS, minVersion: 'TLSv1.2' })
  readonly #source: ClientTlsSource

  constructor(source: ClientTlsSource) {
    this.#source = source
  }

  /** The answer when it begins; redirects are not followed, because tokens must not go elsewhere. */
  async send(asked: HttpRequest): Promise<IncomingMessage> {
    try {
      return await this.#once(asked)
    } catch (error) {
      // The other side has closed a connection that was kept; it has read nothing of this.
      if (!(error instanceof ClosedBefore) || asked.body !== undefined || asked.signal.aborted) throw error
      return await this.#once(asked)
    }
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }

  #certificates(): { rejectUnauthorized: boolean; ca?: string; cert?: string; key?: string } {
    const { insecure, ...pem } = this.#source.current
    return { ...pem, rejectUnauthorized: !insecure }
  }

  async #once({ url, method, headers, body, signal, stallMs }: HttpRequest): Promise<IncomingMessage> {
    signal.throwIfAborted()
    return await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { method, headers: { ...headers }, signal, maxHeaderSize: LARGEST_HEADERS }
      const begun =
        url.protocol === 'https:'
          ? tlsRequest(url, { ...options, ...this.#certificates(), agent: this.#tls })
          : plainRequest(url, { ...options, agent: this.#plain })
      let answer: IncomingMessage | undefined
      begun.on('response', (response) => {
        answer = response
        resolve(response)
      })
      begun.on('error', (error) => {
        reject(begun.reusedSocket && 'code' in error && error.code === 'ECONNRESET' ? new ClosedBefore(error) : error)
      })
      begun.setTimeout(stallMs, () => {
        if (isOurTurn(begun, body, answer)) begun.setTimeout(stallMs)
        else begun.destroy(new Stalled(stallMs))
      })
      if (body === undefined || Buffer.isBuffer(body)) begun.end(body)
      // An answer before all was sent is an answer; what reads the rest does not matter then.
      else pipeline(body, begun, (error) => error != null && answer === undefined && reject(error))
    })
  }
}

/** Nothing moves because we have nothing to send yet, or do not read what is there. */
function isOurTurn(sent: ClientRequest, body: HttpRequest['body'], answer: IncomingMessage | undefined): boolean {
  if (answer !== undefined) return answer.readableLength > 0
  return body !== undefined && !Buffer.isBuffer(body) && !body.readableEnded && sent.writableLength === 0
}

class ClosedBefore extends Error {
  constructor(cause: Error) {
    super('the connection was closed', { cause })
  }
}

export class Stalled extends Error {
  constructor(ms: number) {
    super(`nothing came for ${ms / 1000} s`)
  }
}

/** Of an answer that must be whole. */
export async function readAll(response: Readable, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new Error(`the answer has more than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** The same bytes; what breaks them off is told as `toError` says. */
export function withErrors(source: Readable, toError: (error: Error) => Error): Readable {
  class Told extends PassThrough {
    override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
      super._destroy(error === null ? null : toError(error), callback)
    }
  }
  return pipeline(source, new Told(), () => undefined)
}
