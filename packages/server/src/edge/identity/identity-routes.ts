/**
 * The few calls of the Identity API v3 that clients make to log in, mounted at `/identity`. Only for machines without
 * Keystone; it is not, and is not to become, an identity product.
 */
import { STATUS_CODES } from 'node:http'
import { IDENTITY_ENDPOINTS } from '@zund/contract/api/endpoints/identity.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { shown } from '../../app/fields.ts'
import type { IdentityService, IssuedToken, NameOrId } from '../../app/ports/identity-service.ts'
import { ApiError } from '../../domain/errors.ts'
import type { Mount } from '../api/deps.ts'
import { parseObject, readBody } from '../api/body.ts'
import { varyBy } from '../api/vary.ts'

const DOMAIN = { id: 'default', name: 'Default' }
const REGION = 'RegionOne'
/** Anybody may send one of these, so it is kept small. */
const BODY_LIMIT = 64 * 1024
const BODY_TIMEOUT_MS = 30_000

export function identityRoutes(service: IdentityService): Mount {
  const mount = (app: FastifyInstance): void => {
    const routes = new IdentityRoutes(service)
    for (const url of ['/identity', '/identity/']) app.get(url, (q, r) => routes.versions(q, r))
    for (const url of ['/identity/v3', '/identity/v3/']) app.get(url, (q, r) => routes.version(q, r))
    const tokens = '/identity/v3/auth/tokens'
    app.post(tokens, (q, r) => guarded(r, () => routes.login(q, r)))
    app.get(tokens, (q, r) => guarded(r, () => routes.show(q, r)))
    app.head(tokens, (q, r) => guarded(r, () => routes.show(q, r)))
    app.delete(tokens, (q, r) => guarded(r, () => routes.revoke(q, r)))
    app.get('/identity/v3/auth/catalog', (q, r) => guarded(r, () => routes.catalog(q, r)))
    for (const url of ['/identity/v3/auth/projects', '/identity/v3/projects', '/identity/v3/users/:user/projects']) {
      app.get(url, (q, r) => guarded(r, () => routes.projects(q, r)))
    }
    for (const url of ['/identity/v3/projects/:project']) app.get(url, (q, r) => guarded(r, () => routes.project(q, r)))
  }
  return { endpoints: Object.values(IDENTITY_ENDPOINTS), mount }
}

class IdentityRoutes {
  readonly #service: IdentityService

  constructor(service: IdentityService) {
    this.#service = service
  }

  async versions(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return answer(reply, 300, { versions: { values: [versionOf(request)] } })
  }

  async version(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    return answer(reply, 200, { version: versionOf(request) })
  }

  async login(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const auth = object((await bodyOf(request, reply))['auth'], 'auth')
    const { user, projectId } = await this.#identify(object(auth['identity'], 'auth.identity'))
    const project = await this.#scope(auth['scope'], projectId)
    const roles = project === null ? [] : await this.#service.rolesOf(user.id, project.id)
    if (project !== null && roles.length === 0) throw unauthorized()
    const { token, info } = await this.#service.issue(user, project, roles)
    reply.header('X-Subject-Token', token)
    return answer(reply, 201, { token: tokenBody(info, originOf(request)) })
  }

