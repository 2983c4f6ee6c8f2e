/** api-conventions 2 to 5: who may ask what without a token, version documents, microversions. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { injected } from '../support/injected.ts'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
})
after(() => api.stop())

const VERSION = {
  id: 'v1',
  status: 'CURRENT',
  min_version: '1.1',
  max_version: '1.40',
  links: [{ href: 'http://cloud:9517/v1/', rel: 'self' }],
}

test('the root document names the versions, under a prefix too, and knows no microversion', async () => {
  for (const path of ['/', '/container', '/container/']) {
    const answer = await api.ask(`GET ${path}`, {
      headers: { 'x-auth-token': '', host: 'cloud:9517', 'openstack-api-version': 'nonsense' },
    })
    assert.equal(answer.status, 200)
    const { name, versions, default_version } = answer.body as Record<string, unknown>
    assert.equal(name, 'OpenStack Zun API')
    assert.deepEqual(versions, [VERSION])
    assert.deepEqual(default_version, VERSION)
    assert.equal(answer.headers['openstack-api-version'], undefined)
  }
})

test('the document of v1 has two links for each resource, and the headers of the version', async () => {
  for (const path of ['/v1', '/v1/', '/container/v1', '/v1.json']) {
    const answer = await api.ask(`GET ${path}`, { minor: 7, headers: { 'x-auth-token': '', host: 'cloud' } })
    assert.equal(answer.status, 200, path)
    const { id, media_types, links, ...resources } = answer.body as Record<string, unknown>
    assert.equal(id, 'v1')
    assert.deepEqual(media_types, [{ base: 'application/json', type: 'application/vnd.openstack.zun.v1+json' }])
    assert.equal((links as { type?: string }[])[1]?.type, 'text/html')
    const names =
      'services containers images networks hosts capsules availability_zones quotas quota_classes registries'
    assert.deepEqual(Object.keys(resources), names.split(' '))
    for (const [name, pair] of Object.entries(resources)) {
      assert.deepEqual(pair, [
        { href: `http://cloud/v1/${name}/`, rel: 'self' },
        { href: `http://cloud/${name}/`, rel: 'bookmark' },
      ])
    }
    assert.equal(answer.headers['openstack-api-version'], 'container 1.7')
  }
})

test('only the documents and the healthcheck need no token; for all else 401 comes before 404', async () => {
  const free = ['/', '/v1', '/v1/', '/v1.json', '/healthcheck']
  const closed = ['/v1/containers', '/v1/nothing', '/nothing', '/v2', '/v1/containers/x/start', '/healthcheck/x']
  for (const token of ['', 'guessed']) {
    for (const path of free)
      assert.equal((await api.ask(`GET ${path}`, { headers: { 'x-auth-token': token } })).status, 200)
    for (const path of closed) {
      const answer = await api.ask(`GET ${path}`, { headers: { 'x-auth-token': token } })
      assert.equal(answer.status, 401, path)
      assert.equal(answer.headers['www-authenticate'], 'Keystone uri="http://identity.test/v3"')
      const { error } = answer.body as { error: { code: number; title: string; message: string } }
      assert.deepEqual([error.code, error.title], [401, 'Unauthorized'])
      assert.match(String(answer.headers['x-openstack-request-id']), /^req-/)
    }
  }
})

test('the healthcheck stands beside it all', async () => {
  const plain = await api.ask('GET /healthcheck', { headers: { accept: '*/*' } })
  assert.deepEqual([plain.status, plain.text, plain.headers['content-type']], [200, 'OK', 'text/plain'])
  assert.equal(plain.headers['x-openstack-request-id'], undefined)
  assert.equal(plain.headers['openstack-api-version'], undefined)
  const json = await api.ask('GET /healthcheck', { headers: { accept: 'application/json' } })
  assert.deepEqual(json.body, { detailed: false, reasons: ['OK'] })
  assert.equal((await api.ask('HEAD /healthcheck')).status, 204)
})

test('the healthcheck says 503 while the file is there that switches it off', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'zund-health-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'disabled')
  const checked = await SpecApi.start({ overrides: { healthcheckDisableFile: file } })
  t.after(() => checked.stop())
  for (const [isThere, status, headStatus, reason] of [
    [false, 200, 204, 'OK'],
    [true, 503, 503, 'DISABLED BY FILE'],
    [false, 200, 204, 'OK'],
  ] as const) {
    if (isThere) writeFileSync(file, '')
    else rmSync(file, { force: true })
    const plain = await checked.ask('GET /healthcheck', { headers: { accept: '*/*' } })
    assert.deepEqual([plain.status, plain.text], [status, reason])
    const json = await checked.ask('GET /healthcheck', { headers: { accept: 'application/json' } })
    assert.deepEqual([json.status, json.body], [status, { detailed: false, reasons: [reason] }])
    assert.equal((await checked.ask('HEAD /healthcheck')).status, headStatus)
  }
})

