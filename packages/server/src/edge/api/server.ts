import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import { Connections } from './connections.ts'
import { Console } from './console.ts'
import { answerCors } from './cors.ts'
import type { ApiServerDeps, ApiServerOptions } from './deps.ts'
import { mountDocs } from './docs/mount.ts'
import { Pipeline, send } from './pipeline.ts'

/** Milliseconds for the handshake of TLS; an end of the service waits for those under way. */
const HANDSHAKE_TIMEOUT_MS = 10_000
const HEALTHCHECK = '/healthcheck'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** The public API: one pipeline for every request. */
export function buildApiServer(deps: ApiServerDeps): FastifyInstance {
  const { options } = deps
  const pipeline = new Pipeline(deps)
  const connections = new Connections()
  const terminals = deps.terminals === undefined ? undefined : new Console(deps.terminals, options)
  const app = fastify({
    logger: false,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    genReqId: newRequestId,
    serverFactory: (handler) => httpServer(deps, handler, (request) => terminals?.isFor(request) === true),
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 8192 },
    clientErrorHandler: (error, socket) => connections.refuse(error, socket),
    frameworkErrors: (error, request, reply) => void pipeline.fail(error, request, reply),
  })
  // No body is read before it is known who sends it and how much he may send; see readBody.
  for (const method of METHODS) app.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  connections.watch(app)
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    terminals?.upgrade(request, socket, head)
  })
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url !== HEALTHCHECK) reply.header('x-openstack-request-id', request.id)
  })
  app.addHook('preClose', async () => await pipeline.close())
  mountHealthcheck(app, options)
  app.register(async (beside) => {
    // A page that may use the API may log in.
    beside.addHook('onRequest', async (request, reply) => {
      answerCors(request, reply, options.cors)
    })
    for (const { mount } of deps.mounts) mount(beside)
  })
  mountDocs(app, [...deps.routes.map((route) => route.endpoint), ...deps.mounts.flatMap((mount) => mount.endpoints)])
  app.route({ method: [...METHODS], url: '/*', handler: (request, reply) => pipeline.serve(request, reply) })
  app.setErrorHandler((error, request, reply) => pipeline.fail(error, request, reply))
  app.setNotFoundHandler((request, reply) => pipeline.serve(request, reply))
  return app
}

/** With TLS or in the clear. */
function httpServer(
  { options, tls }: ApiServerDeps,
  handler: RequestListener,
  shouldUpgradeCallback: (request: IncomingMessage) => boolean,
): Server {
  const settings = {
    // Of a whole request: uploads take as long as they take, and a body that is read has a deadline of ours.
    requestTimeout: 0,
    // A little later than ours, so that the client gets an answer.
    headersTimeout: options.requestTimeoutMs + 5_000,
    keepAliveTimeout: 75_000,
    maxHeaderSize: 32 * 1024,
    connectionsCheckingInterval: Math.min(options.requestTimeoutMs, 30_000),
    // A request without one gets an answer in our own form.
    requireHostHeader: false,
    shouldUpgradeCallback,
  }
  if (tls === undefined) return createServer(settings, handler)
  const server = createTlsServer({ ...settings, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ...tls.current }, handler)
  tls.onChange((changed) => server.setSecureContext(changed))
  return server
}

export function newRequestId(): string {
  return `req-${randomUUID()}`
}

/** Outside the pipeline: no token, no request id, no version headers, and nothing in the log. */
function mountHealthcheck(app: FastifyInstance, options: ApiServerOptions): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: HEALTHCHECK,
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
