import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import { ApiError, EngineUnavailable, InvalidInput } from '../../domain/errors.ts'
import { isWaitingForUs } from './body.ts'

/** Milliseconds in which something of an upload must come, or be taken. */
const IDLE_MS = 60_000

/** The body of a request of any length, for whoever takes it as it comes. Called once, it tells the client to begin. */
export function uploadOf(request: IncomingMessage, response: ServerResponse, idleMs = IDLE_MS): Readable {
  const body = new PassThrough()
  const isIdle = (): void => {
    // Either nobody sends, or nobody takes.
    const why =
      body.readableLength > 0
        ? new EngineUnavailable('the engine takes nothing of the upload')
        : new ApiError(408, '', `For ${idleMs / 1000} seconds nothing came of the body.`)
    body.destroy(why)
  }
  const timer = setTimeout(isIdle, idleMs)
  const lost = (): void => {
    if (!request.complete) body.destroy(new InvalidInput('The connection ended before the body did.'))
  }
  request.on('error', lost).on('close', lost)
  body.on('data', () => timer.refresh()).pause()
  body.once('close', () => {
    clearTimeout(timer)
    request.off('close', lost)
    // What still comes is thrown away.
    request.unpipe(body)
    request.on('error', () => undefined).resume()
  })
  if (isWaitingForUs(request)) response.writeContinue()
  return request.pipe(body)
}
