import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestContext } from '../../app/context.ts'
import type { Caller, Presented } from '../../app/ports/identity.ts'
import { ApiError, InvalidInput, NotAcceptable, Unauthorized, Unavailable } from '../../domain/errors.ts'
import { onBehalfOf, type LogIds } from '../../lib/log-ids.ts'
import { Accept } from './accept.ts'
import { hasBody, parseObject, readBody, tooLarge } from './body.ts'
import { answerCors } from './cors.ts'
import type { ApiServerDeps } from './deps.ts'
import { toErrorAnswer } from './error-body.ts'
import { MIN_MINOR, parseMicroversion, UnsupportedMicroversion, versionHeaders } from './microversion.ts'
import { normalisePath } from './normalise-path.ts'
import { parseQuery, refuseUnknown } from './query.ts'
import { reachedAt } from './public-url.ts'
import { ByteReplies } from './byte-replies.ts'
import type { Route } from './route.ts'
import { choose, notAllowed, notThere, Router } from './router.ts'
import { EventReplies } from './event-replies.ts'
import { uploadOf } from './upload.ts'
import { varyBy } from './vary.ts'
import { rootDocument, v1Document } from './version-documents.ts'
import { Waiters } from './waiters.ts'

/** What happens to every request of the API, in the order the contract gives. */
export class Pipeline {
  readonly #deps: ApiServerDeps
  readonly #router: Router
  readonly #streams: EventReplies
  readonly #bytes = new ByteReplies()
  readonly #waiters = new Waiters()

  constructor(deps: ApiServerDeps) {
    this.#deps = deps
    this.#streams = new EventReplies({ log: deps.log, ...deps.options.streams })
    this.#router = new Router(deps.routes)
  }

  async serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const ids: LogIds = { requestId: request.id, ...globalRequestId(request) }
    return await onBehalfOf(ids, async () => this.#serve(request, reply, ids))
  }

  async #serve(request: FastifyRequest, reply: FastifyReply, ids: LogIds): Promise<FastifyReply> {
    const { requestTimeoutMs, cors } = this.#deps.options
    const signal = AbortSignal.timeout(requestTimeoutMs)
    try {
      if (answerCors(request, reply, cors)) return reply
      return await this.#route(request, reply, signal, ids)
    } catch (error) {
      if (!signal.aborted || error instanceof ApiError) return this.fail(error, request, reply)
      const message = `The request could not be answered within ${requestTimeoutMs / 1000} seconds.`
      return this.fail(new Unavailable(message, { cause: error }), request, reply)
    }
  }

  /** Ends what is still open. */
  async close(): Promise<void> {
    await Promise.all([this.#streams.close(), this.#bytes.close(), this.#waiters.close()])
  }

  async #route(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal, ids: LogIds): Promise<FastifyReply> {
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0') {
      throw new InvalidInput('The request has no Host header.')
    }
    const at = request.url.indexOf('?')
    const path = normalisePath(at < 0 ? request.url : request.url.slice(0, at))
    const { baseUrl, isPublic } = reachedAt(request.headers, this.#deps.options)
    if (path === '/') {
      // Load balancers ask OPTIONS or HEAD to see whether anybody is there.
      if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method)) throw notAllowed(request.method, path)
      return send(reply, 200, rootDocument(baseUrl))
    }
    if (path === '/v1') {
      setVersion(reply, askedVersion(request))
      if (request.method !== 'GET') throw notAllowed(request.method, path)
      return send(reply, 200, v1Document(baseUrl))
    }
    const shown = shownBy(request, path)
    const caller = await this.#authenticate(shown, signal)
    Object.assign(ids, idsOf(caller))
    const minor = askedVersion(request)
    setVersion(reply, minor)
    const match = this.#router.find(path)
    if (match === undefined) throw notThere(request.method, path)
    const route = choose(match, request.method, minor, path)
    accepts(request, route)
    const query = parseQuery(at < 0 ? '' : request.url.slice(at + 1))
    if (route.query !== undefined) refuseUnknown(query, route.query)
    const body = await this.#body(request, reply, route, signal)
    const ctx: RequestContext = {
      requestId: request.id,
      caller,
      token: shown.token,
      isAdmin: false,
      minor,
      publicUrl: isPublic ? baseUrl : null,
      signal,
    }
    const result = await route.handle({
      ctx: { ...ctx, isAdmin: this.#deps.policy.allows('context_is_admin', ctx, {}) },
      params: match.params,
      query,
      body,
      given: request.method === 'GET' ? query : { ...body, ...query },
      headers: request.headers,
      baseUrl,
      accept: new Accept(request.headers.accept),
      upload: () => uploadOf(request.raw, reply.raw),
      whileWaiting: () => this.#waiters.of(reply.raw),
    })
    if (result.headers !== undefined) reply.headers(result.headers)
    if (result.stream !== undefined) {
      return this.#streams.start(reply, result.stream, async () => {
        const asked = AbortSignal.timeout(this.#deps.options.requestTimeoutMs)
        return (await this.#deps.identity.validate(shown.token, { ...shown, signal: asked })) !== undefined
      })
    }
    if (result.bytes !== undefined) {
      reply.hijack()
      this.#bytes.send(reply.raw, texts(reply.getHeaders()), result.bytes)
      return reply
    }
    const status = result.status ?? 200
    if (status === 204) return reply.code(204).send()
    if (result.json !== undefined) return reply.code(status).header('content-type', JSON_TYPE).send(result.json)
    return send(reply, status, result.body ?? null)
  }

  async #authenticate(shown: Shown, signal: AbortSignal): Promise<Caller> {
    const { token } = shown
    const caller = token === '' ? undefined : await this.#deps.identity.validate(token, { ...shown, signal })
    if (caller !== undefined) return caller
    throw new Unauthorized()
  }

  async #body(
    request: FastifyRequest,
    reply: FastifyReply,
    route: Route,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const limit = route.bodyLimit ?? this.#deps.options.bodyLimit
    const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
    if (route.requiresJson && type !== 'application/json') {
      throw new ApiError(415, '', `The content type must be application/json, not '${(type ?? '').slice(0, 100)}'.`)
    }
    const { streams } = route.endpoint
    if (streams !== undefined && type !== streams) {
      throw new ApiError(415, '', `The content type must be ${streams}, not '${(type ?? '').slice(0, 100)}'.`)
    }
    if (request.method === 'GET' || streams !== undefined || !hasBody(request.raw)) return {}
    // A DELETE comes as octet-stream and whatever it may hold is not looked at.
    if (type !== 'application/json' && type !== 'application/javascript') {
      if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
      return {}
    }
    const raw = await readBody(request.raw, reply.raw, limit, { signal })
    return raw.length === 0 ? {} : parseObject(raw)
  }

  fail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const correlationId = randomUUID()
    const requestId = request.id
    const known = fromFastify(error)
    const { status, body, retryAfterS } = toErrorAnswer(known, requestId, correlationId)
    if (status >= 500) {
      this.#deps.log.error({ requestId, correlationId, method: request.method, err: known }, 'request failed')
    }
    reply.header('x-openstack-request-id', requestId)
    if (status === 401) reply.header('WWW-Authenticate', `Keystone uri="${this.#deps.identity.authenticateUri}"`)
    if (known instanceof UnsupportedMicroversion) setVersion(reply, MIN_MINOR)
    if (retryAfterS !== undefined && bearsRetryAfter(request, status)) reply.header('Retry-After', String(retryAfterS))
    return send(reply, status, body)
  }
}

