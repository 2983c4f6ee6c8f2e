import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { isLinkCall } from '@zund/contract/link/calls.ts'
import { FencedOut } from '../../domain/errors.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { peerIdentity } from '../../lib/peer-identity.ts'
import type { Logger, Service } from '../../orchestration/ports/clock.ts'
import type { ControlPlane } from '../../orchestration/ports/control-plane.ts'
import { answerLinkCall, BadMessage, type SpokenFor } from '../../orchestration/ports/link.ts'

/** PEM. */
export interface TlsFiles {
  /** Of the authority that has signed the certificates of both ends. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface AgentApiOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly tls: TlsFiles
}

const PREFIX = '/link/v1/'
/** Milliseconds for a request to arrive. */
const REQUEST_TIMEOUT_MS = 30_000
/** Longer than agents let a connection rest. */
const KEEP_ALIVE_MS = 75_000
/** Of one message. The largest is what a host has seen of all its containers. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024

/**
 * The control plane's end of the link over HTTPS: `POST /link/v1/<call>`, message and answer as JSON. Both ends have
 * certificates of one authority; an agent may speak for the host alone that its certificate names, and ask for work of no
 * other lane.
 */
export class AgentApiServer implements Service {
  readonly #end: ControlPlane
  readonly #log: Logger
  readonly #options: AgentApiOptions
  readonly #server: Server
  readonly #stopping = new AbortController()

  constructor(deps: { end: ControlPlane; log: Logger; options: AgentApiOptions }) {
    this.#end = deps.end
    this.#log = deps.log
    this.#options = deps.options
    this.#server = createServer(
      {
        ...deps.options.tls,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.3',
        requestTimeout: REQUEST_TIMEOUT_MS,
        headersTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
      },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.on('tlsClientError', (error) => this.#log.warn({ err: error }, 'a connection to the link was refused'))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port
  }

  /** For connections from now on; those that are open go on as they are. */
  renew(tls: TlsFiles): void {
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

  /** Calls that wait for work end with an error, and their agents ask another process. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#stopping.abort(new Refusal(503, 'link.stopping', 'The service is stopping.'))
    this.#server.closeIdleConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController()
    response.once('close', () => left.abort())
    const signal = AbortSignal.any([left.signal, this.#stopping.signal])
    try {
      send(response, 200, await this.#answer(request, signal))
    } catch (error) {
      if (left.signal.aborted) return
      const { status, code, message } = refusalOf(this.#stopping.signal.aborted ? this.#stopping.signal.reason : error)
      if (status === 500) this.#log.error({ err: error, path: request.url }, 'a call of the link failed')
      else if (status !== 409 && status !== 503)
        this.#log.warn({ path: request.url, status, message }, 'refused a call')
      send(response, status, { error: { code, message } })
    }
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted()
    const call = request.url?.startsWith(PREFIX) === true ? request.url.slice(PREFIX.length) : ''
    if (!isLinkCall(call)) throw new Refusal(404, 'link.no_such_call', 'There is no such call.')
    if (request.method !== 'POST') throw new Refusal(405, 'link.method', 'Calls of the link are posted.')
    const host = hostOf(request)
    return await answerLinkCall(this.#end, call, await bodyOf(request), { signal }, (spokenFor) =>
      requireOwn(host, spokenFor),
    )
  }
}

/** An answer that is none. */
class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

function refusalOf(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof Refusal) return error
  if (error instanceof FencedOut) return { status: 409, code: error.code, message: error.message }
  if (error instanceof BadMessage) return { status: 400, code: error.code, message: error.message }
  return { status: 500, code: 'link.failed', message: 'The call failed; the log of the control plane says why.' }
}

function hostOf({ socket }: IncomingMessage): string {
  const peer = peerIdentity((socket as TLSSocket).getPeerCertificate())
  if (peer?.role === 'host') return peer.host
  throw new Refusal(403, 'link.not_a_host', 'The certificate is not that of a host.')
}

function requireOwn(host: string, spokenFor: SpokenFor): void {
  if (spokenFor.host !== host) {
    throw new Refusal(403, 'link.other_host', `The certificate of ${host} does not speak for ${spokenFor.host}.`)
  }
  if (spokenFor.lane !== null && spokenFor.lane !== hostLane(host)) {
    throw new Refusal(403, 'link.other_lane', `${host} does not get the work of ${spokenFor.lane}.`)
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_MESSAGE_BYTES) {
      throw new Refusal(413, 'link.too_large', `A message has more than ${MAX_MESSAGE_BYTES} bytes.`)
    }
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Refusal(400, 'link.bad_message', 'The message is no JSON.')
  }
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  if (response.destroyed || response.headersSent) return
  const body = Buffer.from(JSON.stringify(answer))
  // What was not read of a refused message would be taken for the next request.
  const close = status >= 400 && status !== 409 ? { connection: 'close' } : {}
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...close })
  response.end(body)
}
