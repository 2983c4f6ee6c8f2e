/** Pages of other origins that may read answers of the API: [cors], as the operator's dashboard needs it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { varyBy } from './vary.ts'

export interface CorsOptions {
  /** `*`: any, but then without credentials. */
  readonly allowedOrigins: readonly string[]
  readonly allowCredentials: boolean
  readonly exposeHeaders: readonly string[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  /** Seconds a browser may remember the answer to a preflight. */
  readonly maxAgeS: number
}

/** They say nothing but how a body is written and what may be kept, so pages may send them whatever the operator lists. */
const HARMLESS = ['Accept', 'Accept-Language', 'Cache-Control', 'Content-Language', 'Content-Type', 'Pragma']

/** True when the request was a preflight and is answered. */
export function answerCors(request: FastifyRequest, reply: FastifyReply, options: CorsOptions): boolean {
  const { origin } = request.headers
  const { allowedOrigins } = options
  const any = allowedOrigins.includes('*')
  // Also where it says nothing: a cache must not give that answer to a page of another origin.
  if (allowedOrigins.length > 0 && !any) varyBy(reply, 'Origin')
  if (origin === undefined || !(any || allowedOrigins.includes(origin))) return false
  reply.header('Access-Control-Allow-Origin', any ? '*' : origin)
  if (options.allowCredentials && !any) reply.header('Access-Control-Allow-Credentials', 'true')
  if (options.exposeHeaders.length > 0) reply.header('Access-Control-Expose-Headers', options.exposeHeaders.join(','))
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false
  reply.header('Access-Control-Allow-Methods', options.allowMethods.join(','))
  reply.header('Access-Control-Allow-Headers', [...options.allowHeaders, ...HARMLESS].join(','))
  reply.header('Access-Control-Max-Age', String(options.maxAgeS))
  void reply.code(200).send()
  return true
}
