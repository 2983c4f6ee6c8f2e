/** Tokens of a real Keystone, as the API takes them. */
import assert from 'node:assert/strict'
import { before, describe, it, type TestContext } from 'node:test'
import { endpoint } from '@zund/contract/api/endpoint.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import { KeystoneIdentity, type KeystoneIdentityOptions } from '../../src/adapters/identity/keystone-identity.ts'
import { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import type { Caller } from '../../src/app/ports/identity.ts'
import { REGISTERED_RULES } from '../../src/domain/policy/default-rules.ts'
import { route } from '../../src/edge/api/route.ts'
import { buildApiServer } from '../../src/edge/api/server.ts'
import { NO_CORS } from '../support/no-cors.ts'
import { quietLog } from '../support/quiet-log.ts'
import { account } from './support/accounts.ts'
import { CloudUser } from './support/cloud-user.ts'
import { credentialToken, revoke, stranger, tokenBy, tokenOf } from './support/logins.ts'
import { TcpRelay } from './support/tcp-relay.ts'

interface Who extends Caller {
  readonly isAdmin: boolean
  /** Names of the rules that the caller passes with what is of the own project. */
  readonly passes: readonly string[]
}

interface Options extends Partial<KeystoneIdentityOptions> {
  /** Where Keystone is; absent: at its own address. */
  readonly authUrl?: string
}

const PROJECT = { project: { name: 'demo', domain: { id: 'default' } } }

/** An API that tells who is calling. */
function api(t: TestContext, { authUrl, ...options }: Options = {}) {
  const zun = account('zun')
  const clock = new VirtualClock()
  const session = new OpenStackSession({
    authUrl: authUrl ?? zun.authUrl,
    credentials: {
      kind: 'password',
      userId: null,
      userName: zun.username,
      userDomain: { id: 'default', name: null },
      password: zun.password,
      scope: { kind: 'project', id: null, name: zun.project, domain: { id: 'default', name: null } },
    },
    tls: { current: { insecure: false } },
    // Of a region that is not there the catalogue has none, and the address of the login is used.
    services: { identity: { interface: 'internal', region: authUrl === undefined ? zun.region : 'none' } },
    timeoutMs: 30_000,
    clock,
    log: quietLog,
  })
  const identity = new KeystoneIdentity({
    cloud: session,
    authenticateUri: zun.authUrl,
    cacheMs: 0,
    serviceRoles: ['service'],
    serviceRolesRequired: false,
    serviceTypes: ['container'],
    timeoutMs: 30_000,
    maxRetries: 0,
    clock,
    wallMs: Date.now,
    log: quietLog,
    ...options,
  })
  const policy = new PolicyEngine({ file: null, log: quietLog })
  const who = (method: 'GET' | 'DELETE') =>
    route(
      endpoint({ id: `who${method}`, method, path: '/v1/who', tag: 'who', summary: '', answers: [], errors: [] }),
      async ({ ctx }) => {
        const passes = REGISTERED_RULES.map(({ name }) => name).filter((name) => policy.allows(name, ctx))
        return { body: { ...ctx.caller, isAdmin: ctx.isAdmin, passes } }
      },
    )
  const app = buildApiServer({
    identity,
    policy,
    log: quietLog,
    routes: [who('GET'), who('DELETE')],
    mounts: [],
    options: {
      bodyLimit: 1024,
      publicEndpoint: null,
      trustForwardedHeaders: false,
      isTls: false,
      cors: NO_CORS,
      healthcheckDisableFile: '/nonexistent',
      requestTimeoutMs: 60_000,
    },
  })
  t.after(async () => {
    await app.close()
    session.close()
  })
  const ask = async (token: string, serviceToken?: string, method: 'GET' | 'DELETE' = 'GET') => {
    const headers = {
      'x-auth-token': token,
      ...(serviceToken === undefined ? {} : { 'x-service-token': serviceToken }),
    }
    const answer = await app.inject({ method, url: '/v1/who', headers })
    return { status: answer.statusCode, headers: answer.headers, who: JSON.parse(answer.body) as Who }
  }
  return { ask, clock }
}

describe('tokens of Keystone', () => {
  let admin: CloudUser
  let demo: CloudUser
  let zun: CloudUser

  before(async () => {
    admin = await CloudUser.login('admin')
    demo = await CloudUser.login('demo')
    zun = await CloudUser.login('zun')
  })

  it('say user, project, domains and roles', async (t) => {
    const { ask } = api(t)
    const { status, who } = await ask(demo.token)
    assert.equal(status, 200)
    assert.deepEqual([who.userId, who.userName, who.userDomainId], [demo.userId, 'demo', 'default'])
    assert.deepEqual([who.projectId, who.projectName, who.projectDomainId], [demo.projectId, 'demo', 'default'])
    assert.deepEqual(new Set(who.roles), new Set(demo.roles))
    assert.equal(who.isAdmin, false)
    assert.equal((await ask(admin.token)).who.isAdmin, true)
  })

  it('give a reader, a member, an admin and a service what the rules say of their roles', async (t) => {
    const { ask } = api(t)
    const rulesOf = (...checks: readonly string[]): string[] =>
      REGISTERED_RULES.flatMap(({ name, check }) => (checks.includes(check) ? [name] : []))
    const owned = rulesOf('is_admin:True or project_id:%(project_id)s')
    for (const role of ['reader', 'member', 'service']) {
      const one = await stranger(t, admin, role)
      const { who } = await ask(one.token)
      assert.ok(who.roles.includes(role))
      assert.equal(who.isAdmin, false)
      for (const name of owned) assert.ok(who.passes.includes(name), `${role}: ${name}`)
      for (const name of rulesOf('rule:context_is_admin', 'role:admin', 'rule:deny_everybody', '!')) {
        assert.ok(!who.passes.includes(name), `${role}: ${name}`)
      }
    }
    const { who } = await ask(admin.token)
    for (const name of [...owned, ...rulesOf('rule:context_is_admin', 'role:admin')]) {
      assert.ok(who.passes.includes(name), `admin: ${name}`)
    }
    for (const name of rulesOf('rule:deny_everybody', '!')) assert.ok(!who.passes.includes(name), `admin: ${name}`)
  })

  it('of a user in another domain with the same names are that other user’s', async (t) => {
    const other = await stranger(t, admin, 'member')
    const { who } = await api(t).ask(other.token)
    assert.deepEqual([who.userName, who.projectName], ['demo', 'demo'])
    assert.deepEqual([who.userId, who.projectId], [other.userId, other.projectId])
    assert.deepEqual([who.userDomainId, who.projectDomainId], [other.domainId, other.domainId])
  })

  it('that were revoked are refused: at once, or when what is kept of them is over', async (t) => {
    const token = await tokenOf('demo', PROJECT)
    const [fresh, keeping] = [api(t), api(t, { cacheMs: 300_000 })]
    await keeping.clock.advance(1_000)
    for (const { ask } of [fresh, keeping]) assert.equal((await ask(token)).status, 200)
    await revoke(demo, token)
    const refused = await fresh.ask(token)
    assert.equal(refused.status, 401)
    assert.equal(refused.headers['www-authenticate'], `Keystone uri="${account('zun').authUrl}"`)
    assert.equal((await keeping.ask(token)).status, 200)
    await keeping.clock.advance(301_000)
    assert.equal((await keeping.ask(token)).status, 401)
  })

  it('that are none, or of something else, are refused', async (t) => {
    const { ask } = api(t)
    const odd = [
      'nonsense',
      'gAAAAAB',
      demo.projectId,
      'x'.repeat(2_048),
      'x'.repeat(8_000),
      "' or 1=1 --",
      '../tokens',
      'a?b=c',
      '%00',
    ]
    for (const token of odd) assert.equal((await ask(token)).status, 401, token)
  })

  it('whose time is over are refused, unless a service brings them', async (t) => {
    const late = api(t, { wallMs: () => Date.now() + 5 * 3_600_000 })
    assert.equal((await late.ask(demo.token)).status, 401)
    // By the clock of this test the service's own token is over as well.
    assert.equal((await late.ask(demo.token, zun.token)).status, 401)
    const { status, who } = await api(t).ask(demo.token, zun.token)
    assert.equal(status, 200)
    assert.equal(who.service?.userId, zun.userId)
    assert.ok(who.service?.roles.includes('service'))
  })

  it('of a service have to be good, and of a service where that is asked for', async (t) => {
    assert.equal((await api(t).ask(demo.token, 'nonsense')).status, 401)
    assert.equal((await api(t).ask(demo.token, demo.token)).status, 200)
    const strict = api(t, { serviceRolesRequired: true })
    assert.equal((await strict.ask(demo.token, demo.token)).status, 401)
    assert.equal((await strict.ask(demo.token, zun.token)).status, 200)
    const revoked = await tokenOf('zun', { project: { name: 'service', domain: { id: 'default' } } })
    await revoke(zun, revoked)
    assert.equal((await strict.ask(demo.token, revoked)).status, 401)
  })

  it('of application credentials are the user’s, within the rules of access', async (t) => {
    const { ask } = api(t)
    const free = await ask(await credentialToken(t, demo))
    assert.deepEqual([free.status, free.who.userId, free.who.projectId], [200, demo.userId, demo.projectId])
    const token = await credentialToken(t, demo, [{ service: 'container', method: 'GET', path: '/v1/*' }])
    assert.equal((await ask(token)).status, 200)
    assert.equal((await ask(token, undefined, 'DELETE')).status, 401)
    assert.equal((await ask(token, demo.token, 'DELETE')).status, 401, 'who is no service cannot lift them')
    assert.equal((await ask(token, zun.token, 'DELETE')).status, 200)
  })

  it('of a trust are the trustor’s', async (t) => {
    const other = await CloudUser.login('alt_demo')
    const { trust } = await demo.post<{ trust: { id: string } }>('identity', '/OS-TRUST/trusts', {
      trust: {
        trustor_user_id: demo.userId,
        trustee_user_id: other.userId,
        project_id: demo.projectId,
        impersonation: true,
        roles: [{ name: 'member' }],
      },
    })
    t.after(async () => await demo.delete('identity', `/OS-TRUST/trusts/${trust.id}`))
    const { status, who } = await api(t).ask(await tokenOf('alt_demo', { 'OS-TRUST:trust': { id: trust.id } }))
    assert.deepEqual([status, who.userId, who.projectId], [200, demo.userId, demo.projectId])
  })

  it('of the cloud as a whole, of a domain and of nothing have no project', async (t) => {
    const { ask } = api(t)
    const system = (await ask(await tokenOf('admin', { system: { all: true } }))).who
    assert.deepEqual([system.projectId, system.systemScope, system.isAdmin], [null, 'all', true])
    const user = { name: 'demo', password: account('demo').password, domain: { id: 'default' } }
    const unscoped = { methods: ['password'], password: { user } }
    const nothing = (await ask(await tokenBy(unscoped, { unscoped: {} }))).who
    assert.deepEqual([nothing.projectId, nothing.systemScope, nothing.roles], [null, undefined, []])
  })

  it('are neither taken nor refused while Keystone cannot be reached, and taken when it can again', async (t) => {
    const relay = await TcpRelay.open(account('zun').authUrl)
    t.after(async () => await relay.close())
    const { ask } = api(t, { authUrl: `${relay.url}/v3`, cacheMs: 300_000 })
    assert.equal((await ask(demo.token)).status, 200)
    relay.shut()
    const answer = await ask(admin.token)
    assert.deepEqual([answer.status, answer.headers['retry-after']], [503, '10'])
    assert.equal((await ask(demo.token)).status, 200, 'it is known still')
    relay.isOpen = true
    assert.equal((await ask(admin.token)).status, 200)
  })
})