test('every version from 1.1 to 1.40 is answered as itself, with the limits', async () => {
  for (let minor = 1; minor <= 40; minor += 1) {
    const { status, headers } = await api.ask('GET /v1/containers', { minor })
    assert.equal(status, 200)
    assert.equal(headers['openstack-api-version'], `container 1.${minor}`)
    assert.equal(headers['openstack-api-minimum-version'], 'container 1.1')
    assert.equal(headers['openstack-api-maximum-version'], 'container 1.40')
    assert.equal(headers['vary'], 'OpenStack-API-Version')
  }
})

const ASKED: readonly (readonly [header: string | undefined, status: number, used: string | undefined])[] = [
  [undefined, 200, 'container 1.1'],
  ['', 200, 'container 1.1'],
  ['container latest', 200, 'container 1.40'],
  ['container LaTeSt', 200, 'container 1.40'],
  ['Container 1.5', 200, 'container 1.5'],
  // Not understood: no version in the answer.
  ['1.10', 406, undefined],
  ['latest', 406, undefined],
  ['container 1.1 x', 406, undefined],
  ['compute 1.10', 406, undefined],
  ['compute latest', 406, undefined],
  ['container 1', 406, undefined],
  ['container 1.x', 406, undefined],
  ['container -1.1', 406, undefined],
  ['container 1.1.1', 406, undefined],
  // Understood, and not to be had.
  ['container 1.0', 406, 'container 1.1'],
  ['container 1.41', 406, 'container 1.1'],
  ['container 2.1', 406, 'container 1.1'],
  ['container 0.5', 406, 'container 1.1'],
  ['container 1.999999999', 406, 'container 1.1'],
]

