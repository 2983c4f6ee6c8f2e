/** A program in a container and its three streams, over `v1.zund.stream`: docs/api/streams.md. */
import { ConnectionError } from './errors.ts'
import type { Output } from './streams.ts'

/** How a program ended. `exitCode` null: it goes on without this stream, or nobody knows. */
export interface ProgramEnd {
  readonly exitCode: number | null
  /** null: all went as it should. */
  readonly reason: string | null
}

export interface ProgramOptions {
  /** Leaves the program. */
  readonly signal?: AbortSignal
  /** Absent: the platform's. One of one's own may know another authority, or a proxy. */
  readonly webSocket?: (url: string, protocols: readonly string[]) => WebSocket
}

const PROTOCOL = 'v1.zund.stream'
const CHANNEL = { input: 0, stdout: 1, stderr: 2, end: 3, size: 4, endOfInput: 5 } as const

/** A WebSocket of the platform cannot hold back who sends; so much that nobody has read yet is kept. */
const UNREAD_BYTES = 64 * 1024 * 1024
/** So much may wait to be sent before `write` waits. */
const UNSENT_BYTES = 1024 * 1024
const UNSENT_POLL_MS = 10

/**
 * Connects to the program behind a URL that `attach` or `execute` (with `run: false`) has given. ConnectionError when it
 * is refused: such a URL is good once, and for a minute.
 */
export async function openProgram(url: string, options: ProgramOptions = {}): Promise<Program> {
  const { signal, webSocket = (at, protocols) => new WebSocket(at, [...protocols]) } = options
  signal?.throwIfAborted()
  const socket = webSocket(url, [PROTOCOL])
  socket.binaryType = 'arraybuffer'
  // It listens at once: the first messages may come together with the answer to the handshake.
  const program = new Program(socket, signal)
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    const failed = (): void => {
      reject(signal?.aborted === true ? signal.reason : new ConnectionError(`${new URL(url).host} refused the stream`))
    }
    socket.addEventListener('error', failed, { once: true })
    socket.addEventListener('close', failed, { once: true })
  })
  return program
}

export class Program {
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>
  readonly #socket: WebSocket
  readonly #unread: Output[] = []
  #unreadBytes = 0
  #end: ProgramEnd | undefined
  #isOver = false
  #wake: () => void = () => undefined

  constructor(socket: WebSocket, signal: AbortSignal | undefined) {
    this.#socket = socket
    const { promise, resolve } = Promise.withResolvers<ProgramEnd>()
    this.ended = promise
    const leave = (): void => this.leave()
    signal?.addEventListener('abort', leave, { once: true })
    socket.addEventListener('message', (event) => this.#take(event.data))
    socket.addEventListener('close', ({ code, reason }) => {
      signal?.removeEventListener('abort', leave)
      this.#end ??= endOf(code, reason)
      this.#isOver = true
      this.#wake()
      resolve(this.#end)
    })
  }

  /** What it writes, until it ends. To be read by one reader. */
  async *output(): AsyncGenerator<Output, void, undefined> {
    for (;;) {
      const next = this.#unread.shift()
      if (next !== undefined) {
        this.#unreadBytes -= next.bytes.length
        yield next
      } else if (this.#isOver) return
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Resolves when there is room for more; at once, and without effect, when the program has ended. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#send(CHANNEL.input, bytes)
    while (!this.#isOver && this.#socket.bufferedAmount > UNSENT_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, UNSENT_POLL_MS))
    }
  }

  endInput(): void {
    this.#send(CHANNEL.endOfInput, new Uint8Array())
  }

  /** Of the program's terminal, in characters, 1 to 65535; without a terminal it has no effect. */
  resize(size: { readonly columns: number; readonly rows: number }): void {
    this.#send(CHANNEL.size, new TextEncoder().encode(JSON.stringify({ width: size.columns, height: size.rows })))
  }

  /** The main program of a container goes on. */
  leave(): void {
    this.#socket.close(1000)
  }

  #take(data: unknown): void {
    if (!(data instanceof ArrayBuffer) || data.byteLength === 0)
      return this.#fail('what came is no message of a stream')
    const message = new Uint8Array(data)
    const bytes = message.subarray(1)
    if (message[0] === CHANNEL.end) {
      this.#end = endTold(new TextDecoder().decode(bytes))
      return
    }
    const stream = message[0] === CHANNEL.stderr ? 'stderr' : 'stdout'
    this.#unread.push({ stream, bytes })
    this.#unreadBytes += bytes.length
    if (this.#unreadBytes > UNREAD_BYTES) this.#fail(`nobody has read ${UNREAD_BYTES} bytes of output`)
    this.#wake()
  }

  #fail(reason: string): void {
    this.#end ??= { exitCode: null, reason }
    this.leave()
  }

  #send(channel: number, payload: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    const message = new Uint8Array(payload.length + 1)
    message[0] = channel
    message.set(payload, 1)
    this.#socket.send(message)
  }
}

function endTold(text: string): ProgramEnd {
  try {
    const told: unknown = JSON.parse(text)
    const of = (name: string): unknown =>
      typeof told === 'object' && told !== null && name in told ? Reflect.get(told, name) : undefined
    const [exitCode, reason] = [of('exit_code'), of('reason')]
    return {
      exitCode: typeof exitCode === 'number' ? exitCode : null,
      reason: typeof reason === 'string' ? reason : null,
    }
  } catch {
    return { exitCode: null, reason: 'how it ended was told in no known form' }
  }
}

function endOf(code: number, reason: string): ProgramEnd {
  if (code === 1000 || code === 1005) return { exitCode: null, reason: null }
  if (code === 1001) return { exitCode: null, reason: 'the service stops' }
  return { exitCode: null, reason: reason === '' ? 'the connection to the container was broken off' : reason }
}
