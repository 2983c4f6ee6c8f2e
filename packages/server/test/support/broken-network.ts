import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** The way between a user and the service, a TCP proxy of which a test has the cables in its hands. */
export class BrokenNetwork {
  readonly #server: Server
  readonly #pairs = new Set<readonly [user: Socket, service: Socket]>()
  #isStalled = false

  private constructor(target: number) {
    this.#server = createServer({ allowHalfOpen: true }, (user) => {
      const service = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
      const pair = [user, service] as const
      this.#pairs.add(pair)
      for (const [from, to] of [pair, [service, user] as const]) {
        from.on('data', (chunk) => {
          if (!to.write(chunk)) from.pause()
        })
        to.on('drain', () => {
          if (!this.#isStalled) from.resume()
        })
        from.on('end', () => to.end())
        from.on('error', () => undefined)
        from.on('close', () => {
          this.#pairs.delete(pair)
          to.destroy()
        })
      }
      if (this.#isStalled) this.stall()
    })
  }

  static async to(port: number): Promise<BrokenNetwork> {
    const network = new BrokenNetwork(port)
    await new Promise<void>((resolve) => network.#server.listen(0, '127.0.0.1', resolve))
    return network
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Nothing passes any more, and nobody is told. */
  stall(): void {
    this.#isStalled = true
    for (const socket of [...this.#pairs].flat()) socket.pause()
  }

  goOn(): void {
    this.#isStalled = false
    for (const socket of [...this.#pairs].flat()) socket.resume()
  }

  /** Both sides get a reset. */
  cut(): void {
    for (const socket of [...this.#pairs].flat()) socket.resetAndDestroy()
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}
