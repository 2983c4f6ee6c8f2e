/**
 * Bounded HTTP load over raw sockets: each connection sends the same bytes, waits for the whole answer, sends again. It
 * does next to nothing besides, so that on two cores the server is what is measured.
 */
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  readonly port: number
  readonly connections: number
  readonly requests: number
  /** The n-th request, whole. */
  readonly request: (n: number) => Buffer
}

export interface LoadResult {
  readonly perSecond: number
  /** Milliseconds of each request. */
  readonly latencies: readonly number[]
  /** By status. */
  readonly statuses: ReadonlyMap<number, number>
}

export function httpRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: object,
): Buffer {
  const payload = body === undefined ? '' : JSON.stringify(body)
  const all = {
    Host: '127.0.0.1',
    ...headers,
    ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': String(payload.length) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${payload}`)
}

export async function load(options: LoadOptions): Promise<LoadResult> {
  const latencies: number[] = []
  const statuses = new Map<number, number>()
  let sent = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const connection = await Connection.open(options.port)
      while (sent < options.requests) {
        const n = sent
        sent += 1
        const start = performance.now()
        const status = await connection.exchange(options.request(n))
        latencies.push(performance.now() - start)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      connection.close()
    }),
  )
  return { perSecond: (latencies.length * 1000) / (performance.now() - began), latencies, statuses }
}

class Connection {
  readonly #socket: Socket
  #pieces: Buffer[] = []
  #have = 0
  /** Bytes of the answer with its head; undefined until the head is there. */
  #whole: number | undefined
  #status = 0
  #done: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (piece) => this.#take(piece))
    socket.on('error', (error) => this.#done?.reject(error))
    socket.on('close', () => this.#done?.reject(new Error('the server closed the connection')))
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Connection(socket)
  }

  async exchange(request: Buffer): Promise<number> {
    return await new Promise<number>((resolve, reject) => {
      this.#done = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#done = undefined
    this.#socket.destroy()
  }

  #take(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#have += piece.length
    if (this.#whole === undefined) this.#readHead()
    if (this.#whole === undefined || this.#have < this.#whole) return
    this.#pieces = []
    this.#have = 0
    this.#whole = undefined
    this.#done?.resolve(this.#status)
  }

  #readHead(): void {
    const sofar = this.#pieces.length === 1 ? (this.#pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces)
    const end = sofar.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = sofar.toString('latin1', 0, end)
    this.#status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    if (length === undefined && this.#status !== 204) throw new Error(`an answer without a length: ${head}`)
    this.#whole = end + 4 + Number(length ?? 0)
  }
}
