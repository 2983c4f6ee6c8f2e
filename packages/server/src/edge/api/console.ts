import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TerminalProxy } from '../wsproxy/terminal-proxy.ts'
import { reachedAt, type PublicUrlOptions } from './public-url.ts'

/** Path of terminals under the API's own origin (docs/api/extensions.md). */
export const CONSOLE_PATH = '/console'

/**
 * Terminals at the API's own address: one port and one certificate for all, and a page that may speak to nothing but TLS can
 * open one.
 */
export class Console {
  readonly #proxy: Pick<TerminalProxy, 'handleUpgrade'>
  readonly #options: PublicUrlOptions

  constructor(proxy: Pick<TerminalProxy, 'handleUpgrade'>, options: PublicUrlOptions) {
    this.#proxy = proxy
    this.#options = options
  }

  /** Any other offer to upgrade, such as that of HTTP/2 in the clear, is ignored, and the request answered as it is. */
  isFor({ url = '', headers }: IncomingMessage): boolean {
    if (headers.upgrade?.toLowerCase() !== 'websocket') return false
    const [path = ''] = url.split('?')
    return /^\/+(container\/+)?console\/*$/.test(path)
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { baseUrl } = reachedAt(request.headers, this.#options)
    const [, scheme, host = ''] = /^(\w+):\/\/([^/]*)/.exec(baseUrl) ?? []
    void this.#proxy.handleUpgrade(request, socket, head, { scheme: scheme === 'https' ? 'wss' : 'ws', host })
  }
}