const JSON_TYPE = 'application/json'

export function send(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body))
}

function setVersion(reply: FastifyReply, minor: number): void {
  reply.headers(versionHeaders(minor))
  varyBy(reply, 'OpenStack-API-Version')
}

function askedVersion(request: FastifyRequest): number {
  const header = request.headers['openstack-api-version']
  return parseMicroversion(Array.isArray(header) ? header.join(' ') : header)
}

/** But for 413 python-zunclient fails over this header, and its user sees a TypeError instead of the message. */
function bearsRetryAfter({ headers }: FastifyRequest, status: number): boolean {
  return status === 413 || headers['user-agent']?.includes('zunclient') !== true
}

/** Of the request that this one is part of: what another service has in its log too. */
function globalRequestId({ headers }: FastifyRequest): Pick<LogIds, 'globalRequestId'> {
  const given = headers['x-openstack-request-id']
  return typeof given === 'string' && /^req-[0-9a-f-]{36}$/i.test(given) ? { globalRequestId: given } : {}
}

function idsOf({ userId, projectId, domainId, systemScope, userDomainId, projectDomainId }: Caller): LogIds {
  return {
    userId,
    userDomainId,
    ...(projectId === null ? {} : { projectId }),
    ...(projectDomainId === null ? {} : { projectDomainId }),
    ...(domainId === undefined ? {} : { domainId }),
    ...(systemScope === undefined ? {} : { systemScope }),
  }
}

/** What says who is calling. Nothing else of a request does: other headers of identity are not looked at. */
type Shown = { readonly token: string } & Omit<Presented, 'signal'>

/** `token` empty: none. */
function shownBy({ headers, method }: FastifyRequest, path: string): Shown {
  // The older name is one that Keystone's own middleware takes, too.
  const [token, serviceToken] = [headers['x-auth-token'] ?? headers['x-storage-token'], headers['x-service-token']]
  return {
    token: typeof token === 'string' ? token : '',
    ...(typeof serviceToken === 'string' && serviceToken !== '' ? { serviceToken } : {}),
    request: { method, path },
  }
}

/** Errors are JSON, so a client that takes only that may ask for anything. */
function accepts(request: FastifyRequest, { endpoint }: Route): void {
  const { accept } = request.headers
  if (accept === undefined || accept === '' || /\*\/\*|application\/\*|application\/json/i.test(accept)) return
  const { type = JSON_TYPE } = endpoint.answers[0] ?? {}
  // Which of several it is going to be is known where it is answered.
  if (endpoint.answers.some((answer) => (answer.type ?? JSON_TYPE) !== type)) return
  if (type !== JSON_TYPE && accept.toLowerCase().includes(type)) return
  throw new NotAcceptable(`The answer is ${type}, which the Accept header '${accept.slice(0, 100)}' excludes.`)
}

function texts(headers: ReturnType<FastifyReply['getHeaders']>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}

/** Errors that the HTTP library itself found. */
function fromFastify(error: unknown): unknown {
  if (typeof error !== 'object' || error === null || !('statusCode' in error) || error instanceof ApiError) return error
  const { statusCode } = error
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return error
  const message = 'message' in error ? String(error.message) : 'bad request'
  return new ApiError(statusCode, 'invalid', message, { cause: error })
}
