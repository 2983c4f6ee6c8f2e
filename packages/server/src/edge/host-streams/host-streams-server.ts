import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Transform, type Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { failureOf } from '../../app/ports/host-failures.ts'
import { messageOf } from '../../domain/errors.ts'
import { peerIdentity } from '../../lib/peer-identity.ts'
import { serveHostCall, type HostCallsOptions } from './host-calls.ts'
import { WebSocketStream, type WebSocketStreamOptions } from '../../lib/web-socket-stream.ts'
import type { Logger, Service } from '../../orchestration/ports/clock.ts'
import type { EngineStreams, FollowRequest, ProgramStream } from '../../orchestration/ports/engine.ts'

export interface HostStreamsOptions extends WebSocketStreamOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** PEM. `ca` is the deployment's own: nobody else's certificates count. Only the control plane may ask. */
  readonly tls: HostTls
  /** Milliseconds for the engine to open a stream. */
  readonly openTimeoutMs: number
  /** What answers calls that are no streams; absent: there are none. */
  readonly calls?: HostCallsOptions
}

interface HostTls {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Milliseconds for a request to arrive: the largest archive over a slow line. */
const REQUEST_TIMEOUT_MS = 300_000
/** Longer than the control plane lets a connection rest. */
const KEEP_ALIVE_MS = 75_000

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024

/** What the control plane asks of a host: streams, each a WebSocket (docs/design/terminals.md), and calls. */
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
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    })
    this.#server.on('request', (request, response) => {
      const { calls } = options
      if (calls === undefined || !isControlPlane(request)) {
        response.writeHead(calls === undefined ? 404 : 403, { Connection: 'close' }).end()
      } else void serveHostCall(request, response, calls, log)
    })
    this.#server.on('tlsClientError', (error) => log.warn({ err: error }, 'a connection to this host was refused'))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#serve(request, socket, head)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port
  }

  /** For connections from now on; those that are open go on as they are. */
  renew(tls: HostTls): void {
    this.#server.setSecureContext({ ...tls, minVersion: 'TLSv1.3' })
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const stream of this.#open) stream.destroy(new Error('the host is going away'))
    this.#server.closeIdleConnections()
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
          upload.note({ failed: failureOf(error) })
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
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()))
  // Not a pipeline: that would break the stream off when the program's connection closes, before its exit code is told.
  stream.pipe(bytes)
  bytes.on('error', () => undefined).once('close', () => stream.unpipe(bytes).resume())
  stream.once('close', () => bytes.destroy())
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      if (!stream.write(chunk)) await drained(stream)
    }
    stream.note({ exit: await program.exitCode(o) })
    stream.end()
    await closed
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

function refuse(socket: Duplex, status: number, error: unknown): void {
  if (socket.destroyed || !socket.writable) return
  const body = JSON.stringify(failureOf(error))
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy())
}
