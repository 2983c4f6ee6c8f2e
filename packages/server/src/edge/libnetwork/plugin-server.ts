import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { messageOf } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { Logger, Service } from '../../orchestration/ports/clock.ts'
import type { HostPorts, PortPlugger } from '../../orchestration/ports/host-ports.ts'
import { ipamHandlers } from './ipam-driver.ts'
import { isObject, Refusal, type Message } from './message.ts'
import { networkHandlers } from './network-driver.ts'

export interface PluginServerDeps {
  /** In a directory in which the engine looks for plugins; its name is the driver's. */
  readonly socketPath: string
  readonly ports: HostPorts
  readonly plugger: PortPlugger
  readonly log: Logger
  /** Milliseconds until a call is given up. */
  readonly answerWithinMs?: number
}

const CONTENT_TYPE = 'application/vnd.docker.plugins.v1+json'
const MAX_MESSAGE_BYTES = 1024 * 1024
/** Milliseconds. The engine waits for an answer without end, with locks held that its other calls need. */
const ANSWER_WITHIN_MS = 10_000

type Handler = (message: Message, o: CallOptions) => Message | Promise<Message>

/** A network and address driver of the engine: plugin protocol version 1, on a unix socket. */
export class PluginServer implements Service {
  readonly #deps: PluginServerDeps
  readonly #answerWithinMs: number
  readonly #handlers: ReadonlyMap<string, Handler>
  readonly #server: Server
  readonly #stopping = new AbortController()

  constructor(deps: PluginServerDeps) {
    this.#deps = deps
    this.#answerWithinMs = deps.answerWithinMs ?? ANSWER_WITHIN_MS
    this.#handlers = new Map<string, Handler>([
      ['Plugin.Activate', () => ({ Implements: ['NetworkDriver', 'IpamDriver'] })],
      ...Object.entries<Handler>(ipamHandlers(deps.ports)),
      ...Object.entries<Handler>(networkHandlers(deps.ports, deps.plugger)),
    ])
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** Throws when another program answers at the socket: two of one name would both be asked. */
  async start(): Promise<void> {
    const { socketPath } = this.#deps
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o755 })
    if (await isAnswered(socketPath)) throw new Error(`another network plugin answers at ${socketPath}`)
    rmSync(socketPath, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(socketPath, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    chmodSync(socketPath, 0o600)
  }

  /** What is being answered is answered; the engine tries again where nobody listens. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const patience = setTimeout(() => {
      this.#stopping.abort(new Refusal('the network plugin is stopping', 503))
      this.#server.closeAllConnections()
    }, this.#answerWithinMs)
    await closed
    clearTimeout(patience)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = (request.url ?? '').split('?')[0]?.slice(1) ?? ''
    try {
      const handler = this.#handlers.get(call)
      if (handler === undefined) throw new Refusal(`there is no ${call.slice(0, 80)}`, 404)
      if (request.method !== 'POST') throw new Refusal('plugins are asked by POST', 405)
      const message = await messageIn(request)
      const signal = AbortSignal.any([AbortSignal.timeout(this.#answerWithinMs), this.#stopping.signal])
      const answer = await handler(message, { signal })
      this.#deps.log.debug({ call, message, answer }, 'answered the engine')
      send(response, 200, answer)
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500
      this.#deps.log.warn({ call, status, err: error }, `refused the engine: ${messageOf(error)}`)
      // One name each for the two kinds of drivers; which of them asks is not worth a question.
      send(response, status, { Err: messageOf(error), Error: messageOf(error) })
    }
  }
}

/** An empty body is an empty message. */
async function messageIn(request: IncomingMessage): Promise<Message> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_MESSAGE_BYTES) throw new Refusal(`a message may have ${MAX_MESSAGE_BYTES} bytes`, 413)
    chunks.push(bytes)
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  if (text === '' || text === 'null') return {}
  const parsed = parse(text)
  if (!isObject(parsed)) throw new Refusal('the message is no object')
  return parsed
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal('the message is no JSON')
  }
}

function send(response: ServerResponse, status: number, body: Message): void {
  response.writeHead(status, { 'content-type': CONTENT_TYPE })
  response.end(JSON.stringify(body))
}

async function isAnswered(socketPath: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
