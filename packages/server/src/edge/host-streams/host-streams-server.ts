import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Transform, type Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { messageOf, ZunError } from '../../domain/errors.ts'
import { peerIdentity } from '../../lib/peer-identity.ts'
import { WebSocketStream, type WebSocketStreamOptions } from '../../lib/web-socket-stream.ts'
import type { Logger, Service } from '../../orchestration/ports/clock.ts'
import type { EngineStreams, FollowRequest, ProgramStream } from '../../orchestration/ports/engine.ts'

export interface HostStreamsOptions extends WebSocketStreamOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** PEM. `ca` is the deployment's own: nobody else's certificates count. Only the control plane may ask. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
  /** Milliseconds for the engine to open a stream. */
  readonly openTimeoutMs: number
}

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/** Streams of one host's engine for the control plane, each a WebSocket (docs/design/terminals.md). */
export class HostStreamsServer implements Service {
  readonly #engine: EngineStreams
  readonly #options: HostStreamsOptions
  readonly #log: Logger
  readonly #server: Server
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  })
  readonly #open = new Set<WebSocketStream>()

  constructor(engine: EngineStreams, log: Logger, options: HostStreamsOptions) {
    this.#engine = engine
    this.#log = log
    this.#options = options
    this.#server = createServer({
      ...options.tls,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: true,
    })
    this.#server.on('request', (_request, response) => response.writeHead(404, { Connection: 'close' }).end())
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#serve(request, socket, head)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, this.#options.host, () => resolve())
    })
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const stream of this.#open) stream.destroy(new Error('the host is going away'))
    setTimeout(() => this.#server.closeAllConnections(), this.#options.closeGraceMs).unref()
    await closed
  }

  async #serve(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => undefined)
    const opening = new AbortController()
    const timer = setTimeout(() => opening.abort(), this.#options.openTimeoutMs)
    const accept = (headers: Readonly<Record<string, string>> = {}): WebSocketStream => {
      clearTimeout(timer)
      return this.#accept(request, socket, head, headers)
    }
    let isAccepted = false
    try {
      if (!isControlPlane(request)) return refuse(socket, 403, new Error('only the control plane may ask'))
      await this.#connect(request, { signal: opening.signal }, (headers) => {
        isAccepted = true
        return accept(headers)
      })
    } catch (error) {
      if (!isAccepted) refuse(socket, 409, error)
      else this.#log.info({ why: messageOf(error) }, 'a stream of a container broke off')
    } finally {
      clearTimeout(timer)
    }
  }

  #accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    headers: Readonly<Record<string, string>>,
  ): WebSocketStream {
    const more = (lines: string[]): void => {
      for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
    }
    this.#sockets.once('headers', more)
    let made: WebSocketStream | undefined
    this.#sockets.handleUpgrade(request, socket, head, (ws) => (made = new WebSocketStream(ws, this.#options)))
    this.#sockets.off('headers', more)
    if (made === undefined) throw new Error('this is no WebSocket handshake')
    const stream = made
    this.#open.add(stream)
    stream.on('error', () => undefined).once('close', () => this.#open.delete(stream))
    return stream
  }

  async #connect(
    request: IncomingMessage,
    o: { signal: AbortSignal },
    accept: (headers?: Readonly<Record<string, string>>) => WebSocketStream,
  ): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://host')
    const of = (name: string): string => searchParams.get(name) ?? ''
    const engine = this.#engine
    switch (pathname) {
      case '/v1/attach':
        return await talk(await engine.attachStream(of('container'), o), accept)
      case '/v1/exec':
        return await talk(await engine.startExecStream(of('exec'), o), accept)
      case '/v1/logs': {
        const { tty, bytes } = await engine.followLogs(of('container'), JSON.parse(of('request')) as FollowRequest, o)
        return await pipeline(bytes, accept({ 'x-zund-tty': String(tty) }).resume())
      }
      case '/v1/stats': {
        const samples = await engine.followStats(of('container'), o)
        const lines = new Transform({
          writableObjectMode: true,
          transform: (sample: object, _, done) => done(null, `${JSON.stringify(sample)}\n`),
        })
        return await pipeline(samples, lines, accept().resume())
      }
      case '/v1/get-archive': {
        const { stat, tar } = await engine.readArchive(of('container'), of('path'), o)
        const shown = Buffer.from(JSON.stringify(stat)).toString('base64')
        return await pipeline(tar, accept({ 'x-zund-stat': shown }).resume())
      }
      case '/v1/put-archive': {
        let upload: WebSocketStream | undefined
        try {
          await engine.writeArchive(of('container'), of('path'), () => (upload = accept()), o)
          upload?.note({ done: true })
        } catch (error) {
          if (upload === undefined) throw error
          upload.note({ failed: told(error) })
        }
        upload?.end()
        return
      }
      default:
        throw new Error(`there is no stream ${pathname}`)
    }
  }
}

function isControlPlane({ socket }: IncomingMessage): boolean {
  return peerIdentity((socket as TLSSocket).getPeerCertificate())?.role === 'control-plane'
}

async function talk(
  program: ProgramStream,
  accept: (headers: Readonly<Record<string, string>>) => WebSocketStream,
): Promise<void> {
  const { bytes, tty } = program
  const stream = accept({ 'x-zund-tty': String(tty) })
  const over = new AbortController()
  const o = { signal: over.signal }
  stream.on('note', ({ size }: { size?: { columns: number; rows: number } }) => {
    if (size !== undefined) program.resize(size, o).catch(() => undefined)
  })
  const input = pipeline(stream, bytes, { end: true }).catch(() => undefined)
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      if (!stream.write(chunk)) await drained(stream)
    }
    stream.note({ exit: await program.exitCode(o) })
    stream.end()
    await input
  } catch (error) {
    stream.destroy(new Error('the connection to the container broke'))
    throw error
  } finally {
    over.abort()
    bytes.destroy()
  }
}

async function drained(stream: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      stream.off('drain', go).off('close', go)
      resolve()
    }
    stream.on('drain', go).on('close', go)
  })
}

/** What the dialer makes an error of the same class of. */
function told(error: unknown): { code: string; message: string } {
  return { code: error instanceof ZunError ? error.code : 'engine.failed', message: messageOf(error) }
}

function refuse(socket: Duplex, status: number, error: unknown): void {
  if (socket.destroyed || !socket.writable) return
  const body = JSON.stringify(told(error))
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy())
}
