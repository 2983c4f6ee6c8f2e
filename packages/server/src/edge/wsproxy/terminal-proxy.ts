import { STATUS_CODES, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { TerminalRequest } from '../../app/streams/open-terminal.ts'
import {
  ApiError,
  EngineNotFound,
  EngineUnavailable,
  Forbidden,
  InvalidInput,
  Unavailable,
  UserFault,
} from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { ProgramStream } from '../../orchestration/ports/engine.ts'
import { isOriginAllowed, type OriginOptions } from './origin.ts'
import { chooseProtocol, protocolFor } from './choose-protocol.ts'
import { TerminalSession, type SessionOptions } from './terminal-session.ts'

export interface TerminalProxyOptions extends OriginOptions, SessionOptions {
  /** Bytes of one message from the user. Too small breaks large pastes of browsers, which come as one message. */
  readonly maxMessageBytes: number
  /** Terminals open at once; more are refused with 503. */
  readonly maxSessions: number
  /** Milliseconds to check the ticket and connect to the program. */
  readonly openTimeoutMs: number
}

export interface TerminalProxyDeps {
  /** Uses the ticket up and connects (app/streams/open-terminal.ts). */
  readonly open: (request: TerminalRequest, o: { signal: AbortSignal }) => Promise<ProgramStream>
  readonly log: Logger
  readonly options: TerminalProxyOptions
}

/** Where the user has reached the server that hands an upgrade over. */
export interface ReachedAt {
  readonly scheme: 'ws' | 'wss'
  readonly host: string
}

/**
 * Terminals over WebSocket. Any HTTP server can hand it its upgrades.
 *
 * Everything is checked, and the program connected to, before the upgrade is answered: a client shows the status of a
 * refusal to its user, but ends without a word when the connection is closed after it.
 */
export class TerminalProxy {
  readonly #deps: TerminalProxyDeps
  readonly #server: WebSocketServer
  readonly #sessions = new Map<TerminalSession, Promise<void>>()
  readonly #stopping = new AbortController()
  #opening = 0

  constructor(deps: TerminalProxyDeps) {
    this.#deps = deps
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      // Bytes are passed on as they are, whatever the frame calls them.
      skipUTF8Validation: true,
      maxPayload: deps.options.maxMessageBytes,
      handleProtocols: chooseProtocol,
    })
  }

  get sessions(): number {
    return this.#sessions.size
  }

  /** Never rejects: a connection that is not upgraded is answered and closed. */
  async handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, at?: ReachedAt): Promise<void> {
    const { log } = this.#deps
    // A user who leaves meanwhile is not seen, for nobody reads from the socket yet; the session then ends at once.
    const ignore = (): void => undefined
    socket.on('error', ignore)
    this.#opening += 1
    try {
      const program = await this.#open(request, at)
      socket.off('error', ignore)
      this.#begin(program, request, socket, head)
    } catch (error) {
      const { status, message } = refusalOf(error)
      if (status === 500) log.error({ err: error }, 'a terminal could not be opened')
      else log.info({ status, why: message }, 'a terminal was refused')
      refuse(socket, status, message)
    } finally {
      this.#opening -= 1
    }
  }

  #begin(program: ProgramStream, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    let upgraded = false
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      upgraded = true
      const session = new TerminalSession(ws, program, protocolFor(ws.protocol, program.tty), this.#deps.options)
      const done = session.run().finally(() => this.#sessions.delete(session))
      this.#sessions.set(session, done)
    })
    // The library has found fault with the handshake, and has answered.
    if (!upgraded) program.bytes.destroy()
  }

  async #open(request: IncomingMessage, at: ReachedAt | undefined): Promise<ProgramStream> {
    const { open, options } = this.#deps
    this.#stopping.signal.throwIfAborted()
    if (this.#sessions.size + this.#opening > options.maxSessions) {
      throw new Unavailable(`At most ${options.maxSessions} terminals can be open at once.`)
    }
    requireHandshake(request)
    if (!isAllowed(request.headers, options, at)) {
      throw new Forbidden(`Terminals may not be opened from pages of ${String(request.headers.origin).slice(0, 255)}.`)
    }
    // The stream obeys its signal for as long as it lives; afterwards nobody aborts this one any more.
    const opening = new AbortController()
    const giveUp = (why: string): void => opening.abort(new Unavailable(why))
    const stop = (): void => giveUp(STOPPING)
    const timer = setTimeout(() => giveUp('The container did not answer in time.'), options.openTimeoutMs)
    this.#stopping.signal.addEventListener('abort', stop, { once: true })
    try {
      return await open(terminalRequest(request), { signal: opening.signal })
    } finally {
      clearTimeout(timer)
      this.#stopping.signal.removeEventListener('abort', stop)
    }
  }

  /** Every terminal is told, and cut when it does not go in time. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Unavailable(STOPPING))
    const running = [...this.#sessions]
    for (const [session] of running) session.goAway()
    await Promise.allSettled(running.map(([, done]) => done))
  }
}

/** Behind another proxy the headers alone do not tell what the user's page sees. */
function isAllowed(headers: IncomingHttpHeaders, options: OriginOptions, at: ReachedAt | undefined): boolean {
  if (at === undefined) return isOriginAllowed(headers, options)
  const seen = { host: at.host, ...(headers.origin === undefined ? {} : { origin: headers.origin }) }
  return isOriginAllowed(seen, { ...options, scheme: at.scheme })
}

const STOPPING = 'The terminal proxy is stopping.'

/** The last value of a parameter counts. None of them may ever be logged. */
function terminalRequest(request: IncomingMessage): TerminalRequest {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
  const last = (name: string): string | undefined => query.getAll(name).at(-1)
  return {
    token: last('token') ?? '',
    uuid: last('uuid') ?? '',
    execId: last('exec_id') ?? null,
    isBeforeStart: last('before_start') === 'true',
  }
}

/** What the library would refuse, before the ticket is used up for it. */
function requireHandshake({ method, headers }: IncomingMessage): void {
  const key = headers['sec-websocket-key'] ?? ''
  const fits =
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(key)
  if (!fits) throw new InvalidInput('This is not a WebSocket handshake of version 13.')
}

function refusalOf(error: unknown): { status: number; message: string } {
  if (error instanceof ApiError) return { status: error.status, message: error.message }
  if (error instanceof EngineNotFound) return { status: 404, message: 'The container or the command is gone.' }
  if (error instanceof EngineUnavailable)
    return { status: 503, message: "The host's container engine does not answer." }
  if (error instanceof UserFault) return { status: 409, message: error.message }
  return { status: 500, message: 'The terminal could not be opened.' }
}

function refuse(socket: Duplex, status: number, message: string): void {
  if (socket.destroyed || !socket.writable) return
  const body = Buffer.from(`${message}\n`)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]), () => socket.destroy())
}
