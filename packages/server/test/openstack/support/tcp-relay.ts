/** A door before a service that a test can shut, without the service knowing. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class TcpRelay {
  isOpen = true
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(to: { host: string; port: number }) {
    this.#server = createServer((near) => {
      if (!this.isOpen) {
        near.destroy()
        return
      }
      const far = connect(to)
      for (const [from, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('error', () => other.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          other.destroy()
        })
        from.pipe(other)
      }
    })
  }

  /** Before the service at this address. */
  static async open(url: string): Promise<TcpRelay> {
    const { hostname, port } = new URL(url)
    const relay = new TcpRelay({ host: hostname, port: Number(port) })
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks off what is under way and lets nobody in. */
  shut(): void {
    this.isOpen = false
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.shut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
