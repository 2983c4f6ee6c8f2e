import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError, InvalidInput } from '../../domain/errors.ts'

/**
 * The body of a request, for whoever has decided that he wants it. Nothing is read before: a stranger cannot make us
 * hold his bytes, and a body that is too long is refused by its announced length, or as soon as it has grown too long.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
  o: { readonly signal: AbortSignal },
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  if (isWaitingForUs(request)) response.writeContinue()
  const chunks: Buffer[] = []
  let size = 0
  return await new Promise<Buffer>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) leave(tooLarge(limit))
      else chunks.push(chunk)
    }
    const end = (): void => leave(null)
    const lost = (): void => leave(new InvalidInput('The connection ended before the body did.'))
    const late = (): void => leave(new ApiError(408, '', 'The body did not come in time.'))
    const leave = (error: Error | null): void => {
      request.off('data', take).off('end', end).off('error', lost).off('close', lost)
      o.signal.removeEventListener('abort', late)
      if (error === null) return resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks))
      // What still comes is thrown away.
      request.on('error', () => undefined).resume()
      reject(error)
    }
    request.on('data', take).on('end', end).on('error', lost).on('close', lost)
    if (o.signal.aborted) late()
    else o.signal.addEventListener('abort', late, { once: true })
  })
}

/** A body is on its way, or will be as soon as we ask for it. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

export function isWaitingForUs({ headers }: IncomingMessage): boolean {
  return headers.expect?.toLowerCase() === '100-continue'
}

export function parseObject(raw: Buffer): Record<string, unknown> {
  // A bad byte would become a replacement character, and the user's data another.
  if (!isUtf8(raw)) throw new InvalidInput('The body is not valid UTF-8.')
  let value: unknown
  try {
    value = JSON.parse(raw.toString('utf8'))
  } catch (error) {
    throw new InvalidInput(`The body is not valid JSON: ${error instanceof Error ? error.message : ''}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInput('The body must be a JSON object.')
  }
  refuseOddities(value, 1)
  return value as Record<string, unknown>
}

/** Far more than any request needs, and far less than what recursive code can follow. */
const DEEPEST = 64

/** What JSON allows and nothing behind this point could keep as it is. */
function refuseOddities(value: unknown, depth: number): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new InvalidInput('The body holds half of a surrogate pair, which is not text.')
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (depth > DEEPEST) throw new InvalidInput(`The body is nested more than ${DEEPEST} levels deep.`)
  if (Array.isArray(value)) {
    for (const item of value) refuseOddities(item, depth + 1)
    return
  }
  for (const [name, item] of Object.entries(value)) {
    // To set it on another object would change what that object is.
    if (name === '__proto__') throw new InvalidInput("Invalid input for field '__proto__'. It is not a usable name.")
    refuseOddities(name, depth)
    refuseOddities(item, depth + 1)
  }
}

export function tooLarge(limit: number): ApiError {
  return new ApiError(413, 'request-too-large', `The body has more than ${limit} bytes.`)
}
