/** The two ends of a program in a container, over a WebSocket. */
import type { WebSocket } from 'ws'
import { Failure } from '../failures.ts'
import { refusal, type Trust } from '../http.ts'

/** How a program ended. `exitCode` null: it goes on, or nobody knows. */
export interface End {
  readonly exitCode: number | null
  /** null: all went as it should. */
  readonly reason: string | null
}

export interface ProgramOptions {
  readonly trust: Trust
  readonly signal: AbortSignal
  /** Output; the next comes when this is done. */
  readonly output: (stream: 'stdout' | 'stderr', data: Buffer) => Promise<void>
  /** For services that take the size of a terminal beside the stream only. */
  readonly resize: (columns: number, rows: number) => Promise<void>
}

const PROTOCOL = 'v1.zund.stream'
const CHANNEL = { input: 0, stdout: 1, stderr: 2, end: 3, size: 4, endOfInput: 5 } as const

export class Program {
  readonly ended: Promise<End>
  readonly #socket: WebSocket
  readonly #options: ProgramOptions
  readonly #finish: (end: End) => void
  #end: End | undefined
  #work: Promise<void> = Promise.resolve()

  private constructor(socket: WebSocket, options: ProgramOptions) {
    this.#socket = socket
    this.#options = options
    const { promise, resolve } = Promise.withResolvers<End>()
    this.ended = promise
    this.#finish = resolve
    socket.on('message', (data: Buffer) => this.#take(data))
    socket.once('close', (code, reason) => {
      void this.#work.then(() => this.#finish(this.#end ?? endOf(code, reason.toString())))
    })
    // A close follows.
    socket.on('error', () => undefined)
    options.signal.addEventListener('abort', () => socket.terminate(), { once: true })
  }

  static async open(url: string, options: ProgramOptions): Promise<Program> {
    const { WebSocket: Socket } = await import('ws')
    const { authority, verify } = options.trust
    const socket = new Socket(url, [PROTOCOL, 'binary'], {
      perMessageDeflate: false,
      maxPayload: 64 * 1024 * 1024,
      rejectUnauthorized: verify,
      ...(authority === null ? {} : { ca: authority }),
    })
    // It listens at once: the first messages may come together with the answer to the handshake.
    const program = new Program(socket, options)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('unexpected-response', (_request, answer) => {
        refusal(answer).then(reject, reject)
      })
      socket.once('error', (error) => reject(new Failure(`${new URL(url).host} cannot be reached: ${error.message}`)))
    })
    return program
  }

  /** Does it tell exit codes, keep outputs apart and take an end of input? Known once it is open. */
  get #channels(): boolean {
    return this.#socket.protocol === PROTOCOL
  }

  async input(data: Buffer): Promise<void> {
    await this.#send(CHANNEL.input, data)
  }

  async endInput(): Promise<void> {
    if (this.#channels) await this.#send(CHANNEL.endOfInput, Buffer.alloc(0))
  }

  async resize(columns: number, rows: number): Promise<void> {
    if (!this.#channels) return await this.#options.resize(columns, rows)
    await this.#send(CHANNEL.size, Buffer.from(JSON.stringify({ width: columns, height: rows })))
  }

  leave(): void {
    this.#end ??= { exitCode: null, reason: null }
    this.#socket.close(1000)
    this.#finish(this.#end)
  }

  #take(data: Buffer): void {
    this.#socket.pause()
    this.#work = this.#work
      .then(() => this.#handle(data))
      .then(
        () => this.#socket.resume(),
        () => this.#socket.terminate(),
      )
  }

  async #handle(data: Buffer): Promise<void> {
    if (!this.#channels) return await this.#options.output('stdout', data)
    const payload = data.subarray(1)
    if (data[0] === CHANNEL.stdout) await this.#options.output('stdout', payload)
    else if (data[0] === CHANNEL.stderr) await this.#options.output('stderr', payload)
    else if (data[0] === CHANNEL.end) {
      const told = JSON.parse(payload.toString()) as { exit_code?: number | null; reason?: string }
      this.#end = { exitCode: told.exit_code ?? null, reason: told.reason ?? null }
    }
  }

  async #send(channel: number, payload: Buffer): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    const message = this.#channels ? Buffer.concat([Buffer.of(channel), payload]) : payload
    await new Promise<void>((resolve) => this.#socket.send(message, { binary: true }, () => resolve()))
  }
}

function endOf(code: number, reason: string): End {
  if (code === 1000) return { exitCode: null, reason: null }
  if (code === 1001) return { exitCode: null, reason: 'the service stops' }
  return { exitCode: null, reason: reason === '' ? 'the connection to the container was broken off' : reason }
}
