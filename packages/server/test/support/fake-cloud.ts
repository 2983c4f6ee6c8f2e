import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Asked {
  readonly method: string
  /** Below the address of the fake: `/network/v2.0/ports`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** `cut`: the connection is closed instead. `hang`: nothing ever comes. */
export type Reply =
  | {
      readonly status: number
      readonly json?: unknown
      readonly text?: string
      readonly headers?: Record<string, string>
    }
  | 'cut'
  | 'hang'

export type Answering = (asked: Asked) => Reply | undefined | Promise<Reply | undefined>

export const OWN_PROJECT = 'aaaa0000aaaa0000aaaa0000aaaa0000'
const NOW = Date.UTC(2030, 0, 1)

/** A cloud on one port of this machine, for the faults that real services do not show when asked to. */
export class FakeCloud {
  /** Of everything but logins. */
  readonly asked: Asked[] = []
  readonly logins: Asked[] = []
  tokenLifeMs = 14_400_000
  /** Logins, unless it gives something. */
  login: Answering = () => undefined
  answer: Answering = () => ({ status: 200, json: {} })
  /** Takes a request over before its body is read, when it gives true. */
  raw: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<FakeCloud> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const cloud = new FakeCloud(server)
    server.on('request', (request, response) => void cloud.#serve(request, response))
    return cloud
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get authUrl(): string {
    return `${this.url}/identity`
  }

  catalog(): unknown[] {
    const entry = (type: string, path: string) => ({
      type,
      endpoints: (['public', 'internal', 'admin'] as const).map((name) => ({
        interface: name,
        region_id: 'one',
        url: `${this.url}${path}`,
      })),
    })
    return [
      entry('identity', '/identity/v3'),
      entry('image', '/image'),
      entry('network', '/network'),
      entry('block-storage', `/volume/v3/${OWN_PROJECT}`),
      entry('placement', '/placement'),
    ]
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.raw(request, response)) return
    const url = new URL(request.url ?? '/', this.url)
    const asked: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: (await buffer(request)).toString('utf8'),
    }
    const isLogin = asked.method === 'POST' && asked.path === '/identity/v3/auth/tokens'
    ;(isLogin ? this.logins : this.asked).push(asked)
    const reply = isLogin
      ? ((await this.login(asked)) ?? this.#token())
      : ((await this.answer(asked)) ?? { status: 404 })
    if (reply === 'hang') return
    if (reply === 'cut') return void request.socket.destroy()
    const body = reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json))
    response.writeHead(reply.status, { 'Content-Type': 'application/json', ...reply.headers }).end(body)
  }

  #token(): Reply {
    return {
      status: 201,
      headers: { 'X-Subject-Token': `own-${this.logins.length}` },
      json: {
        token: {
          issued_at: new Date(NOW).toISOString(),
          expires_at: new Date(NOW + this.tokenLifeMs).toISOString(),
          project: { id: OWN_PROJECT, name: 'service' },
          catalog: this.catalog(),
        },
      },
    }
  }
}
