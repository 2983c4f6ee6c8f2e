import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'

/** An answer without an end that is known. */
export interface ByteReply {
  readonly type: string
  readonly source: Readable
  /** A part of it is worth nothing by itself: when the service stops it is cut, so that nobody takes it for the whole. */
  readonly isWhole: boolean
}

/** For so long, in milliseconds, what was written last may take to leave when the service stops. */
const FAREWELL_MS = 2_000
/** A client that vanished without a word is found out by the kernel. */
const KEEP_ALIVE_MS = 30_000

/** Answers that are being sent as they come. */
export class ByteReplies {
  readonly #open = new Map<ServerResponse, ByteReply>()

  /** The source is destroyed when the client leaves; the connection is cut when the source breaks. */
  send(response: ServerResponse, headers: Readonly<Record<string, string>>, reply: ByteReply): void {
    const { source, type } = reply
    this.#open.set(response, reply)
    response.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
    source.on('error', () => response.destroy())
    source.on('close', () => {
      if (!source.readableEnded && !response.writableEnded) response.destroy()
    })
    response.on('error', () => source.destroy())
    response.on('close', () => {
      this.#open.delete(response)
      source.destroy()
    })
    response.writeHead(200, { ...headers, 'Content-Type': type })
    // Whoever follows a log that is silent wants to know that he does.
    response.flushHeaders()
    source.pipe(response)
  }

  /** In order where what was sent so far is good for something. */
  async close(): Promise<void> {
    const over = [...this.#open].map(async ([response, { source, isWhole }]) => {
      const closed = new Promise<void>((resolve) => response.once('close', () => resolve()))
      source.unpipe(response)
      if (isWhole) response.destroy()
      else response.end()
      const cut = setTimeout(() => response.destroy(), FAREWELL_MS)
      await closed
      clearTimeout(cut)
    })
    await Promise.all(over)
  }
}
