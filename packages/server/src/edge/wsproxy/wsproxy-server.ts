import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Service } from '../../orchestration/ports/clock.ts'
import type { TerminalProxy } from './terminal-proxy.ts'

export interface WsproxyServerOptions {
  /** [websocket_proxy] wsproxy_host, wsproxy_port; port 0 takes a free one. */
  readonly host: string
  readonly port: number
  /** [websocket_proxy] cert, key (PEM): then plain connections are not served. */
  readonly tls: { readonly cert: string; readonly key: string } | null
}

/** Milliseconds a client may take for its request. */
const REQUEST_TIMEOUT_MS = 10_000

/** The terminal proxy's own port. It serves nothing but upgrades, on any path. */
export class WsproxyServer implements Service {
  readonly #proxy: TerminalProxy
  readonly #options: WsproxyServerOptions
  readonly #server: Server

  constructor(proxy: TerminalProxy, options: WsproxyServerOptions) {
    this.#proxy = proxy
    this.#options = options
    const timeouts = { headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }
    this.#server =
      options.tls === null
        ? createServer(timeouts, refusePlain)
        : createTlsServer({ ...timeouts, ...options.tls }, refusePlain)
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void this.#proxy.handleUpgrade(request, socket, head)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port
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
    await this.#proxy.stop()
    this.#server.closeAllConnections()
    await closed
  }
}

function refusePlain(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(request.method === 'GET' ? 404 : 405, { Connection: 'close', 'Content-Type': 'text/plain' })
  response.end('Terminals are opened by a WebSocket upgrade.\n')
}
