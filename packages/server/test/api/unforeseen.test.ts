/** api-conventions 3 and 6: what a client gets to see of errors that nobody foresaw, and of tokens that are no longer good. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { endpoint } from '@zund/contract/api/endpoint.ts'
import type { FastifyInstance } from 'fastify'
import { BuiltInIdentity } from '../../src/adapters/identity/built-in-identity.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import type { Identity } from '../../src/app/ports/identity.ts'
import { Unauthorized, Unavailable } from '../../src/domain/errors.ts'
import { route } from '../../src/edge/api/route.ts'
import { buildApiServer } from '../../src/edge/api/server.ts'
import { logIds } from '../../src/lib/log-ids.ts'
import { quietLog } from '../support/quiet-log.ts'
import { NO_CORS } from '../support/no-cors.ts'

const TROUBLE = endpoint({
  id: 'trouble',
  method: 'GET',
  path: '/v1/trouble',
  tag: 'trouble',
  summary: 'Fails.',
  answers: [],
  errors: [],
})

const ROUTE = route(TROUBLE, async ({ query }) => {
  if (query['token'] === 'late') throw new Unauthorized()
  throw new TypeError('SELECT secret FROM somewhere')
})

/** An API with one route, which fails. */
function apiFor(t: TestContext, identity: Identity, logged: object[] = []): FastifyInstance {
  const app = buildApiServer({
    identity,
    policy: new PolicyEngine({ file: null, log: quietLog }),
    log: { ...quietLog, error: (fields) => logged.push({ ...logIds(), ...fields }) },
    routes: [ROUTE],
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

/** Users in a database whose clock can be set forward. */
class Users {
  readonly database: SqlDatabase
  aheadMs = 0

  constructor(t: TestContext) {
    const directory = mkdtempSync(join(tmpdir(), 'zund-tokens-'))
    this.database = new SqlDatabase(join(directory, 'zund.sqlite'), { nowMs: () => Date.now() + this.aheadMs })
    const store = new SqlStore(this.database)
    t.after(async () => {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    })
  }

  /** Each has seen no token yet. */
  identity(): BuiltInIdentity {
    const { database } = this
    return new BuiltInIdentity({ database, authenticateUri: 'http://identity.test/v3', tokenTtlMs: 60_000 })
  }

  async token(): Promise<string> {
    const identity = this.identity()
    const project = await identity.ensureProject('red')
    const user = await identity.ensureUser('alice', 'secret of alice')
    return (await identity.issue(user, project, ['member'])).token
  }
}

test('an error that nobody foresaw is a 500 with a number that is in the log, and without its cause', async (t) => {
  const users = new Users(t)
  const token = await users.token()
  const logged: object[] = []
  const app = apiFor(t, users.identity(), logged)
  const sent = 'req-0e7a2f5c-6bfd-4b63-8c46-0123456789ab'
  const { statusCode, headers, body } = await app.inject({
    url: '/v1/trouble',
    headers: { 'x-auth-token': token, 'x-openstack-request-id': sent },
  })
  assert.equal(statusCode, 500)
  const { errors } = JSON.parse(body) as { errors: [Record<string, unknown>] }
  const [{ detail, ...error }] = errors
  assert.deepEqual(error, {
    request_id: headers['x-openstack-request-id'],
    code: 'container.',
    status: 500,
    title: 'Internal Server Error',
    links: [],
  })
  assert.ok(!body.includes('secret'), body)
  const [number = ''] = /[0-9a-f-]{36}/.exec(String(detail)) ?? []
  assert.equal(logged.length, 1)
  const { correlationId, err, ...ids } = logged[0] as Record<string, unknown> & { err: Error }
  assert.deepEqual([correlationId, err.message], [number, 'SELECT secret FROM somewhere'])
  assert.deepEqual([ids['requestId'], ids['globalRequestId']], [error['request_id'], sent])
  const caller = await users.identity().validate(token)
  assert.deepEqual([ids['userId'], ids['projectId']], [caller?.userId, caller?.projectId])
  for (const other of ['nonsense', 'req-1', `${sent}0`]) {
    await app.inject({ url: '/v1/trouble', headers: { 'x-auth-token': token, 'x-openstack-request-id': other } })
    assert.equal((logged.at(-1) as Record<string, unknown>)['globalRequestId'], undefined, other)
  }
})

test('a token is good until its time is over, or it is taken back', async (t) => {
  const users = new Users(t)
  const token = await users.token()
  const statusWith = async (identity: BuiltInIdentity): Promise<number> =>
    (await apiFor(t, identity).inject({ url: '/v1/nothing', headers: { 'x-auth-token': token } })).statusCode
  assert.equal(await statusWith(users.identity()), 404)
  users.aheadMs = 61_000
  assert.equal(await statusWith(users.identity()), 401)
  users.aheadMs = 0
  const identity = users.identity()
  assert.equal(await statusWith(identity), 404)
  await identity.revoke(token)
  assert.equal(await statusWith(identity), 401)
})

test('a token whose time is over while the request is served is refused as if it had come so', async (t) => {
  const users = new Users(t)
  const app = apiFor(t, users.identity())
  const late = { 'x-auth-token': await users.token() }
  const [before, meanwhile] = [
    await app.inject({ url: '/v1/trouble', headers: { 'x-auth-token': 'none' } }),
    await app.inject({ url: '/v1/trouble?token=late', headers: late }),
  ]
  assert.deepEqual([meanwhile.statusCode, meanwhile.body], [401, before.body])
  assert.equal(meanwhile.headers['www-authenticate'], 'Keystone uri="http://identity.test/v3"')
})

test('an identity service that cannot be asked is a 503, and not taken for a refusal', async (t) => {
  const validate = async (): Promise<never> => {
    throw new Unavailable('The identity service does not answer.')
  }
  const app = apiFor(t, { validate, authenticateUri: 'http://identity.test/v3' })
  const answer = await app.inject({ url: '/v1/nothing', headers: { 'x-auth-token': 'any' } })
  assert.equal(answer.statusCode, 503)
  assert.match(answer.body, /The identity service does not answer/)
})