  async #identify(
    identity: Record<string, unknown>,
  ): Promise<{ user: { id: string; name: string }; projectId: string | undefined }> {
    const methods = identity['methods']
    if (!Array.isArray(methods) || methods.length !== 1) {
      throw bad("auth.identity.methods must name one method: 'password', 'application_credential' or 'token'")
    }
    if (methods[0] === 'password') {
      const user = object(object(identity['password'], 'auth.identity.password')['user'], 'auth.identity.password.user')
      const known = await this.#service.login(nameOrId(user, 'user'), secret(user['password'], 'password'))
      if (known === undefined) throw unauthorized()
      return { user: known, projectId: undefined }
    }
    if (methods[0] === 'application_credential') {
      const path = 'auth.identity.application_credential'
      const credential = object(identity['application_credential'], path)
      const user =
        credential['user'] === undefined ? undefined : nameOrId(object(credential['user'], `${path}.user`), 'user')
      const known = await this.#service.loginWithCredential(
        { ...nameOrId(credential, 'application_credential'), user },
        secret(credential['secret'], 'secret'),
      )
      if (known === undefined) throw unauthorized()
      return known
    }
    if (methods[0] === 'token') {
      const info = await this.#service.tokenInfo(secret(object(identity['token'], 'auth.identity.token')['id'], 'id'))
      if (info === undefined) throw unauthorized()
      return { user: { id: info.caller.userId, name: info.caller.userName }, projectId: undefined }
    }
    throw bad(`auth.identity.methods: '${shown(methods[0])}' is not offered`)
  }

  async #scope(scope: unknown, credentialProject: string | undefined): Promise<{ id: string; name: string } | null> {
    if (credentialProject !== undefined) return (await this.#service.findProject({ id: credentialProject })) ?? null
    if (scope === undefined || scope === 'unscoped') return null
    const { project } = object(scope, 'auth.scope')
    if (project === undefined) return null
    const found = await this.#service.findProject(nameOrId(object(project, 'auth.scope.project'), 'project'))
    if (found === undefined) throw unauthorized()
    return found
  }

  async show(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.#requireToken(request)
    const subject = request.headers['x-subject-token']
    const info = typeof subject === 'string' ? await this.#service.tokenInfo(subject) : undefined
    if (info === undefined || typeof subject !== 'string') throw new ApiError(404, '', 'Could not find the token.')
    reply.header('X-Subject-Token', subject)
    return answer(reply, 200, { token: tokenBody(info, originOf(request)) })
  }

  async revoke(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.#requireToken(request)
    const subject = request.headers['x-subject-token']
    const info = typeof subject === 'string' ? await this.#service.tokenInfo(subject) : undefined
    if (info === undefined || typeof subject !== 'string') throw new ApiError(404, '', 'Could not find the token.')
    await this.#service.revoke(subject)
    return await reply.code(204).send()
  }

  async catalog(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.#requireToken(request)
    return answer(reply, 200, { catalog: catalogOf(originOf(request)), links: {} })
  }

  async projects(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { caller } = await this.#requireToken(request)
    const { name } = request.query as { name?: unknown }
    const projects = (await this.#service.projectsOf(caller.userId)).filter(
      (project) => name === undefined || project.name === name,
    )
    return answer(reply, 200, { projects: projects.map(projectBody), links: {} })
  }

  async project(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { caller } = await this.#requireToken(request)
    const { project: id } = request.params as { project: string }
    const found = (await this.#service.projectsOf(caller.userId)).find((project) => project.id === id)
    if (found === undefined) throw new ApiError(404, '', `Could not find project: ${id.slice(0, 64)}.`)
    return answer(reply, 200, { project: projectBody(found) })
  }

  async #requireToken(request: FastifyRequest): Promise<IssuedToken> {
    const token = request.headers['x-auth-token']
    const info = typeof token === 'string' ? await this.#service.tokenInfo(token) : undefined
    if (info === undefined) throw unauthorized()
    return info
  }
}

function originOf(request: FastifyRequest): string {
  return `${request.protocol}://${request.headers.host ?? 'localhost'}`
}

function versionOf(request: FastifyRequest): object {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${originOf(request)}/identity/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  }
}

function tokenBody(info: IssuedToken, origin: string): object {
  const { caller } = info
  return {
    methods: ['password'],
    user: { id: caller.userId, name: caller.userName, domain: DOMAIN, password_expires_at: null },
    audit_ids: [],
    issued_at: new Date(info.issuedAtMs).toISOString(),
    expires_at: new Date(info.expiresAtMs).toISOString(),
    ...(caller.projectId === null
      ? {}
      : {
          project: { id: caller.projectId, name: caller.projectName, domain: DOMAIN },
          is_domain: false,
          roles: caller.roles.map((name) => ({ id: name, name })),
          catalog: catalogOf(origin),
        }),
  }
}

function catalogOf(origin: string): object[] {
  return [
    { id: 'container', type: 'container', name: 'zun', endpoints: endpointsOf('container', `${origin}/v1`) },
    { id: 'identity', type: 'identity', name: 'zund', endpoints: endpointsOf('identity', `${origin}/identity/v3`) },
  ]
}

function endpointsOf(service: string, url: string): object[] {
  return ['public', 'internal', 'admin'].map((name) => ({
    id: `${service}-${name}`,
    interface: name,
    region: REGION,
    region_id: REGION,
    url,
  }))
}

function projectBody(project: { id: string; name: string }): object {
  return { ...project, domain_id: DOMAIN.id, parent_id: DOMAIN.id, enabled: true, is_domain: false, description: '' }
}

/** Errors in Keystone's form. */
async function guarded(reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const title = STATUS_CODES[error.status] ?? ''
    if (error.status === 401) reply.header('WWW-Authenticate', 'Keystone')
    return answer(reply, error.status, { error: { code: error.status, title, message: error.message } })
  }
}

function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  varyBy(reply, 'X-Auth-Token')
  return reply.code(status).header('content-type', 'application/json').send(JSON.stringify(body))
}

function unauthorized(): ApiError {
  return new ApiError(401, '', 'The request you have made requires authentication.')
}

function bad(message: string): ApiError {
  return new ApiError(400, '', message)
}

async function bodyOf(request: FastifyRequest, reply: FastifyReply): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(BODY_TIMEOUT_MS)
  return parseObject(await readBody(request.raw, reply.raw, BODY_LIMIT, { signal }))
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw bad(`${path} must be an object`)
}

function nameOrId(value: Record<string, unknown>, what: string): NameOrId {
  const { id, name } = value
  if (typeof id === 'string' && id.length <= 255) return { id }
  if (typeof name === 'string' && name.length <= 255) return { name }
  throw bad(`${what} must have an id or a name of at most 255 characters`)
}

function secret(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= 4096) return value
  throw bad(`${name} must be a string of at most 4096 characters`)
}
