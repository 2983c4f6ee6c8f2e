/** An HTTP front on a unix socket before a real engine: looks on, refuses, holds back, pretends to be another version. */
import { mkdtempSync, rmSync } from 'node:fs'
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesOf } from './engine-harness.ts'

export interface SeenRequest {
  readonly method: string
  /** Without the version. */
  readonly path: string
  readonly version: string | null
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

export interface FrontManners {
  /** What the front says it speaks; default: what the engine says. */
  readonly apiVersion?: string
  /** Requests below this version are refused, as newer engines do. */
  readonly minimumVersion?: string
  /** These are never answered. */
  readonly hangs?: (seen: SeenRequest) => boolean
  /** JSON that the front answers by itself; for what an engine gets from the internet. */
  readonly answers?: (seen: SeenRequest) => object | undefined
}

export class EngineFront {
  readonly socketPath: string
  readonly seen: SeenRequest[] = []
  manners: FrontManners
  readonly #engineSocket: string
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-front-'))
  #server: Server | undefined

  constructor(engineSocket: string, manners: FrontManners = {}) {
    this.#engineSocket = engineSocket
    this.manners = manners
    this.socketPath = join(this.#directory, 'engine.sock')
  }

  async open(): Promise<void> {
    const server = createServer((incoming, outgoing) => {
      this.#serve(incoming, outgoing).catch(() => outgoing.destroy())
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve))
  }

  /** Breaks every connection, as an engine that stops does. */
  async shut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async close(): Promise<void> {
    await this.shut()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { manners } = this
    const body = await bytesOf(incoming as AsyncIterable<Buffer>)
    const seen = parse(incoming, body)
    this.seen.push(seen)
    if (manners.hangs?.(seen) === true) return
    const own = manners.answers?.(seen)
    if (own !== undefined) {
      outgoing.writeHead(200, { 'Content-Type': 'application/json' })
      outgoing.end(JSON.stringify(own))
      return
    }
    const { version } = seen
    if (version !== null && manners.minimumVersion !== undefined && isBelow(version, manners.minimumVersion)) {
      outgoing.writeHead(400, { 'Content-Type': 'application/json', 'Api-Version': manners.apiVersion })
      const least = manners.minimumVersion
      outgoing.end(
        JSON.stringify({
          message: `client version ${version} is too old. Minimum supported API version is ${least}, please upgrade your client to a newer version`,
        }),
      )
      return
    }
    // The real engine may be older than the front pretends.
    const path = (incoming.url ?? '').replace(/^\/v1\.\d+/, '/v1.41')
    const onward = request({ socketPath: this.#engineSocket, method: incoming.method, path, headers: incoming.headers })
    outgoing.on('close', () => onward.destroy())
    onward.on('error', () => outgoing.destroy())
    onward.on('response', (answer) => {
      const said = manners.apiVersion === undefined ? {} : { 'api-version': manners.apiVersion }
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...said })
      outgoing.flushHeaders()
      answer.pipe(outgoing)
    })
    onward.end(body)
  }
}

function parse(incoming: IncomingMessage, body: Buffer): SeenRequest {
  const url = new URL(incoming.url ?? '/', 'http://engine')
  // Not `url.pathname`, which would resolve dots away.
  const raw = (incoming.url ?? '/').split('?')[0] ?? '/'
  const match = /^\/v(\d+\.\d+)(\/.*)$/.exec(raw)
  return {
    method: incoming.method ?? '',
    path: match?.[2] ?? raw,
    version: match?.[1] ?? null,
    query: url.searchParams,
    headers: incoming.headers,
    body: jsonIn(body),
  }
}

function jsonIn(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8')) as unknown
  } catch {
    return body
  }
}

function isBelow(version: string, least: string): boolean {
  return Number(version.split('.')[1]) < Number(least.split('.')[1])
}
