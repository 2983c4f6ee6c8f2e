/** Stands before a service of the cloud, and can be what its death looks like from outside. */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

export interface SeenRequest {
  readonly method: string
  readonly path: string
}

/** before: the request does not arrive. after: it is done, and nobody hears of it. */
export type CutMoment = 'before' | 'after'

export class ServiceFront {
  readonly #target: URL
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #away = false
  #cut: { readonly at: number; readonly moment: CutMoment } | undefined
  #onCut: (() => void) | undefined
  /** All that came since `forget`. */
  #seen: SeenRequest[] = []

  private constructor(target: URL) {
    this.#target = target
    this.#server = createServer((asked, answer) => void this.#serve(asked, answer))
    this.#server.on('connection', (socket) => {
      if (this.#away) {
        socket.destroy()
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

  get seen(): readonly SeenRequest[] {
    return this.#seen
  }

  forget(): void {
    this.#seen = []
  }

  /** The service dies at the n-th request from now, counted from 1. Resolves when it has. */
  cutAt(at: number, moment: CutMoment): Promise<void> {
    this.#seen = []
    this.#cut = { at, moment }
    return new Promise((resolve) => (this.#onCut = resolve))
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
    this.#seen.push({ method, path })
    const dies = this.#cut?.at === this.#seen.length ? this.#cut.moment : undefined
    if (dies === 'before') {
      this.#die()
      return
    }
    try {
      const answered = await this.#ask(asked, method, path)
      if (dies === 'after') {
        answered.resume()
        this.#die()
        return
      }
      answer.writeHead(answered.statusCode ?? 502, answered.headers)
      await pipeline(answered, answer)
    } catch {
      // One of both ends is gone; then so is the other.
      answer.destroy()
    }
  }

  async #ask(asked: IncomingMessage, method: string, path: string): Promise<IncomingMessage> {
    const headers = { ...asked.headers, host: this.#target.host }
    return await new Promise((resolve, reject) => {
      const call = request({ host: this.#target.hostname, port: this.#target.port, method, path, headers }, resolve)
      call.on('error', reject)
      pipeline(asked, call).catch(reject)
    })
  }

  #die(): void {
    this.away()
    this.#onCut?.()
  }
}