test('the header of the version is read as the table says', async () => {
  for (const [header, status, used] of ASKED) {
    const answer = await injected(api.machine.app, {
      method: 'GET',
      url: '/v1/containers',
      headers: {
        'x-auth-token': api.machine.token('alice'),
        ...(header === undefined ? {} : { 'openstack-api-version': header }),
      },
    })
    assert.deepEqual([answer.statusCode, answer.headers['openstack-api-version']], [status, used], header)
    if (status !== 406) continue
    const { errors } = JSON.parse(answer.body) as { errors: [Record<string, unknown>] }
    const [error] = errors
    if (used === undefined) {
      assert.equal(error['code'], 'container.')
      continue
    }
    assert.equal(error['code'], 'zun.microversion-unsupported')
    assert.deepEqual([error['min_version'], error['max_version']], ['1.1', '1.40'])
    assert.match(JSON.stringify(error['links']), /^\[\{"rel":"help","href":"https:/)
    assert.equal(answer.headers['openstack-api-maximum-version'], 'container 1.40')
  }
})

/** A route and the versions between which it is there. */
const ROUTES: readonly (readonly [line: string, first: number, last: number])[] = [
  ['POST /v1/containers/x/resize_container', 19, 40],
  ['POST /v1/containers/x/rename?name=yy', 1, 13],
  ['POST /v1/containers/x/add_security_group?name=default', 1, 14],
  ['POST /v1/containers/x/remove_security_group?name=default', 1, 14],
  ['POST /v1/containers/x/network_attach?network=n', 8, 40],
  ['POST /v1/containers/x/network_detach?network=n', 6, 40],
  ['GET /v1/containers/x/network_list', 13, 40],
]

test('a route that has a first or a last version is a 406 outside of them, which says what was asked', async () => {
  for (const [line, first, last] of ROUTES) {
    for (const minor of [first - 1, first, last, last + 1].filter((one) => one >= 1 && one <= 40)) {
      const answer = await api.ask(line, { minor })
      const isThere = minor >= first && minor <= last
      assert.equal(answer.status, isThere ? 404 : 406, `${line} at 1.${minor}: ${answer.title}`)
      if (isThere) assert.equal(answer.code, 'container-not-found')
      else assert.match(answer.title, new RegExp(`asked for 1\\.${minor}`))
      assert.equal(answer.headers['openstack-api-version'], `container 1.${minor}`)
    }
  }
})

/** Fields of a create with the version they came with, and the code of the refusal before. */
const FIELDS: readonly (readonly [name: string, value: unknown, since: number, code: string])[] = [
  ['auto_remove', true, 3, 'invalid-param-in-version'],
  ['runtime', 'runc', 5, 'invalid-param-in-version'],
  ['hostname', 'web', 9, 'invalid-param-in-version'],
  ['mounts', [{ size: 1, destination: '/d' }], 11, 'invalid-param-in-version'],
  ['privileged', false, 21, 'invalid-param-in-version'],
  ['healthcheck', { cmd: 'true' }, 22, 'invalid-param-in-version'],
  ['exposed_ports', { '80': {} }, 24, 'invalid-param-in-version'],
  ['registry', 'some', 31, 'invalid-param-in-version'],
  ['host', 'sim-host', 39, 'schema-validation-error'],
  ['entrypoint', ['sh'], 40, 'schema-validation-error'],
]

test('a field of a create that is newer than the version asked for is a 400 that names it', async () => {
  for (const [name, value, since, code] of FIELDS) {
    const body = { image: 'nginx:absent-on-purpose', [name]: value }
    const before_ = await api.ask('POST /v1/containers', { minor: since - 1, as: 'admin', body })
    assert.deepEqual([before_.status, before_.code], [400, code], name)
    assert.match(before_.title, new RegExp(name))
    const at = await api.ask('POST /v1/containers', { minor: since, as: 'admin', body })
    assert.notEqual(at.code, code, `${name} at 1.${since}: ${at.title}`)
  }
  await api.machine.clearContainers()
})

test('a gated field that says nothing is no use of it', async () => {
  const body = { image: 'busybox', mounts: [], healthcheck: {}, exposed_ports: {}, auto_remove: null, runtime: null }
  const answer = await api.ask('POST /v1/containers', { minor: 1, body })
  assert.equal(answer.status, 202, answer.title)
  await api.machine.clearContainers()
})

test('force and stop of a delete came with 1.7 and 1.12', async () => {
  for (const [query, since] of [
    ['force=true', 7],
    ['stop=true', 12],
  ] as const) {
    const early = await api.ask(`DELETE /v1/containers/x?${query}`, { as: 'admin', minor: since - 1 })
    assert.deepEqual([early.status, early.code], [400, 'invalid-param-in-version'])
    const there = await api.ask(`DELETE /v1/containers/x?${query}`, { as: 'admin', minor: since })
    assert.deepEqual([there.status, there.code], [404, 'container-not-found'])
    const off = await api.ask(`DELETE /v1/containers/x?${query.replace('true', 'False')}`, { minor: 1 })
    assert.equal(off.status, 404, 'what is switched off is not used')
  }
})

test('command is a string up to 1.19 and a list from 1.20 on', async () => {
  const rows: readonly (readonly [minor: number, command: unknown, status: number])[] = [
    [19, '"nginx" "-g" "daemon off;"', 202],
    [19, ['nginx'], 400],
    [20, ['nginx', '-g', 'daemon off;'], 202],
    [20, 'nginx', 400],
    [20, [1], 400],
    [1, '"open', 400],
    [40, [], 202],
    [40, null, 202],
  ]
  for (const [minor, command, status] of rows) {
    const answer = await api.ask('POST /v1/containers', { minor, body: { image: 'busybox', memory: 64, command } })
    assert.equal(answer.status, status, `${JSON.stringify(command)} at 1.${minor}: ${answer.title}`)
    if (typeof command !== 'string' || status !== 202) continue
    assert.deepEqual((answer.body as { command: unknown }).command, ['nginx', '-g', 'daemon off;'])
  }
  await api.machine.clearContainers()
})

test('a terminal goes with standard input from 1.20 to 1.35, before and after each by itself', async () => {
  const rows: readonly (readonly [minor: number, body: object, tty: boolean])[] = [
    [19, { interactive: true }, false],
    [19, { interactive: true, tty: true }, true],
    [20, { interactive: true }, true],
    [20, { interactive: false, tty: true }, false],
    [35, { interactive: true, tty: false }, true],
    [35, { tty: true }, true],
    [36, { interactive: true, tty: false }, false],
    [36, { interactive: 'False', tty: 'True' }, true],
  ]
  for (const [minor, body, tty] of rows) {
    const made = await api.made(body, { minor })
    assert.equal(made['tty'], tty, `${JSON.stringify(body)} at 1.${minor}`)
  }
  await api.machine.clearContainers()
})
