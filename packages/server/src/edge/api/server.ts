import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { RequestContext } from '../../app/context.ts'
import type { Caller, Identity } from '../../app/ports/identity.ts'
import type { Policy } from '../../app/ports/policy.ts'
import { ApiError, InvalidInput, NotAcceptable } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import { toErrorAnswer } from './error-body.ts'
import { MAX_MINOR, MIN_MINOR, parseMicroversion, UnsupportedMicroversion, versionHeaders } from './microversion.ts'
import { normalisePath } from './normalise-path.ts'
import type { Query, Route } from './route.ts'
import { choose, notThere, Router } from './router.ts'
import { rootDocument, v1Document } from './version-documents.ts'

export interface ApiServerDeps {
  readonly identity: Identity
  readonly policy: Policy
  readonly log: Logger
  readonly routes: readonly Route[]
  /** Other HTTP trees on the same port, mounted beside the API's pipeline. */
  readonly mounts: readonly ((app: FastifyInstance) => void)[]
  readonly options: ApiServerOptions
}

export interface ApiServerOptions {
  /** Bytes of a request body; single routes may allow more. */
  readonly bodyLimit: number
  /** Base for links instead of the Host header, e.g. `https://cloud.example/container`; null: none. */
  readonly publicEndpoint: string | null
  readonly trustForwardedHeaders: boolean
  /** [cors] allowed_origin */
  readonly allowedOrigins: readonly string[]
  /** While this file exists the healthcheck says 503. */
  readonly healthcheckDisableFile: string
  /** Milliseconds for a request as a whole before the API answers 503. */
  readonly requestTimeoutMs: number
}

const CORS_ALLOW_HEADERS =
  'X-Auth-Token,X-Identity-Status,X-Roles,X-Service-Catalog,X-User-Id,X-Project-Id,X-OpenStack-Request-ID,X-Server-Management-Url'
const CORS_EXPOSE_HEADERS =
  'X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID,X-Server-Management-Url'

/** The public API: one pipeline for every request, in the order the contract gives. */
export function buildApiServer(deps: ApiServerDeps): FastifyInstance {
  const { options } = deps
  const router = new Router(deps.routes)
  const largestBody = Math.max(options.bodyLimit, ...deps.routes.map((route) => route.bodyLimit ?? 0))
  const app = fastify({
    logger: false,
    bodyLimit: largestBody,
    requestTimeout: 60_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    http: { maxHeaderSize: 32 * 1024 },
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 8192 },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  mountHealthcheck(app, options)
  for (const mount of deps.mounts) mount(app)
  const pipeline = new Pipeline(deps, router, largestBody)
  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    url: '/*',
    handler: (request, reply) => pipeline.serve(request, reply),
  })
  app.setErrorHandler((error, request, reply) => pipeline.fail(error, newRequestId(), request, reply))
  app.setNotFoundHandler((request, reply) => pipeline.serve(request, reply))
  return app
}

class Pipeline {
  readonly #deps: ApiServerDeps
  readonly #router: Router
  readonly #largestBody: number

  constructor(deps: ApiServerDeps, router: Router, largestBody: number) {
    this.#deps = deps
    this.#router = router
    this.#largestBody = largestBody
  }

