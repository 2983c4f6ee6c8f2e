/** Stands before a service of the cloud, and can be what its death looks like from outside. */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** before: the request does not arrive. after: it is done, and nobody hears of it. */
export type CutMoment = 'before' | 'after'

export class ServiceFront {
  readonly #target: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #away = false
  #cut: { readonly request: RegExp; readonly moment: CutMoment; readonly tell: () => void } | undefined
  #missing: (() => void)[] = []
  #expected: { readonly request: RegExp; readonly tell: () => void } | undefined

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((asked, answer) => void this.#serve(asked, answer))
    this.#server.on('connection', (socket) => {
      if (this.#away) {
        socket.destroy()
        for (const tell of this.#missing.splice(0)) tell()
        return
      }
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  /** `target`: address of the service; what stands behind the port is asked for as it is. */
  static async open(target: string): Promise<ServiceFront> {
    const front = new ServiceFront(new URL(target))
    await new Promise<void>((resolve) => front.#server.listen(0, new URL(target).hostname, resolve))
    return front
  }

  /** The same path at this front's port. */
  urlOf(endpoint: string): string {
    const { port } = this.#server.address() as AddressInfo
    // Not by URL: the endpoints of a catalogue have $(project_id)s in them.
    return endpoint.replace(this.#target.host, `${this.#target.hostname}:${port}`)
  }

  /** The service dies at the next request that fits, as `METHOD path`. Resolves when it has. */
  async cutAt(wanted: RegExp, moment: CutMoment): Promise<void> {
    await new Promise<void>((resolve) => (this.#cut = { request: wanted, moment, tell: resolve }))
  }

  /** Resolves when a request that fits, as `METHOD path`, has been passed on; nothing happens to it. */
  async passing(wanted: RegExp): Promise<void> {
    await new Promise<void>((resolve) => (this.#expected = { request: wanted, tell: resolve }))
  }

  /** Resolves when somebody finds nobody there. */
  async missed(): Promise<void> {
    await new Promise<void>((resolve) => this.#missing.push(resolve))
  }

  get isAway(): boolean {
    return this.#away
  }

  /** Nobody is there any more. */
  away(): void {
    this.#away = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** It is there again, as if it had never been away. */
  restore(): void {
    this.#away = false
    this.#cut = undefined
  }

  async close(): Promise<void> {
    this.away()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = asked
    const cut = this.#cut?.request.test(`${method} ${path}`) === true ? this.#cut : undefined
    if (cut?.moment === 'before') {
      this.#die(cut)
      return
    }
    let answered: IncomingMessage | undefined
    try {
      answered = await this.#ask(asked, method, path)
      if (cut?.moment === 'after') {
        answered.resume()
        this.#die(cut)
        return
      }
      answer.writeHead(answered.statusCode ?? 502, answered.headers)
      await pipeline(answered, answer)
    } catch {
      // One of both ends is gone; then so is the other. What nobody reads would keep this process from ending.
      answer.destroy()
      answered?.destroy()
    }
  }

  async #ask(asked: IncomingMessage, method: string, path: string): Promise<IncomingMessage> {
    const headers = { ...asked.headers, host: this.#target.host }
    return await new Promise((resolve, reject) => {
      const call = request({ host: this.#target.hostname, port: this.#target.port, method, path, headers }, resolve)
      call.on('error', reject)
      pipeline(asked, call).then(() => this.#tell(method, path), reject)
    })
  }

  #tell(method: string, path: string): void {
    if (this.#expected?.request.test(`${method} ${path}`) !== true) return
    this.#expected.tell()
    this.#expected = undefined
  }

  #die({ tell }: { readonly tell: () => void }): void {
    this.#cut = undefined
    this.away()
    tell()
  }
}
