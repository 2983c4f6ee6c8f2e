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

  readonly #refused = new WeakSet<object>()

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

  /** Answers bytes that are no request, when those before them have been answered. */
  refuse(error: Error & { code?: string }, socket: Socket): void {
    if (this.#refused.has(socket)) return
    this.#refused.add(socket)
    socket.pause()
    const whole = [...(this.#open.get(socket) ?? [])]
    // The last one may be what broke off; if it has an answer already there is nothing more to say.
    const last = whole.at(-1)
    const isPart = last !== undefined && !last.request.complete
    if (isPart) whole.pop()
    const end = (): void => {
      const saysWhy = socket.writable && error.code !== 'ECONNRESET' && !(isPart && last.response.headersSent)
      if (saysWhy) socket.write(refusalOf(error.code))
      socket.destroySoon()
    }
    const before = whole.at(-1)
    if (before === undefined) end()
    else before.response.once('close', end)
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
