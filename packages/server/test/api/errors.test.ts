/** api-conventions 6, 8, 11 and 12: errors, where arguments come from, forms of answers. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
let uuid: string
before(async () => {
  api = await SpecApi.start({ overrides: { allowedOrigins: 'http://dashboard.test' } })
  uuid = (await api.made({ name: 'box', command: ['serve'] })).uuid
  await api.machine.settled()
  await api.ask(`POST /v1/containers/${uuid}/start`)
  await api.machine.settled()
})
after(() => api.stop())

/** Which failure has which status and code. */
const FAILURES: readonly (readonly [line: string, status: number, code: string])[] = [
  ['GET /v1/nothing', 404, ''],
  ['GET /v1/containers/box/start', 404, ''],
  ['PUT /v1/containers/box/start', 404, ''],
  ['POST /v1/containers/box/bogus', 404, ''],
  ['GET /v1/containers/box/logs/more', 404, ''],
  ['PUT /v1/containers', 405, ''],
  ['HEAD /v1/containers', 405, ''],
  ['OPTIONS /v1/containers', 405, ''],
  ['DELETE /v1/containers', 405, ''],
  ['PATCH /v1/containers', 405, ''],
  ['PUT /v1/containers/box', 405, ''],
  ['POST /v1/containers/box', 405, ''],
  ['OPTIONS /v1/containers/box', 405, ''],
  ['PUT /v1/containers/box/logs', 405, ''],
  ['GET /v1/services/1', 405, ''],
  ['PUT /v1/services/bogus', 404, ''],
  ['POST /v1/hosts', 405, ''],
  ['POST /v1/containers/box/stop?bogus=1', 400, 'invalid-value'],
  ['POST /v1/containers/box/reboot?bogus=1', 400, 'invalid-value'],
  ['POST /v1/containers/box/kill?bogus=1', 400, 'invalid-value'],
  ['DELETE /v1/containers/box?bogus=1', 400, 'invalid-value'],
  ['GET /v1/containers/box/logs?bogus=1', 400, 'invalid-value'],
  ['GET /v1/containers/box/top?bogus=1', 400, 'invalid-value'],
  ['POST /v1/containers/box/commit?bogus=1', 400, 'invalid-value'],
  ['POST /v1/containers/box/network_attach?bogus=1', 400, 'invalid-value'],
  ['POST /v1/containers/box/stop?timeout=-1', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/stop?timeout=x', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/kill?signal=SIGBOGUS', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/kill?signal=99', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/rebuild?image_driver=rkt', 400, 'validation-error'],
  ['POST /v1/containers/box/network_attach?network=a&port=b', 400, 'invalid'],
  ['POST /v1/containers/box/network_attach?port=b', 404, 'port-not-found'],
  ['POST /v1/containers/box/network_attach?network=none', 404, 'network-not-found'],
  ['POST /v1/containers/box/network_detach', 400, 'invalid'],
  ['POST /v1/containers/box/network_detach?network=a&port=b', 400, 'invalid'],
  ['POST /v1/containers/box/network_detach?network=none', 400, 'invalid'],
  ['POST /v1/containers/box/commit', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/execute', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/resize', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/resize?h=0&w=1', 400, 'schema-validation-error'],
  ['GET /v1/containers/box/get_archive', 400, 'schema-validation-error'],
  ['GET /v1/containers/box/get_archive?path=/none', 400, 'invalid'],
  ['POST /v1/containers/box/put_archive?path=/', 400, 'schema-validation-error'],
  ['POST /v1/containers/box/pause?ignored=1', 202, ''],
]

test('every failure has its status, its code and a sentence, as JSON', async () => {
  for (const [line, status, code] of FAILURES) {
    const answer = await api.ask(line)
    assert.equal(answer.status, status, `${line}: ${answer.title}`)
    if (status < 400 || line.startsWith('HEAD')) continue
    assert.equal(answer.code, code, line)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    const { errors } = answer.body as { errors: Record<string, unknown>[] }
    assert.equal(errors.length, 1)
    assert.deepEqual(Object.keys(errors[0] ?? {}), ['request_id', 'code', 'status', 'title', 'detail', 'links'])
    assert.equal(errors[0]?.['request_id'], answer.headers['x-openstack-request-id'])
    assert.equal(errors[0]?.['status'], status)
    assert.equal(errors[0]?.['title'], errors[0]?.['detail'])
    assert.notEqual(errors[0]?.['title'], '')
    assert.equal(answer.headers['openstack-api-version'], 'container 1.40')
  }
  await api.machine.settled()
  await api.ask('POST /v1/containers/box/unpause')
  await api.machine.settled()
})

test('the answer is JSON or nothing', async () => {
  for (const accept of ['*/*', 'application/json', 'text/html, application/json;q=0.5', 'application/*']) {
    assert.equal((await api.ask('GET /v1/containers', { headers: { accept } })).status, 200, accept)
  }
  for (const accept of ['text/html', 'application/xml']) {
    assert.equal((await api.ask('GET /v1/containers', { headers: { accept } })).status, 406, accept)
  }
})

test('checks come in the order of the contract', async () => {
  const bad = { 'openstack-api-version': 'container 9.9' }
  const all = 'POST /v1/nothing?bogus=1'
  assert.equal((await api.ask(all, { headers: { ...bad, 'x-auth-token': '' } })).status, 401)
  assert.equal((await api.ask(all, { headers: bad })).status, 406)
  assert.equal((await api.ask(all)).status, 404)
  // Schema before lookup, lookup before state.
  assert.equal((await api.ask('POST /v1/containers/none/stop?timeout=x')).status, 400)
  assert.equal((await api.ask('POST /v1/containers/none/unpause')).status, 404)
  assert.equal((await api.ask('POST /v1/containers/box/unpause')).status, 409)
  const force = await api.ask('DELETE /v1/containers/none?force=true')
  assert.equal(force.status, 404)
  const forced = await api.ask('DELETE /v1/containers/box?force=true')
  assert.deepEqual([forced.status, forced.code], [403, 'policy-not-authorized'])
  const both = await api.ask('DELETE /v1/containers/box?force=true&stop=true')
  assert.match(both.title, /container:delete_force/)
})

test('an argument comes in the query or in the body; the query wins, and None is nothing', async () => {
  const rows: readonly (readonly [line: string, body: unknown, output: string])[] = [
    ['POST /v1/containers/box/execute?command=echo+one', undefined, 'one\n'],
    ['POST /v1/containers/box/execute?command=%22echo%22+%22a%2Fb%22', '', 'a/b\n'],
    ['POST /v1/containers/box/execute', { command: 'echo two' }, 'two\n'],
    ['POST /v1/containers/box/execute', { command: ['echo', 'a  b'] }, 'a  b\n'],
    ['POST /v1/containers/box/execute?command=echo+one', { command: 'echo two' }, 'one\n'],
    ['POST /v1/containers/box/execute?command=echo+x&run=True&interactive=False', undefined, 'x\n'],
    ['POST /v1/containers/box/execute?command=echo+x&run=None&interactive=None', undefined, 'x\n'],
  ]
  for (const [line, body, output] of rows) {
    const answer = await api.ask(line, { body })
    assert.deepEqual(answer.body, { output, exit_code: 0, exec_id: null, proxy_url: null }, `${line}: ${answer.title}`)
  }
})

test('actions come with a JSON type and no body, a delete as octet-stream; success without a result is null', async () => {
  const ident = (await api.made({ command: ['serve'] })).uuid
  await api.machine.settled()
  for (const [action, type] of [
    ['start', 'application/json'],
    ['kill?signal=None', 'application/json'],
    ['start', 'text/plain'],
    ['stop?timeout=0', 'application/octet-stream'],
  ] as const) {
    const headers = { 'content-type': type, 'content-length': '0' }
    const answer = await api.ask(`POST /v1/containers/${ident}/${action}`, { headers })
    assert.deepEqual([answer.status, answer.text], [202, 'null'], `${action}: ${answer.title}`)
    assert.equal(answer.headers['location'], undefined)
    await api.machine.settled()
  }
  const headers = { 'content-type': 'application/octet-stream' }
  const gone = await api.ask(`DELETE /v1/containers/${ident}?force=False&stop=False&all_projects=False`, { headers })
  assert.deepEqual([gone.status, gone.text, gone.headers['content-type']], [204, '', undefined])
})

const KILLS: readonly (readonly [signal: string, status: number])[] = [
  ['SIGHUP', 202],
  ['HUP', 202],
  ['sighup', 202],
  ['hup', 202],
  ['1', 202],
  ['', 202],
  ['None', 202],
  ['SIGSIG', 400],
  ['0', 400],
  ['1.5', 400],
]

test('a signal is its name in any of four spellings, or its number', async () => {
  for (const [signal, status] of KILLS) {
    const row = await api.row({ status: 'Running' })
    const answer = await api.ask(`POST /v1/containers/${row}/kill?signal=${signal}`)
    assert.equal(answer.status, status, signal)
  }
})

test('every answer has an id of its own; one that was sent does not replace it', async () => {
  const sent = 'req-0e7a2f5c-6bfd-4b63-8c46-0123456789ab'
  const ids = new Set<unknown>()
  for (const line of [
    'GET /v1/containers',
    'GET /v1/nothing',
    'GET /',
    'POST /v1/containers/box/unpause',
    'HEAD /v1',
  ]) {
    const { headers } = await api.ask(line, { headers: { 'x-openstack-request-id': sent } })
    assert.match(String(headers['x-openstack-request-id']), /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    ids.add(headers['x-openstack-request-id'])
  }
  assert.equal(ids.size, 5)
  assert.ok(!ids.has(sent))
})

test('identity that a client claims for itself is not believed', async () => {
  const claimed = {
    'x-project-id': api.machine.projectId('blue'),
    'x-roles': 'admin',
    'x-is-admin-project': 'True',
    'x-identity-status': 'Confirmed',
  }
  const list = await api.ask('GET /v1/containers?all_projects=1', { headers: claimed })
  assert.equal(list.status, 403)
  assert.equal((await api.ask('GET /v1/containers', { headers: { ...claimed, 'x-auth-token': '' } })).status, 401)
})

test('only configured origins are told that they may read', async () => {
  const preflight = { 'access-control-request-method': 'POST', 'x-auth-token': '' }
  const known = await api.ask('OPTIONS /v1/containers', { headers: { ...preflight, origin: 'http://dashboard.test' } })
  assert.equal(known.status, 200)
  assert.equal(known.headers['access-control-allow-origin'], 'http://dashboard.test')
  assert.equal(known.headers['access-control-allow-methods'], 'GET,PUT,POST,DELETE,PATCH')
  assert.match(String(known.headers['access-control-allow-headers']), /^X-Auth-Token,.*X-OpenStack-Request-ID/)
  const plain = await api.ask('GET /v1/containers', { headers: { origin: 'http://dashboard.test' } })
  assert.match(String(plain.headers['access-control-expose-headers']), /X-OpenStack-Request-ID/)
  for (const origin of ['http://evil.test', 'null', 'http://dashboard.test.evil']) {
    const other = await api.ask('GET /v1/containers', { headers: { origin } })
    assert.equal(other.headers['access-control-allow-origin'], undefined)
  }
})