  async serve(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const requestId = newRequestId()
    reply.header('x-openstack-request-id', requestId)
    try {
      if (this.#cors(request, reply)) return reply
      return await this.#route(request, reply, requestId)
    } catch (error) {
      return this.fail(error, requestId, request, reply)
    }
  }

  /** True when the request was a preflight and is answered. */
  #cors(request: FastifyRequest, reply: FastifyReply): boolean {
    const { origin } = request.headers
    if (origin === undefined || !this.#deps.options.allowedOrigins.includes(origin)) return false
    reply.header('Access-Control-Allow-Origin', origin)
    reply.header('Access-Control-Allow-Credentials', 'true')
    reply.header('Access-Control-Expose-Headers', CORS_EXPOSE_HEADERS)
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false
    reply.header('Access-Control-Allow-Methods', 'GET,PUT,POST,DELETE,PATCH')
    reply.header('Access-Control-Allow-Headers', CORS_ALLOW_HEADERS)
    reply.header('Access-Control-Max-Age', '3600')
    void reply.code(200).send()
    return true
  }

  async #route(request: FastifyRequest, reply: FastifyReply, requestId: string): Promise<FastifyReply> {
    const at = request.url.indexOf('?')
    const path = normalisePath(at < 0 ? request.url : request.url.slice(0, at))
    const baseUrl = this.#baseUrl(request)
    if (path === '/') return send(reply, 200, rootDocument(baseUrl))
    if (path === '/v1') {
      setVersion(reply, parseVersionFor(reply, request))
      if (request.method !== 'GET') throw new ApiError(405, '', `Method ${request.method} is not allowed for ${path}.`)
      return send(reply, 200, v1Document(baseUrl))
    }
    const signal = AbortSignal.timeout(this.#deps.options.requestTimeoutMs)
    const caller = await this.#authenticate(request, reply, signal)
    if (caller === undefined) return reply
    const minor = parseVersionFor(reply, request)
    setVersion(reply, minor)
    const match = this.#router.find(path)
    if (match === undefined) throw notThere(request.method, path)
    const route = choose(match, request.method, minor, path)
    acceptsJson(request)
    const query = parseQuery(at < 0 ? '' : request.url.slice(at + 1))
    if (route.query !== undefined) refuseUnknown(query, route.query)
    const body = this.#body(request, route)
    const ctx: RequestContext = {
      requestId,
      globalRequestId: globalRequestId(request),
      caller,
      isAdmin: false,
      minor,
      signal,
    }
    const result = await route.handle({
      ctx: { ...ctx, isAdmin: this.#deps.policy.allows('context_is_admin', ctx, {}) },
      params: match.params,
      query,
      body,
      args: request.method === 'GET' ? query : { ...body, ...query },
      baseUrl,
    })
    if (result.headers !== undefined) reply.headers(result.headers)
    const status = result.status ?? 200
    if (status === 204) return reply.code(204).send()
    if (result.json !== undefined) return reply.code(status).header('content-type', JSON_TYPE).send(result.json)
    return send(reply, status, result.body ?? null)
  }

  /** undefined: refused, and the answer is sent. It has its own form: the token check sits outside the formatter. */
  async #authenticate(request: FastifyRequest, reply: FastifyReply, signal: AbortSignal): Promise<Caller | undefined> {
    const token = request.headers['x-auth-token']
    const caller =
      typeof token === 'string' && token !== '' ? await this.#deps.identity.validate(token, { signal }) : undefined
    if (caller !== undefined) return caller
    reply.header('WWW-Authenticate', `Keystone uri="${this.#deps.identity.authenticateUri}"`)
    await send(reply, 401, {
      error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
    })
    return undefined
  }

  #body(request: FastifyRequest, route: Route): Record<string, unknown> {
    const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const limit = route.bodyLimit ?? this.#deps.options.bodyLimit
    if (raw.length > limit) throw tooLarge(limit)
    const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
    if (route.requiresJson === true && type !== 'application/json') {
      throw new ApiError(415, '', `The content type must be application/json, not '${type ?? ''}'.`)
    }
    if (raw.length === 0 || request.method === 'GET') return {}
    // A DELETE comes as octet-stream and whatever it may hold is not looked at.
    if (type !== 'application/json' && type !== 'application/javascript') return {}
    return parseObject(raw)
  }

  #baseUrl(request: FastifyRequest): string {
    const { publicEndpoint, trustForwardedHeaders } = this.#deps.options
    if (publicEndpoint !== null) return publicEndpoint
    const forwarded = (name: string): string | undefined => {
      const value = trustForwardedHeaders ? request.headers[name] : undefined
      return typeof value === 'string' ? value.split(',')[0]?.trim() : undefined
    }
    const scheme = forwarded('x-forwarded-proto') ?? request.protocol
    return `${scheme}://${forwarded('x-forwarded-host') ?? request.headers.host ?? 'localhost'}`
  }

  fail(error: unknown, requestId: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const correlationId = randomUUID()
    const known = fromFastify(error, this.#largestBody)
    const { status, body, retryAfterS } = toErrorAnswer(known, requestId, correlationId)
    if (status >= 500) {
      this.#deps.log.error({ requestId, correlationId, method: request.method, err: known }, 'request failed')
    }
    if (!reply.hasHeader('x-openstack-request-id')) reply.header('x-openstack-request-id', requestId)
    if (known instanceof UnsupportedMicroversion) setVersion(reply, MIN_MINOR, MAX_MINOR)
    // In any other error python-zunclient fails over this header, and its user sees a TypeError instead of the message.
    if (retryAfterS !== undefined && status === 413) reply.header('Retry-After', String(retryAfterS))
    return send(reply, status, body)
  }
}

