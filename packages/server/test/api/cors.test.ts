/** [cors]: what pages of other origins are told. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { OptionName } from '../../src/compose/config/options.ts'
import { SpecApi } from '../support/spec-api.ts'

type Headers = Readonly<Record<string, unknown>>

async function start(t: TestContext, overrides: Partial<Record<OptionName, string>>) {
  const api = await SpecApi.start({ overrides })
  t.after(() => api.stop())
  const ask = async (line: string, headers: Record<string, string>): Promise<Headers> =>
    (await api.ask(line, { headers })).headers
  return { ask }
}

const HARMLESS = 'Accept,Accept-Language,Cache-Control,Content-Language,Content-Type,Pragma'

const of = (headers: Headers, name: string): unknown => headers[`access-control-${name}`]

test('each option of [cors] is what a page is told', async (t) => {
  const { ask } = await start(t, {
    allowedOrigins: 'http://a.test, http://b.test',
    corsCredentials: 'false',
    corsExposeHeaders: 'X-One,X-Two',
    corsMethods: 'GET,POST',
    corsHeaders: 'X-Auth-Token',
    corsMaxAge: '7',
  })
  const preflight = { origin: 'http://b.test', 'access-control-request-method': 'POST', 'x-auth-token': '' }
  const told = await ask('OPTIONS /v1/containers', preflight)
  assert.deepEqual(
    ['allow-origin', 'allow-credentials', 'expose-headers', 'allow-methods', 'allow-headers', 'max-age'].map((name) =>
      of(told, name),
    ),
    ['http://b.test', undefined, 'X-One,X-Two', 'GET,POST', `X-Auth-Token,${HARMLESS}`, '7'],
  )
})

test('any origin may be allowed, and is then sent no credentials', async (t) => {
  const { ask } = await start(t, { allowedOrigins: '*' })
  const told = await ask('GET /v1/containers', { origin: 'http://anybody.test' })
  assert.deepEqual([of(told, 'allow-origin'), of(told, 'allow-credentials')], ['*', undefined])
})

test('without the option no page is told anything', async (t) => {
  const { ask } = await start(t, {})
  const told = await ask('GET /v1/containers', { origin: 'http://anybody.test' })
  assert.deepEqual([of(told, 'allow-origin'), of(told, 'expose-headers')], [undefined, undefined])
})

test('without lists of the operator a page may send and read what the extensions need', async (t) => {
  const { ask } = await start(t, { allowedOrigins: 'http://a.test' })
  const origin = 'http://a.test'
  const names = (list: unknown): string[] => String(list).toLowerCase().split(',')
  const preflight = await ask('OPTIONS /v1/containers', { origin, 'access-control-request-method': 'POST' })
  const sent = names(of(preflight, 'allow-headers'))
  for (const name of ['idempotency-key', 'last-event-id', 'openstack-api-version', 'content-type']) {
    assert.ok(sent.includes(name), name)
  }
  const read = names(of(await ask('GET /v1/containers', { origin }), 'expose-headers'))
  for (const name of ['idempotency-replayed', 'x-zund-wait', 'x-docker-container-path-stat', 'x-subject-token']) {
    assert.ok(read.includes(name), name)
  }
})

test('an answer that depends on the origin says so, beside what else it depends on', async (t) => {
  const { ask } = await start(t, { allowedOrigins: 'http://a.test' })
  for (const headers of [{ origin: 'http://a.test' }, { origin: 'http://other.test' }, {}] as const) {
    assert.equal((await ask('GET /v1/containers', headers))['vary'], 'Origin, OpenStack-API-Version')
    assert.equal((await ask('GET /v1/nothing', headers))['vary'], 'Origin, OpenStack-API-Version')
    assert.equal((await ask('GET /', headers))['vary'], 'Origin')
    assert.equal((await ask('GET /identity/v3', headers))['vary'], 'Origin, X-Auth-Token')
  }
  const { ask: askAnybody } = await start(t, { allowedOrigins: '*' })
  assert.equal((await askAnybody('GET /v1/containers', { origin: 'http://a.test' }))['vary'], 'OpenStack-API-Version')
})

test('a page may log in where the identity is the service’s own', async (t) => {
  const { ask } = await start(t, { allowedOrigins: 'http://a.test' })
  const path = '/identity/v3/auth/tokens'
  const origin = 'http://a.test'
  const preflight = await ask(`OPTIONS ${path}`, { origin, 'access-control-request-method': 'POST' })
  assert.equal(of(preflight, 'allow-origin'), origin)
  assert.match(String(of(preflight, 'allow-headers')), /Content-Type/)
  const refused = await ask(`POST ${path}`, { origin })
  assert.equal(of(refused, 'allow-origin'), origin, 'also an error can be read')
  assert.match(String(of(refused, 'expose-headers')), /X-Subject-Token/)
  assert.equal(of(await ask('GET /healthcheck', { origin }), 'allow-origin'), undefined)
})
