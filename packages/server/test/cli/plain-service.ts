/** In front of a real service: has nothing that upstream's service does not have, and notes who asks for such a thing. */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { connect, createServer as listen } from 'node:net'

const OURS = /[?&](wait|follow|stream|last_event_id|before_start|tty)=|\/v1\/(events|history)/

export class PlainService {
  /** What was asked for that only we have. */
  readonly wrong: string[] = []
  readonly #api: Server
  readonly #terminals: Server
  #target = { api: 0, terminals: 0 }

  private constructor() {
    this.#api = createServer((asked, answer) => {
      if (asked.url === '/v1/extensions') {
        answer.writeHead(404, { 'content-type': 'application/json' }).end('{"errors": []}')
        return
      }
      this.#note(asked)
      const { method, url, headers } = asked
      const onward = request({ host: '127.0.0.1', port: this.#target.api, method, path: url, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers)
        got.pipe(answer)
      })
      onward.on('error', () => answer.destroy())
      asked.pipe(onward)
    })
    // The first thing a WebSocket says is its request: other protocols than upstream's are taken out of it.
    this.#terminals = listen((socket) => {
      const onward = connect(this.#target.terminals, '127.0.0.1')
      socket.once('data', (head) => {
        onward.write(head.toString('latin1').replace(/^(sec-websocket-protocol:).*$/im, '$1 binary'), 'latin1')
        socket.pipe(onward)
      })
      onward.pipe(socket)
      socket.on('error', () => onward.destroy())
      onward.on('error', () => socket.destroy())
    })
  }

  static async listen(): Promise<PlainService> {
    const plain = new PlainService()
    for (const server of [plain.#api, plain.#terminals]) await once(server.listen(0, '127.0.0.1'), 'listening')
    return plain
  }

  get apiPort(): number {
    return (this.#api.address() as AddressInfo).port
  }

  get terminalPort(): number {
    return (this.#terminals.address() as AddressInfo).port
  }

  stands(target: { readonly api: number; readonly terminals: number }): void {
    this.#target = target
  }

  close(): void {
    this.#api.close()
    this.#terminals.close()
  }

  #note({ method, url = '', headers }: IncomingMessage): void {
    const isOurs =
      OURS.test(url) || headers['idempotency-key'] !== undefined || /x-tar|multiplexed/.test(String(headers.accept))
    if (isOurs) this.wrong.push(`${method} ${url}`)
  }
}
