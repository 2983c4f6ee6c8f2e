import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../../domain/errors.ts'
import { hasBody } from './body.ts'
import { toErrorAnswer } from './error-body.ts'

/** Milliseconds in which the rest of a body that nobody wanted may still come; then the connection is cut. */
const LEFTOVER_MS = 2_000

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** What is not well-formed HTTP, and what clients leave behind on a connection. */
export class Connections {
  /** Requests of a connection that are not answered yet. */
  readonly #open = new WeakMap<object, Set<Exchange>>()

  watch(app: FastifyInstance): void {
    const { server } = app
    server.on('request', (request, response) => this.#note({ request, response }))
    // A client that asks before it sends its body is told to go on when the body is read, or gets a refusal at once.
    server.on('checkContinue', (request, response) => server.emit('request', request, response))
    server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  }

  #note(exchange: Exchange): void {
    const { request, response } = exchange
    const { socket } = request
    const open = this.#open.get(socket) ?? new Set()
    this.#open.set(socket, open.add(exchange))
    response.once('close', () => open.delete(exchange))
    if (!hasBody(request)) return
    response.once('finish', () => {
      if (request.complete) return
      const timer = setTimeout(() => socket.destroy(), LEFTOVER_MS)
      for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer))
    })
  }

  /** Answers bytes that are no request. */
  refuse(error: Error & { code?: string }, socket: Socket): void {
    const [first, ...others] = this.#open.get(socket) ?? []
    // The answer must not be taken for that of a request before: only the one that broke off may still wait for one.
    const isNext =
      first === undefined || (others.length === 0 && !first.request.complete && !first.response.headersSent)
    if (isNext && socket.writable && error.code !== 'ECONNRESET') socket.write(refusalOf(error.code))
    socket.destroySoon()
  }
}

function refusalOf(code: string | undefined): Buffer {
  const requestId = `req-${randomUUID()}`
  const { status, body } = toErrorAnswer(faultOf(code), requestId, '')
  const payload = Buffer.from(JSON.stringify(body))
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${payload.length}`,
    `x-openstack-request-id: ${requestId}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), payload])
}

function faultOf(code: string | undefined): ApiError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ApiError(408, '', 'The request did not come in time.')
  if (code === 'HPE_HEADER_OVERFLOW') return new ApiError(431, '', 'The headers are longer than 32768 bytes.')
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new ApiError(413, '', 'The chunk extensions are too long.')
  return new ApiError(400, 'invalid', 'The request is not well-formed HTTP/1.1.')
}
