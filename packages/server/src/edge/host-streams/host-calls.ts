/** Direct calls to this host: `POST /v1/call/<call>`, a message of app/ports/host-calls.ts there and one back. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isHostCall } from '@zund/contract/link/host-calls.ts'
import { answerHostCall, decodeMessage, encodeMessage, type HostMessage } from '../../app/ports/host-calls.ts'
import { failureOf } from '../../app/ports/host-failures.ts'
import type { HostGateway } from '../../app/ports/host-gateway.ts'
import { ApiError, InvalidInput, NotFound } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'

export interface HostCallsOptions {
  /** What answers: this host's engine. */
  readonly gateway: HostGateway
  /** Name of this host. */
  readonly host: string
  /** Of one archive that is put into a container. */
  readonly maxArchiveBytes: number
}

const PREFIX = '/v1/call/'
/** Of the JSON value of a message. */
const MAX_VALUE_BYTES = 8 * 1024 * 1024

export async function serveHostCall(
  request: IncomingMessage,
  response: ServerResponse,
  options: HostCallsOptions,
  log: Logger,
): Promise<void> {
  const left = new AbortController()
  response.once('close', () => left.abort())
  try {
    send(response, 200, await answer(request, options, left.signal))
  } catch (error) {
    if (left.signal.aborted) return
    const failure = failureOf(error)
    log.debug({ path: request.url, code: failure.code, why: failure.message }, 'a call of the control plane failed')
    send(response, failure.status ?? 409, { value: failure, bytes: Buffer.alloc(0) })
  }
}

async function answer(
  request: IncomingMessage,
  { gateway, host, maxArchiveBytes }: HostCallsOptions,
  signal: AbortSignal,
): Promise<HostMessage> {
  const call = request.url?.startsWith(PREFIX) === true ? request.url.slice(PREFIX.length) : ''
  if (!isHostCall(call) || request.method !== 'POST') throw new NotFound('There is no such call.')
  const body = await bodyOf(request, MAX_VALUE_BYTES + (call === 'putArchive' ? maxArchiveBytes : 0))
  return await answerHostCall(gateway, host, call, messageIn(body), { signal })
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new ApiError(413, 'request-too-large', `A message has more than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function messageIn(body: Buffer): HostMessage {
  try {
    return decodeMessage(body)
  } catch {
    throw new InvalidInput('The message is no JSON.')
  }
}

function send(response: ServerResponse, status: number, message: HostMessage): void {
  if (response.destroyed || response.headersSent) return
  const body = encodeMessage(message)
  // What was not read of a refused message would be taken for the next request.
  const close = status === 200 ? {} : { connection: 'close' }
  response.writeHead(status, { 'content-type': 'application/octet-stream', 'content-length': body.length, ...close })
  response.end(body)
}
