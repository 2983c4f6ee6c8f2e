/** A relay on a unix socket before a real engine, which knows of each connection what it was asked for and if it is open. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Relayed {
  /** Both sides. */
  readonly isOpen: boolean
}

interface Connection extends Relayed {
  /** Request lines without the version of the API, as `GET /containers/json`. */
  readonly lines: string[]
}

export class SocketRelay {
  readonly socketPath: string
  readonly #directory: string
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #sockets = new Set<Socket>()

  private constructor(engineSocket: string) {
    this.#directory = mkdtempSync(join(tmpdir(), 'zund-relay-'))
    this.socketPath = join(this.#directory, 'engine.sock')
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#relay(near, engineSocket))
  }

  static async open(engineSocket: string): Promise<SocketRelay> {
    const relay = new SocketRelay(engineSocket)
    await new Promise<void>((resolve) => relay.#server.listen(relay.socketPath, resolve))
    return relay
  }

  /** Connections on which the newest request begins so. */
  asked(begin: string): Relayed[] {
    return [...this.#connections].filter(({ lines }) => lines.at(-1)?.startsWith(begin) === true)
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #relay(near: Socket, engineSocket: string): void {
    const far = connect({ path: engineSocket, allowHalfOpen: true })
    const lines: string[] = []
    this.#connections.add({
      lines,
      get isOpen() {
        return !near.closed || !far.closed
      },
    })
    near.on('data', (chunk: Buffer) => {
      const line = /^([A-Z]+) \/v1\.\d+(\/\S*) HTTP\/1\.1\r\n/.exec(chunk.toString('latin1', 0, 4096))
      if (line !== null) lines.push(`${line[1]} ${line[2]}`)
    })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        if (!from.readableEnded) to.destroy()
      })
    }
  }
}
