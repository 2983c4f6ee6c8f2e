import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import { KeystoneIdentity, type KeystoneIdentityOptions } from '../../src/adapters/identity/keystone-identity.ts'
import { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import type { Presented } from '../../src/app/ports/identity.ts'
import { Unavailable } from '../../src/domain/errors.ts'
import { FakeCloud, type Asked, type Reply } from '../support/fake-cloud.ts'
import { quietLog } from '../support/quiet-log.ts'
import { until } from '../support/until.ts'

const signal = AbortSignal.timeout(60_000)
const o: Presented = { signal }

let cloud: FakeCloud
let clock: VirtualClock
let session: OpenStackSession
/** What Keystone says of each token; others it does not know. */
let tokens: Record<string, object>

function identity(options: Partial<KeystoneIdentityOptions> = {}): KeystoneIdentity {
  return new KeystoneIdentity({
    cloud: session,
    authenticateUri: 'http://identity.test/v3',
    cacheMs: 300_000,
    serviceRoles: ['service'],
    serviceRolesRequired: false,
    serviceTypes: ['container', 'application-container'],
    timeoutMs: 10_000,
    maxRetries: 0,
    clock,
    wallMs: clock.wallMs,
    log: quietLog,
    ...options,
  })
}

function token(more: object = {}, livesMs = 3_600_000): object {
  return {
    user: { id: 'u1', name: 'ann', domain: { id: 'd1', name: 'Blue' } },
    project: { id: 'p1', name: 'red', domain: { id: 'd2', name: 'Red' } },
    roles: [
      { id: 'r1', name: 'member' },
      { id: 'r2', name: 'reader' },
    ],
    expires_at: new Date(clock.wallMs() + livesMs).toISOString(),
    issued_at: new Date(clock.wallMs()).toISOString(),
    ...more,
  }
}

function keystone({ headers, query }: Asked): Reply {
  const found = tokens[String(headers['x-subject-token'])]
  if (found === undefined) return { status: 404, json: { error: { code: 404, message: 'Failed to validate token' } } }
  const { expires_at: end } = found as { expires_at: string }
  if (Date.parse(end) <= clock.wallMs() && !query.has('allow_expired')) return { status: 404 }
  return { status: 200, json: { token: found } }
}

beforeEach(async () => {
  cloud = await FakeCloud.start()
  clock = new VirtualClock()
  // A cache takes the time 0 for none.
  await clock.advance(1_000)
  cloud.answer = keystone
  session = new OpenStackSession({
    authUrl: cloud.authUrl,
    credentials: {
      kind: 'password',
      userId: 'zun',
      userName: null,
      userDomain: { id: null, name: null },
      password: 'very-secret',
      scope: { kind: 'project', id: 'service', name: null, domain: { id: null, name: null } },
    },
    tls: { current: { insecure: false } },
    services: {},
    timeoutMs: 10_000,
    clock,
    log: quietLog,
  })
  tokens = { good: token() }
})

afterEach(async () => {
  session.close()
  await cloud.close()
})

test('a token is shown with our own, and the caller is whom Keystone says', async () => {
  assert.deepEqual(await identity().validate('good', o), {
    userId: 'u1',
    userName: 'ann',
    userDomainId: 'd1',
    userDomainName: 'Blue',
    projectId: 'p1',
    projectName: 'red',
    projectDomainId: 'd2',
    projectDomainName: 'Red',
    roles: ['member', 'reader'],
  })
  const [{ path, headers, query } = assert.fail()] = cloud.asked
  assert.equal(path, '/identity/v3/auth/tokens')
  assert.deepEqual([headers['x-auth-token'], headers['x-subject-token']], ['own-1', 'good'])
  assert.equal(headers['openstack-identity-access-rules'], '1.0')
  assert.ok(!query.has('allow_expired'))
})

test('tokens of a domain, of the cloud as a whole and of nothing have no project', async () => {
  const { project: _none, ...unscoped } = token() as { project: object }
  tokens = {
    domain: { ...unscoped, domain: { id: 'd9', name: 'Nine' } },
    system: { ...unscoped, system: { all: true } },
    nothing: unscoped,
    other: token({ is_admin_project: false }),
  }
  const caller = async (shown: string) => (await identity().validate(shown, o)) ?? assert.fail()
  assert.deepEqual([(await caller('domain')).projectId, (await caller('domain')).domainId], [null, 'd9'])
  assert.deepEqual([(await caller('system')).projectId, (await caller('system')).systemScope], [null, 'all'])
  assert.deepEqual([(await caller('nothing')).projectId, (await caller('nothing')).systemScope], [null, undefined])
  assert.equal((await caller('other')).isAdminProject, false)
})

test('one question for all who show a token at once, and for a while after', async () => {
  const known = identity()
  const callers = await Promise.all(Array.from({ length: 20 }, () => known.validate('good', o)))
  assert.ok(callers.every((caller) => caller?.userId === 'u1'))
  assert.equal(cloud.asked.length, 1)
  await clock.advance(299_000)
  tokens = {}
  assert.equal((await known.validate('good', o))?.userId, 'u1')
  assert.equal(cloud.asked.length, 1)
  await clock.advance(2_000)
  assert.equal(await known.validate('good', o), undefined, 'revoked meanwhile')
})

test('who gives up does not take the answer from others who show the same token', async () => {
  let reply: (() => void) | undefined
  cloud.answer = (asked) => new Promise((resolve) => (reply = () => resolve(keystone(asked))))
  const known = identity()
  const controller = new AbortController()
  const gone = known.validate('good', { signal: controller.signal })
  const stays = known.validate('good', o)
  await until('the question has arrived', () => Promise.resolve(reply !== undefined))
  controller.abort(new Error('enough'))
  await assert.rejects(gone, /enough/)
  reply?.()
  assert.equal((await stays)?.userId, 'u1')
})

test('no token is good past its end, kept or not', async () => {
  tokens = { short: token({}, 60_000) }
  const known = identity()
  assert.equal((await known.validate('short', o))?.userId, 'u1')
  await clock.advance(61_000)
  assert.equal(await known.validate('short', o), undefined)
  // Keystone's clock is behind: ours counts, too.
  cloud.answer = () => ({ status: 200, json: { token: tokens['short'] } })
  assert.equal(await identity().validate('short', o), undefined)
})

test('with token_cache_time -1 each use is a question', async () => {
  const known = identity({ cacheMs: 0 })
  await known.validate('good', o)
  tokens = {}
  assert.equal(await known.validate('good', o), undefined)
})

test('a token that is none is not asked about again for a moment; what cannot be one not at all', async () => {
  const known = identity()
  for (let i = 0; i < 5; i += 1) assert.equal(await known.validate('bad', o), undefined)
  assert.equal(cloud.asked.length, 1)
  tokens = { bad: token() }
  await clock.advance(6_000)
  assert.equal((await known.validate('bad', o))?.userId, 'u1')
  cloud.asked.length = 0
  for (const odd of ['x'.repeat(2_049), 'two words', 'ümlaut', '']) {
    assert.equal(await known.validate(odd, o), undefined)
  }
  assert.equal(cloud.asked.length, 0)
})

test('made-up tokens do not push good ones out of what is kept', async () => {
  const known = identity()
  await known.validate('good', o)
  cloud.answer = () => ({ status: 404 })
  await Promise.all(Array.from({ length: 50 }, async (_, i) => await known.validate(`made-up-${i}`, o)))
  cloud.asked.length = 0
  assert.equal((await known.validate('good', o))?.userId, 'u1')
  assert.equal(cloud.asked.length, 0)
})

test('a Keystone that cannot be asked is neither a yes nor a no', async () => {
  const away = async (known = identity()) => {
    await assert.rejects(known.validate('good', o), (error: Error) => {
      assert.ok(error instanceof Unavailable)
      assert.equal(error.retryAfterS, 10)
      assert.match(error.message, /^Because the identity service is not available/)
      assert.doesNotMatch(error.message, /good|very-secret/)
      return true
    })
  }
  for (const status of [400, 401, 403, 500, 502, 503, 204]) {
    cloud.answer = () => ({ status })
    await away()
  }
  for (const json of [{}, [], { token: {} }, { token: { user: { id: 'u1', name: 'x' }, expires_at: 'soon' } }]) {
    cloud.answer = () => ({ status: 200, json })
    await away()
  }
  cloud.answer = () => 'cut'
  await away()
  cloud.answer = () => 'hang'
  await away(identity({ timeoutMs: 50 }))
  cloud.answer = () => ({ status: 401 })
  cloud.login = () => ({ status: 401 })
  await away()
})

test('what could not be asked is asked again: at once as often as the options say, and by the next request', async () => {
  let failures = 2
  cloud.answer = (asked) => (failures-- > 0 ? { status: 503 } : keystone(asked))
  const known = identity({ maxRetries: 3 })
  const asked = known.validate('good', o)
  for (const seen of [1, 2]) {
    await until(`try ${seen}`, () => Promise.resolve(cloud.asked.length === seen && clock.nextAt !== undefined))
    await clock.advance(1_000)
  }
  assert.equal((await asked)?.userId, 'u1')
  cloud.answer = () => ({ status: 503 })
  await assert.rejects(identity().validate('good', o), Unavailable)
})

test('our own token is had anew when Keystone does not take it', async () => {
  cloud.answer = (asked) => (asked.headers['x-auth-token'] === 'own-1' ? { status: 401 } : keystone(asked))
  assert.equal((await identity().validate('good', o))?.userId, 'u1')
  assert.equal(cloud.logins.length, 2)
})

test('a service token says who calls for the user; one that is none refuses the request', async () => {
  tokens['service'] = token({ user: { id: 's1', name: 'nova', domain: { id: 'd1' } }, roles: [{ name: 'service' }] })
  const caller = await identity().validate('good', { ...o, serviceToken: 'service' })
  assert.equal(caller?.userId, 'u1')
  assert.deepEqual(caller?.service, {
    userId: 's1',
    userDomainId: 'd1',
    projectId: 'p1',
    projectDomainId: 'd2',
    roles: ['service'],
  })
  assert.equal(await identity().validate('good', { ...o, serviceToken: 'unknown' }), undefined)
})

test("a token without a service's role is taken beside the user's unless the role is required", async () => {
  tokens['other'] = token({ roles: [{ name: 'member' }] })
  const beside = { ...o, serviceToken: 'other' }
  assert.deepEqual((await identity().validate('good', beside))?.service?.roles, ['member'])
  assert.equal(await identity({ serviceRolesRequired: true }).validate('good', beside), undefined)
  assert.ok(await identity({ serviceRolesRequired: true, serviceRoles: ['x', 'member'] }).validate('good', beside))
})

test('with a service token a token of a user that has expired is good, and only then', async () => {
  tokens = {
    old: token({}, -60_000),
    ending: token({}, 60_000),
    service: token({ roles: [{ name: 'service' }] }),
    other: token({ roles: [{ name: 'member' }] }),
  }
  const known = identity()
  assert.equal(await known.validate('old', o), undefined)
  assert.equal((await known.validate('old', { ...o, serviceToken: 'service' }))?.userId, 'u1')
  assert.equal(await known.validate('old', { ...o, serviceToken: 'other' }), undefined)
  assert.equal(await known.validate('old', o), undefined, 'what is kept for a service is not for others')
  assert.equal((await known.validate('ending', o))?.userId, 'u1')
  await clock.advance(120_000)
  assert.equal(await known.validate('ending', o), undefined)
  assert.equal((await known.validate('ending', { ...o, serviceToken: 'service' }))?.userId, 'u1')
  // A service's own token has to live.
  tokens['dead'] = token({ roles: [{ name: 'service' }] }, -1_000)
  assert.equal(await known.validate('old', { ...o, serviceToken: 'dead' }), undefined)
})

const RULES: readonly (readonly [rule: string, request: string, isGood: boolean])[] = [
  ['container GET /v1/containers', 'GET /v1/containers', true],
  ['application-container GET /v1/containers', 'GET /v1/containers', true],
  ['compute GET /v1/containers', 'GET /v1/containers', false],
  ['container GET /v1/containers', 'POST /v1/containers', false],
  ['container GET /v1/containers', 'GET /v1/containers/1', false],
  ['container GET /v1/containers/{id}', 'GET /v1/containers/1', true],
  ['container GET /v1/containers/*', 'GET /v1/containers/1', true],
  ['container GET /v1/containers/*', 'GET /v1/containers/', false],
  ['container GET /v1/containers/*', 'GET /v1/containers/1/logs', false],
  ['container GET /v1/containers/*/logs', 'GET /v1/containers/1/logs', true],
  ['container GET /v1/**', 'GET /v1/containers/1/logs', true],
  ['container GET /v1/**/logs', 'GET /v1/containers/1/logs', true],
  ['container GET /v1/**/logs', 'GET /v1/containers/1/top', false],
  ['container GET /v1/.*', 'GET /v1/containers', false],
  ['container GET /v1/c(ontainers', 'GET /v1/containers', false],
]

test('a token with rules of access is good for the requests that they name', async () => {
  for (const [rule, line, isGood] of RULES) {
    const [service, method, path] = rule.split(' ')
    tokens['ruled'] = token({ application_credential: { id: 'a', access_rules: [{ service, method, path }] } })
    const [asked = '', on = ''] = line.split(' ')
    const caller = await identity().validate('ruled', { ...o, request: { method: asked, path: on } })
    assert.equal(caller !== undefined, isGood, `${rule}: ${line}`)
  }
  const request = { method: 'GET', path: '/v1/containers' }
  tokens['none'] = token({ application_credential: { id: 'a', access_rules: [] } })
  assert.equal(await identity().validate('none', { ...o, request }), undefined)
  tokens['odd'] = token({ application_credential: { id: 'a', access_rules: 'all' } })
  assert.equal(await identity().validate('odd', { ...o, request }), undefined)
  tokens['free'] = token({ application_credential: { id: 'a', access_rules: null } })
  assert.ok(await identity().validate('free', { ...o, request }))
  tokens['service'] = token({ roles: [{ name: 'service' }] })
  assert.ok(await identity().validate('none', { ...o, request, serviceToken: 'service' }), 'asked for by a service')
  tokens['other'] = token()
  assert.equal(await identity().validate('none', { ...o, request, serviceToken: 'other' }), undefined)
})

test('a rule that a user has written keeps nobody waiting', async () => {
  const path = `/v1/${'**a'.repeat(80)}`
  tokens['ruled'] = token({
    application_credential: { id: 'a', access_rules: [{ service: 'container', method: 'GET', path }] },
  })
  const request = { method: 'GET', path: `/v1/${'a'.repeat(1_000)}b` }
  assert.equal(await identity().validate('ruled', { ...o, request }), undefined)
})
