import type { IncomingMessage } from 'node:http'
import { Agent } from 'node:https'
import { PassThrough, Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WebSocket } from 'ws'
import type { StreamDialer } from '../../app/ports/stream-dialer.ts'
import { errorOf } from '../../app/ports/host-failures.ts'
import { EngineUnavailable, messageOf, Unavailable } from '../../domain/errors.ts'
import { authorityOf, onlyHost, type HostAccess } from './host-access.ts'
import { WebSocketStream, type WebSocketStreamOptions } from '../../lib/web-socket-stream.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { FollowRequest, LogStream, PathStat, ProgramStream } from '../../orchestration/ports/engine.ts'

export interface HttpsDialerOptions extends WebSocketStreamOptions, HostAccess {
  readonly openTimeoutMs: number
}

interface Opened {
  readonly stream: WebSocketStream
  readonly headers: IncomingMessage['headers']
}

/** For hosts elsewhere: edge/host-streams is at the other end. */
export class HttpsStreamDialer implements StreamDialer {
  readonly #options: HttpsDialerOptions

  constructor(options: HttpsDialerOptions) {
    this.#options = options
  }

  async attach(host: string, containerUuid: string, o: CallOptions): Promise<ProgramStream> {
    return program(await this.#open(host, 'attach', { container: containerUuid }, o))
  }

  async exec(host: string, execId: string, o: CallOptions): Promise<ProgramStream> {
    return program(await this.#open(host, 'exec', { exec: execId }, o))
  }

  async logs(host: string, containerUuid: string, request: FollowRequest, o: CallOptions): Promise<LogStream> {
    const query = { container: containerUuid, request: JSON.stringify(request) }
    const { stream, headers } = await this.#open(host, 'logs', query, o)
    return { tty: headers['x-zund-tty'] === 'true', bytes: stream.end() }
  }

  async stats(host: string, containerUuid: string, o: CallOptions): Promise<Readable> {
    const { stream } = await this.#open(host, 'stats', { container: containerUuid }, o)
    stream.end()
    return Readable.from(objectsOf(stream), { highWaterMark: 1 })
  }

  async getArchive(
    host: string,
    containerUuid: string,
    path: string,
    o: CallOptions,
  ): Promise<{ stat: PathStat; tar: Readable }> {
    const { stream, headers } = await this.#open(host, 'get-archive', { container: containerUuid, path }, o)
    const told = Buffer.from(String(headers['x-zund-stat']), 'base64').toString('utf8')
    return { stat: JSON.parse(told) as PathStat, tar: stream.end() }
  }

  async putArchive(
    host: string,
    containerUuid: string,
    path: string,
    begin: () => Readable,
    o: CallOptions,
  ): Promise<void> {
    const { stream } = await this.#open(host, 'put-archive', { container: containerUuid, path }, o)
    const answered = new Promise<void>((resolve, reject) => {
      stream.once('note', ({ failed }: { failed?: unknown }) => {
        if (failed === undefined) resolve()
        else reject(errorOf(failed))
      })
      stream.once('close', () => reject(new EngineUnavailable('the host broke the upload off')))
    })
    // A refusal in the middle comes before the break of the upload that follows from it.
    answered.catch(() => stream.destroy())
    stream.resume()
    try {
      await Promise.race([answered, pipeline(begin(), stream as Duplex)])
    } catch (error) {
      stream.destroy()
      throw error
    }
    await answered
  }

  async #open(
    host: string,
    kind: string,
    query: Readonly<Record<string, string>>,
    { signal }: CallOptions,
  ): Promise<Opened> {
    const { tls, openTimeoutMs } = this.#options
    const authority = await authorityOf(this.#options, host)
    signal.throwIfAborted()
    const ws = new WebSocket(`wss://${authority}/v1/${kind}?${new URLSearchParams(query).toString()}`, {
      agent: new Agent({ ...tls(), ...onlyHost(host) }),
      perMessageDeflate: false,
      handshakeTimeout: openTimeoutMs,
    })
    const giveUp = (): void => ws.terminate()
    signal.addEventListener('abort', giveUp, { once: true })
    ws.once('close', () => signal.removeEventListener('abort', giveUp))
    return await new Promise<Opened>((resolve, reject) => {
      let headers: IncomingMessage['headers'] = {}
      ws.once('upgrade', (response) => (headers = response.headers))
      ws.once('unexpected-response', (_request, response) => {
        refusalOf(response).then(reject, reject)
      })
      ws.once('error', (error) => {
        const why = { cause: error, retryAfterS: 10 }
        reject(signal.aborted ? signal.reason : new Unavailable('The host of the container cannot be reached.', why))
      })
      ws.once('open', () => resolve({ stream: new WebSocketStream(ws, this.#options), headers }))
    })
  }
}

function program({ stream, headers }: Opened): ProgramStream {
  const exit = new Promise<number | null>((resolve) => {
    stream.on('note', (note: { exit?: number | null }) => {
      if (note.exit !== undefined) resolve(note.exit)
    })
    stream.once('close', () => resolve(null))
  })
  return {
    tty: headers['x-zund-tty'] === 'true',
    bytes: stream,
    resize: async (size) => stream.note({ size }),
    exitCode: async () => await exit,
  }
}

async function* objectsOf(stream: Readable): AsyncGenerator {
  let rest = ''
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
  }
}

async function refusalOf(response: Readable): Promise<Error> {
  let text = ''
  for await (const chunk of response.pipe(new PassThrough()) as AsyncIterable<Buffer>) text += chunk.toString('utf8')
  try {
    return errorOf(JSON.parse(text))
  } catch (error) {
    return new Unavailable('The host gave no answer that could be read.', { cause: new Error(messageOf(error)) })
  }
}
