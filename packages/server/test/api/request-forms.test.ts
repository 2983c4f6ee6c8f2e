/** api-conventions 1, 3, 11 and 12: forms that requests come in, and where their links lead. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
})
after(() => api.stop())

test('reads come with a JSON type and no body, and what a body of theirs says does not count', async () => {
  const uuid = await api.row({ name: 'box' })
  const json = { 'content-type': 'application/json' }
  for (const line of ['GET /v1/containers', `GET /v1/containers/${uuid}`, 'GET /v1/availability_zones']) {
    const empty = await api.ask(line, { headers: { ...json, 'content-length': '0' } })
    assert.equal(empty.status, 200, line)
    const said = await api.ask(line, { headers: json, body: { name: 'other', all_projects: true, limit: 0 } })
    assert.deepEqual([said.status, said.text], [200, empty.text], line)
  }
  const archive = await api.ask(`GET /v1/containers/${uuid}/get_archive`, { headers: json, body: { path: '/etc' } })
  assert.deepEqual([archive.status, archive.title], [400, "'path' is a required property"])
})

test('a body counts when its type is JSON or JavaScript; as any other type it is not read', async () => {
  const rows: readonly (readonly [type: string, isRead: boolean])[] = [
    ['application/json', true],
    ['application/json; charset=utf-8', true],
    ['application/javascript', true],
    ['text/plain', false],
    ['application/x-www-form-urlencoded', false],
    ['application/octet-stream', false],
  ]
  for (const [type, isRead] of rows) {
    const answer = await api.ask('PUT /v1/services/disable?host=quiet-host', {
      as: 'admin',
      headers: { 'content-type': type },
      body: { binary: 'zun-compute', disabled_reason: 'as before' },
    })
    assert.equal(answer.status, isRead ? 200 : 400, `${type}: ${answer.title}`)
    if (!isRead) assert.match(answer.title, /'binary' is a required property/)
  }
})

test('a body that is no JSON object is a 400 that says so, for an action too', async () => {
  for (const body of ['{', '[]', '"x"', 'null', '1', '{"binary": NaN}']) {
    const answer = await api.ask('PUT /v1/services/enable?host=quiet-host', { as: 'admin', body })
    assert.deepEqual([answer.status, answer.code], [400, 'invalid-value'], body)
    assert.match(answer.title, /JSON/)
  }
})

test('what is wrong with a field or a parameter is said in the words of the contract', async () => {
  const uuid = await api.row({ status: 'Running' })
  const rows: readonly (readonly [line: string, body: object | undefined, says: RegExp])[] = [
    ['POST /v1/containers', { image: 'busybox', memory: 3 }, /^Invalid input for field 'memory'\.Value: '3'\. \S.*4/],
    ['POST /v1/containers', {}, /^'image' is a required property$/],
    [
      'POST /v1/containers',
      { image: 'busybox', bogus: 1 },
      /^Additional properties are not allowed \('bogus' was unexpected\)$/,
    ],
    [
      `POST /v1/containers/${uuid}/stop?timeout=x`,
      undefined,
      /^Invalid input for query parameters 'timeout'\. Value: 'x'\. \S/,
    ],
    ['GET /v1/containers?limit=0', undefined, /^Invalid input for query parameters 'limit'\. Value: '0'\. \S/],
    ['GET /v1/containers?b=1&a=2', undefined, /^Unknown parameters: b, a$/],
  ]
  for (const [line, body, says] of rows) {
    const { status, title } = await api.ask(line, { body })
    assert.equal(status, 400, line)
    assert.match(title, says)
  }
})

/** Where a client is told to go on, for a request that came to `zun.internal`. */
async function links(on: SpecApi, more: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const headers = { host: 'zun.internal:9517', ...more }
  const made = await on.ask('POST /v1/containers', { headers, body: { image: 'busybox', memory: 64 } })
  const { links: pair } = made.body as { links: { href: string }[] }
  const { next } = (await on.ask('GET /v1/containers?limit=1', { headers })).body as { next: string }
  const { versions } = (await on.ask('GET /', { headers })).body as { versions: { links: { href: string }[] }[] }
  const all = [String(made.headers['location']), ...pair.map(({ href }) => href), next, versions[0]?.links[0]?.href]
  return [...new Set(all.map((href) => String(href).replace(/(\/v1)?\/(containers.*)?$/, '')))]
}

test('links lead to the host of the request, or to the endpoint that is configured', async (t) => {
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'cloud.test, zun.internal' }
  assert.deepEqual(await links(api), ['http://zun.internal:9517'])
  assert.deepEqual(await links(api, forwarded), ['http://zun.internal:9517'], 'anybody can send these')

  const behind = await SpecApi.start({ overrides: { enableProxyHeaders: 'true' } })
  t.after(() => behind.stop())
  assert.deepEqual(await links(behind, forwarded), ['https://cloud.test'])
  assert.deepEqual(await links(behind), ['http://zun.internal:9517'])

  const known = await SpecApi.start({ overrides: { publicEndpoint: 'https://public.test' } })
  t.after(() => known.stop())
  assert.deepEqual(await links(known, forwarded), ['https://public.test'])
})

test('without configuration no page of another origin may read', async () => {
  for (const line of ['GET /v1/containers', 'OPTIONS /v1/containers']) {
    const headers = { origin: 'http://dashboard.test', 'access-control-request-method': 'GET' }
    const answer = await api.ask(line, { headers })
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
      [],
    )
  }
})