const JSON_TYPE = 'application/json'

function send(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  return reply.code(status).header('content-type', JSON_TYPE).send(JSON.stringify(body))
}

function setVersion(reply: FastifyReply, minor: number, _max = MAX_MINOR): void {
  reply.headers(versionHeaders(minor))
}

function parseVersionFor(_reply: FastifyReply, request: FastifyRequest): number {
  const header = request.headers['openstack-api-version']
  return parseMicroversion(Array.isArray(header) ? header.join(' ') : header)
}

function newRequestId(): string {
  return `req-${randomUUID()}`
}

function globalRequestId(request: FastifyRequest): string | null {
  const given = request.headers['x-openstack-request-id']
  return typeof given === 'string' && /^req-[0-9a-f-]{36}$/i.test(given) ? given : null
}

function acceptsJson(request: FastifyRequest): void {
  const { accept } = request.headers
  if (accept === undefined || accept === '' || /\*\/\*|application\/\*|application\/json/i.test(accept)) return
  throw new NotAcceptable(`The answer is application/json, which the Accept header '${accept.slice(0, 100)}' excludes.`)
}

/** Form-encoded: `+` is a space. */
export function parseQuery(text: string): Query {
  if (text === '') return EMPTY_QUERY
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new InvalidInput('The query has a bad percent-encoding.')
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  for (const [name, value] of new URLSearchParams(text)) {
    const before = query[name]
    if (before === undefined) query[name] = value
    else if (typeof before === 'string') query[name] = [before, value]
    else before.push(value)
  }
  return query
}

const EMPTY_QUERY: Query = Object.freeze(Object.create(null) as Query)

function refuseUnknown(query: Query, known: readonly string[]): void {
  const unknown = Object.keys(query).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  throw new InvalidInput(`Unknown parameters: ${unknown.map((name) => name.slice(0, 64)).join(', ')}`)
}

function parseObject(raw: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(raw.toString('utf8'))
  } catch (error) {
    throw new InvalidInput(`The body is not valid JSON: ${error instanceof Error ? error.message : ''}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInput('The body must be a JSON object.')
  }
  return Object.hasOwn(value, '__proto__')
    ? Object.fromEntries(Object.entries(value).filter(([name]) => name !== '__proto__'))
    : (value as Record<string, unknown>)
}

function tooLarge(limit: number): ApiError {
  return new ApiError(413, 'request-too-large', `The body has more than ${limit} bytes.`)
}

/** Errors that the HTTP server itself found. */
function fromFastify(error: unknown, largestBody: number): unknown {
  if (typeof error !== 'object' || error === null || !('statusCode' in error) || error instanceof ApiError) return error
  const { statusCode } = error
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return error
  if (statusCode === 413) return tooLarge(largestBody)
  const message = 'message' in error ? String(error.message) : 'bad request'
  return new ApiError(statusCode, 'invalid', message, { cause: error })
}

/** Outside the pipeline: no token, no request id, no version headers, and nothing in the log. */
function mountHealthcheck(app: FastifyInstance, options: ApiServerOptions): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/healthcheck',
    handler: async (request, reply) => {
      const disabled = existsSync(options.healthcheckDisableFile)
      const reason = disabled ? 'DISABLED BY FILE' : 'OK'
      if (request.method === 'HEAD') return await reply.code(disabled ? 503 : 204).send()
      if (request.headers.accept?.includes('application/json') === true) {
        return send(reply, disabled ? 503 : 200, { detailed: false, reasons: [reason] })
      }
      return await reply
        .code(disabled ? 503 : 200)
        .header('content-type', 'text/plain')
        .send(reason)
    },
  })
}
