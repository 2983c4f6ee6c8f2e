import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { Reply } from './route.ts'

export interface EventRepliesOptions {
  readonly log: Logger
  /** Milliseconds that a client may take nothing before it is cut off. */
  readonly stallMs?: number
  /** How often it is asked whether the client may still listen. */
  readonly checkMs?: number
  /** How long one may last; absent: as long as its client wants. */
  readonly longestMs?: number
}

/** Answers that stay open. They end with their client, with its right to listen, or with the service. */
export class EventReplies {
  readonly #log: Logger
  readonly #stallMs: number
  readonly #checkMs: number
  readonly #longestMs: number | undefined
  readonly #closing = new AbortController()
  readonly #open = new Set<Promise<void>>()

  constructor({ log, stallMs = 30_000, checkMs = 60_000, longestMs }: EventRepliesOptions) {
    this.#log = log
    this.#stallMs = stallMs
    this.#checkMs = checkMs
    this.#longestMs = longestMs
  }

  start(reply: FastifyReply, stream: NonNullable<Reply['stream']>, isAllowed: () => Promise<boolean>): FastifyReply {
    reply.hijack()
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
    const done = this.#run(reply.raw, stream, isAllowed)
      .catch((error: unknown) => {
        this.#log.error({ err: error }, 'a stream of events broke off')
        reply.raw.destroy()
      })
      .finally(() => this.#open.delete(done))
    this.#open.add(done)
    return reply
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#open)
  }

  async #run(
    response: ServerResponse,
    stream: NonNullable<Reply['stream']>,
    isAllowed: () => Promise<boolean>,
  ): Promise<void> {
    const end = new AbortController()
    const onEnd = (): void => end.abort()
    response.on('close', onEnd).on('error', onEnd)
    this.#closing.signal.addEventListener('abort', onEnd, { once: true })
    // One who cannot be asked now is asked again.
    const check = setInterval(() => {
      isAllowed().then(
        (allowed) => {
          if (!allowed) end.abort()
        },
        () => undefined,
      )
    }, this.#checkMs)
    const longest = this.#longestMs === undefined ? undefined : setTimeout(onEnd, this.#longestMs)
    try {
      if (response.destroyed || this.#closing.signal.aborted) end.abort()
      for await (const piece of stream(end.signal)) {
        if (end.signal.aborted) break
        if (!response.write(piece) && !(await this.#drained(response, end.signal))) break
      }
      if (response.writableNeedDrain && !this.#closing.signal.aborted) response.destroy()
      else response.end()
    } finally {
      clearInterval(check)
      clearTimeout(longest)
      this.#closing.signal.removeEventListener('abort', onEnd)
    }
  }

  /** False when the client took nothing for too long, or it is over. */
  async #drained(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const onDrain = (): void => resolve(true)
    const onAbort = (): void => resolve(false)
    const timer = setTimeout(onAbort, this.#stallMs)
    response.once('drain', onDrain)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) resolve(false)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      response.off('drain', onDrain)
      signal.removeEventListener('abort', onAbort)
    }
  }
}
