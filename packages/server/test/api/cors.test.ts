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
    ['http://b.test', undefined, 'X-One,X-Two', 'GET,POST', 'X-Auth-Token', '7'],
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
