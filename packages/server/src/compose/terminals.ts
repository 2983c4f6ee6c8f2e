/** The wsproxy role: terminals over WebSocket. */
import type { StreamDialer } from '../app/ports/stream-dialer.ts'
import type { StreamTickets } from '../app/ports/stream-tickets.ts'
import { openTerminal } from '../app/streams/open-terminal.ts'
import type { TlsSource } from '../edge/tls-source.ts'
import { TerminalProxy } from '../edge/wsproxy/terminal-proxy.ts'
import { WsproxyServer } from '../edge/wsproxy/wsproxy-server.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import type { StoreReads } from '../orchestration/ports/store.ts'
import { appOptions } from './app-options.ts'
import type { Config } from './config/options.ts'

const PING_MS = 30_000
const CLOSE_GRACE_MS = 5_000
const OPEN_TIMEOUT_MS = 15_000
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
const MAX_SESSIONS = 1_000

export interface TerminalsDeps {
  readonly config: Config
  readonly log: Logger
  readonly store: Pick<StoreReads, 'containers' | 'hosts'>
  readonly tickets: StreamTickets
  readonly dialer: StreamDialer
  /** [websocket_proxy] cert, key. */
  readonly tls?: TlsSource | undefined
}

export interface ComposedTerminals {
  readonly proxy: TerminalProxy
  /** At the proxy's own port. */
  readonly server: WsproxyServer
}

export function composeTerminals(deps: TerminalsDeps): ComposedTerminals {
  const { config, log } = deps
  const options = appOptions(config)
  const proxy = new TerminalProxy({
    open: (request, o) => openTerminal({ ...deps, options }, request, o),
    log,
    options: {
      scheme: options.terminalBaseUrl.startsWith('wss:') ? 'wss' : 'ws',
      allowedOrigins: config.wsproxyAllowedOrigins,
      pingMs: PING_MS,
      closeGraceMs: CLOSE_GRACE_MS,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      maxSessions: MAX_SESSIONS,
      openTimeoutMs: OPEN_TIMEOUT_MS,
    },
  })
  const server = new WsproxyServer(proxy, {
    host: config.wsproxyHost,
    port: config.wsproxyPort,
    tls: deps.tls ?? null,
    tlsOnly: config.wsproxySslOnly,
  })
  return { proxy, server }
}
