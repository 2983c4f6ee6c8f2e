import { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'

export interface WebSocketStreamOptions {
  /** Milliseconds between pings; whoever answers none of two is gone. */
  readonly pingMs: number
  /** Milliseconds for the other side to answer a close. */
  readonly closeGraceMs: number
}

const NORMAL = 1000
const BROKEN = 1011

/**
 * Bytes both ways over a WebSocket between two of ours, with an end of each direction by itself, which an abort is told
 * apart from. Bytes are binary messages; a text message is JSON: `{"end": true}`, or a note (event `note`).
 */
export class WebSocketStream extends Duplex {
  readonly #ws: WebSocket
  readonly #closeGraceMs: number
  readonly #pings: NodeJS.Timeout
  #silentPings = 0

  constructor(ws: WebSocket, { pingMs, closeGraceMs }: WebSocketStreamOptions) {
    super({ allowHalfOpen: true })
    this.#ws = ws
    this.#closeGraceMs = closeGraceMs
    this.#pings = setInterval(() => this.#ping(), pingMs)
    ws.on('message', (data, isBinary) => this.#take(toBuffer(data), isBinary))
    ws.on('pong', () => (this.#silentPings = 0))
    ws.on('error', (error) => this.destroy(error))
    ws.on('close', (code, reason) => {
      clearInterval(this.#pings)
      const isOver = this.readableEnded && this.writableFinished
      const why = reason.toString()
      this.destroy(isOver ? undefined : new Error(why === '' ? `the stream was cut (${code})` : why))
    })
  }

  /** Something beside the bytes, in order with them. */
  note(what: object): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(what))
  }

  override _read(): void {
    this.#ws.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#ws.send(chunk, { binary: true }, (error) => done(error))
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ws.send('{"end":true}', (error) => done(error))
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearInterval(this.#pings)
    const ws = this.#ws
    const isOver = this.readableEnded && this.writableFinished
    if (ws.readyState === ws.OPEN) {
      ws.close(isOver ? NORMAL : BROKEN, isOver ? '' : (error?.message ?? 'aborted').slice(0, 100))
      // The answer to the close would not be read while paused.
      ws.resume()
      const cut = setTimeout(() => ws.terminate(), this.#closeGraceMs)
      ws.once('close', () => clearTimeout(cut))
    } else if (ws.readyState === ws.CONNECTING) ws.terminate()
    done(error)
  }

  #take(message: Buffer, isBinary: boolean): void {
    this.#silentPings = 0
    if (this.destroyed || this.readableEnded) return
    if (isBinary) {
      if (!this.push(message)) this.#ws.pause()
      return
    }
    const note = parsed(message)
    if (note === undefined) this.destroy(new Error('a message is not as it must be'))
    else if ('end' in note) this.push(null)
    else this.emit('note', note)
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
}

function parsed(message: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(message.toString('utf8'))
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}
