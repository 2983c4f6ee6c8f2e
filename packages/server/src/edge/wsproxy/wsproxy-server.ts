import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Service } from '../../orchestration/ports/clock.ts'
import type { TlsSource } from '../tls-source.ts'
import type { TerminalProxy } from './terminal-proxy.ts'

export interface WsproxyServerOptions {
  /** [websocket_proxy] wsproxy_host, wsproxy_port; port 0 takes a free one. */
  readonly host: string
  readonly port: number
  /** [websocket_proxy] cert, key: TLS beside plain connections. */
  readonly tls: TlsSource | null
  /** [websocket_proxy] ssl_only: plain connections are not served. */
  readonly tlsOnly: boolean
}

/** Milliseconds a client may take for its request, and to begin it at all. */
const REQUEST_TIMEOUT_MS = 10_000
/** First byte of whoever speaks TLS: a record of the handshake (RFC 8446, 5.1). */
const TLS_HANDSHAKE = 0x16

/** The terminal proxy's own port. It serves nothing but upgrades, on any path, with TLS and without on the same port. */
export class WsproxyServer implements Service {
  readonly #proxy: TerminalProxy
  readonly #options: WsproxyServerOptions
  readonly #plain: Server
  readonly #secure: TlsServer | null
  /** Takes the connections and gives each to one of the two. */
  readonly #door = createTcpServer({ pauseOnConnect: true }, (socket) => this.#admit(socket))
  /** By its client: connections that have said nothing yet or are at the handshake of TLS, which neither server knows. */
  readonly #early = new Map<string, Socket>()

  constructor(proxy: TerminalProxy, options: WsproxyServerOptions) {
    this.#proxy = proxy
    this.#options = options
    const { tls } = options
    const timeouts = { headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }
    this.#plain = createServer(timeouts, refusePlain)
    const secure =
      tls === null
        ? null
        : createTlsServer({ ...timeouts, handshakeTimeout: REQUEST_TIMEOUT_MS, ...tls.current }, refusePlain)
    if (secure !== null) tls?.onChange((changed) => secure.setSecureContext(changed))
    secure?.on('secureConnection', (socket) => this.#early.delete(peerOf(socket)))
    this.#secure = secure
    for (const server of [this.#plain, secure]) {
      server?.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        void this.#proxy.handleUpgrade(request, socket, head)
      })
    }
  }

  get port(): number {
    return (this.#door.address() as AddressInfo | null)?.port ?? this.#options.port
  }

  /** By the first byte, which is put back for whoever reads on. */
  #admit(socket: Socket): void {
    const secure = this.#secure
    if (secure === null) {
      this.#plain.emit('connection', socket)
      socket.resume()
      return
    }
    const peer = peerOf(socket)
    this.#early.set(peer, socket)
    socket.once('close', () => this.#early.delete(peer))
    const close = (): void => void socket.destroy()
    socket.setTimeout(REQUEST_TIMEOUT_MS, close)
    socket.on('error', close)
    socket.once('data', (first: Buffer) => {
      socket.pause()
      socket.setTimeout(0)
      socket.off('timeout', close)
      socket.off('error', close)
      const isTls = first[0] === TLS_HANDSHAKE
      if (!isTls && this.#options.tlsOnly) {
        close()
        return
      }
      socket.unshift(first)
      ;(isTls ? secure : this.#plain).emit('connection', socket)
      if (isTls) return
      this.#early.delete(peer)
      socket.resume()
    })
    socket.resume()
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#door.once('error', reject)
      this.#door.listen(this.#options.port, this.#options.host, () => {
        this.#door.off('error', reject)
        resolve()
      })
    })
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#door.close(() => resolve()))
    await this.#proxy.stop()
    for (const socket of this.#early.values()) socket.destroy()
    this.#plain.closeAllConnections()
    this.#secure?.closeAllConnections()
    await closed
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

function refusePlain(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(request.method === 'GET' ? 404 : 405, { Connection: 'close', 'Content-Type': 'text/plain' })
  response.end('Terminals are opened by a WebSocket upgrade.\n')
}
