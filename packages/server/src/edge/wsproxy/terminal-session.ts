import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { ProgramStream } from '../../orchestration/ports/engine.ts'
import type { Protocol } from './protocol.ts'
import { WrongMessage } from './stream-protocol.ts'

export interface SessionOptions {
  /** Milliseconds between pings. A peer that has not moved for two of them is gone. */
  readonly pingMs: number
  /** Milliseconds for the other side to answer our close, then the connection is cut. */
  readonly closeGraceMs: number
}

/** Close codes of RFC 6455 7.4.1. */
const NORMAL = 1000
const GOING_AWAY = 1001
const PROTOCOL_ERROR = 1002
const INTERNAL_ERROR = 1011

/**
 * One terminal: bytes both ways between a WebSocket and a program, until one of them ends.
 *
 * Neither side is read faster than the other takes it. To the user, the next chunk of the program is read when the last
 * one has left for the network. To the program, the WebSocket is paused while its stream is full; the pings go on, so a
 * user who left meanwhile is still found out by the network.
 */
export class TerminalSession {
  readonly #ws: WebSocket
  readonly #program: Duplex
  readonly #stream: ProgramStream
  readonly #protocol: Protocol
  readonly #options: SessionOptions
  readonly #over = new AbortController()
  /** The newest size that the program was not told yet. */
  #size: { columns: number; rows: number } | null = null
  #isResizing = false
  /** Pings sent since anything was heard of, or taken by, the user. */
  #silentPings = 0

  constructor(ws: WebSocket, program: ProgramStream, protocol: Protocol, options: SessionOptions) {
    this.#ws = ws
    this.#program = program.bytes
    this.#stream = program
    this.#protocol = protocol
    this.#options = options
  }

  /** Resolves when both sides are closed. */
  async run(): Promise<void> {
    const { pingMs } = this.#options
    const closed = new Promise<void>((resolve) => this.#ws.once('close', () => resolve()))
    this.#ws.on('message', (data, isBinary) => this.#take(toBuffer(data), isBinary))
    this.#ws.on('pong', () => this.#heard())
    // What went wrong on either side is seen by the end that follows.
    this.#ws.on('error', () => undefined)
    this.#program.on('error', () => undefined)
    const pings = setInterval(() => this.#ping(), pingMs)
    try {
      const reading = this.#toUser()
      // Whichever side ends first, the other one is told.
      await Promise.race([closed, reading])
      await closed
      this.#leaveProgram()
      await reading
    } finally {
      clearInterval(pings)
      this.#over.abort()
      this.#program.destroy()
    }
  }

  /** For a server that stops. */
  goAway(): void {
    this.#close(GOING_AWAY, 'The proxy is going away')
  }

  async #toUser(): Promise<void> {
    const protocol = this.#protocol
    try {
      for await (const chunk of this.#program as AsyncIterable<Buffer>) await this.#sendAll(protocol.output(chunk))
      await this.#sendAll(protocol.rest())
      const { signal } = this.#over
      await this.#sendAll(await protocol.farewell(() => this.#stream.exitCode({ signal })))
      this.#close(NORMAL, 'Target closed')
    } catch {
      // Also when the user has left: then this comes too late and does nothing.
      await this.#sendAll(protocol.broken()).catch(() => undefined)
      this.#close(INTERNAL_ERROR, 'The connection to the container broke')
    }
  }

  async #sendAll(messages: readonly Buffer[]): Promise<void> {
    for (const message of messages) await this.#send(message)
  }

  /** Resolves when the bytes are with the network. */
  async #send(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#ws.send(bytes, { binary: true }, (error) => {
        if (error === undefined || error === null) resolve()
        else reject(error)
      })
    })
    this.#heard()
  }

  #take(message: Buffer, isBinary: boolean): void {
    this.#heard()
    try {
      const said = this.#protocol.input(message, isBinary)
      if (said.kind === 'input') this.#toProgram(said.bytes)
      else if (said.kind === 'end of input') this.#program.end()
      else {
        this.#size = said
        void this.#resize()
      }
    } catch (error) {
      if (!(error instanceof WrongMessage)) throw error
      this.#close(PROTOCOL_ERROR, error.message)
    }
  }

  #toProgram(bytes: Buffer): void {
    if (!this.#program.writable) return
    // What had arrived before a pause is still handed on.
    if (this.#program.write(bytes) || this.#ws.isPaused) return
    this.#ws.pause()
    const resume = (): void => {
      this.#program.off('drain', resume)
      this.#program.off('close', resume)
      this.#ws.resume()
    }
    this.#program.on('drain', resume)
    this.#program.on('close', resume)
  }

  /** One after the other, and of those that come meanwhile only the last. */
  async #resize(): Promise<void> {
    if (this.#isResizing) return
    this.#isResizing = true
    for (let size = this.#size; size !== null; size = this.#size) {
      this.#size = null
      // A program that has no terminal, or is over, has no size.
      await this.#stream.resize(size, { signal: this.#over.signal }).catch(() => undefined)
    }
    this.#isResizing = false
  }

  #heard(): void {
    this.#silentPings = 0
  }

  #ping(): void {
    // While paused we do not read, so its pongs cannot be heard.
    if (this.#silentPings >= 2 && !this.#ws.isPaused) {
      this.#ws.terminate()
      return
    }
    this.#silentPings += 1
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping()
  }

  #close(code: number, reason: string): void {
    this.#ws.close(code, reason)
    // The answer to the close would not be read while paused.
    this.#ws.resume()
    setTimeout(() => this.#ws.terminate(), this.#options.closeGraceMs).unref()
  }

  /** The user left: what was typed still arrives, then the input ends; a program that does not care is left alone. */
  #leaveProgram(): void {
    const cut = setTimeout(() => this.#program.destroy(), this.#options.closeGraceMs)
    this.#program.once('close', () => clearTimeout(cut))
    this.#program.end(() => this.#program.destroy())
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
