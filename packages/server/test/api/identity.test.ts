/** api-conventions 3: who is calling is said by the token alone. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { endpoint } from '@zund/contract/api/endpoint.ts'
import type { FastifyInstance } from 'fastify'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import type { Caller, Identity, Presented } from '../../src/app/ports/identity.ts'
import { Unavailable } from '../../src/domain/errors.ts'
import { route } from '../../src/edge/api/route.ts'
import { buildApiServer } from '../../src/edge/api/server.ts'
import { NO_CORS } from '../support/no-cors.ts'
import { quietLog } from '../support/quiet-log.ts'

const WHO = route(
  endpoint({ id: 'who', method: 'GET', path: '/v1/who', tag: 'who', summary: '', answers: [], errors: [] }),
  async ({ ctx }) => ({ body: { ...ctx.caller, isAdmin: ctx.isAdmin } }),
)

const ANN: Caller = {
  userId: 'u1',
  userName: 'ann',
  userDomainId: 'default',
  userDomainName: 'Default',
  projectId: 'p1',
  projectName: 'red',
  projectDomainId: 'default',
  projectDomainName: 'Default',
  roles: ['member'],
}

function apiFor(t: TestContext, validate: Identity['validate']): FastifyInstance {
  const app = buildApiServer({
    identity: { validate, authenticateUri: 'http://identity.test/v3' },
    policy: new PolicyEngine({ file: null, log: quietLog }),
    log: quietLog,
    routes: [WHO],
    mounts: [],
    options: {
      bodyLimit: 1024,
      publicEndpoint: null,
      trustForwardedHeaders: false,
      isTls: false,
      cors: NO_CORS,
      healthcheckDisableFile: '/nonexistent',
      requestTimeoutMs: 10_000,
    },
  })
  t.after(() => app.close())
  return app
}

/** What a proxy or another service might believe. */
const CLAIMS = {
  'x-identity-status': 'Confirmed',
  'x-service-identity-status': 'Confirmed',
  'x-user-id': 'root',
  'x-user-name': 'root',
  'x-user-domain-id': 'other',
  'x-project-id': 'p2',
  'x-project-name': 'blue',
  'x-tenant-id': 'p2',
  'x-tenant': 'p2',
  'x-user': 'root',
  'x-role': 'admin',
  'x-roles': 'admin,service',
  'x-service-roles': 'service',
  'x-service-user-id': 'root',
  'x-is-admin-project': 'True',
  'openstack-system-scope': 'all',
  'x-service-catalog': '[]',
  'x-openstack-request-id': 'req-1',
}

test('headers that claim an identity change nothing, with a token and without', async (t) => {
  const app = apiFor(t, async (token) => (token === 'good' ? ANN : undefined))
  const plain = await app.inject({ url: '/v1/who', headers: { 'x-auth-token': 'good' } })
  assert.equal(plain.statusCode, 200)
  const older = await app.inject({ url: '/v1/who', headers: { 'x-storage-token': 'good' } })
  assert.deepEqual([older.statusCode, older.body], [200, plain.body])
  const claimed = await app.inject({ url: '/v1/who', headers: { ...CLAIMS, 'x-auth-token': 'good' } })
  assert.equal(claimed.body, plain.body)
  assert.deepEqual(JSON.parse(claimed.body), { ...ANN, isAdmin: false })
  for (const headers of [CLAIMS, { ...CLAIMS, 'x-auth-token': 'bad' }, { ...CLAIMS, 'x-auth-token': '' }]) {
    const refused = await app.inject({ url: '/v1/who', headers })
    assert.equal(refused.statusCode, 401)
    assert.equal(refused.headers['www-authenticate'], 'Keystone uri="http://identity.test/v3"')
  }
})

test('with the token goes the one of a service that calls for the user, and what is asked for', async (t) => {
  const shown: Omit<Presented, 'signal'>[] = []
  const app = apiFor(t, async (_token, { signal: _signal, ...rest }) => {
    shown.push(rest)
    return ANN
  })
  await app.inject({ url: '/v1//who.json?x=1', headers: { 'x-auth-token': 'good', 'x-service-token': 'service' } })
  await app.inject({ method: 'POST', url: '/v1/who', headers: { 'x-auth-token': 'good', 'x-service-token': '' } })
  const [first, second] = shown as (Presented & { token: string })[]
  assert.deepEqual([first?.serviceToken, first?.request], ['service', { method: 'GET', path: '/v1/who' }])
  assert.deepEqual([second?.serviceToken, second?.request], [undefined, { method: 'POST', path: '/v1/who' }])
})

test('an identity service that is away is a 503 which says when to come back, in the form of every error', async (t) => {
  const app = apiFor(t, async () => {
    throw new Unavailable('Because the identity service is not available, …', { retryAfterS: 10 })
  })
  const ask = async (agent: string) =>
    await app.inject({ url: '/v1/who', headers: { 'x-auth-token': 'good', 'user-agent': agent } })
  const answer = await ask('curl/8.0')
  assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '10'])
  const [error] = (JSON.parse(answer.body) as { errors: { code: string; title: string }[] }).errors
  assert.deepEqual(error?.code, 'container.service-unavailable')
  assert.match(error?.title ?? '', /identity service/)
  // The official client ends in a TypeError when an error has this header.
  assert.equal((await ask('python-zunclient')).headers['retry-after'], undefined)
})
