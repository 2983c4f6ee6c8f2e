/** containers 3.2 and 3.3: every field of a create, at its limits and beyond. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SpecApi, type Answer } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({
    overrides: { quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1', quotaDisk: '-1' },
  })
  await api.ask('POST /v1/local/networks', { body: { name: 'lan' } })
  await api.ask('POST /v1/local/networks', { as: 'bob', body: { name: 'bobs' } })
  await api.ask('POST /v1/local/volumes', { body: { name: 'data', size: 1 } })
  await api.ask('POST /v1/local/volumes', { as: 'bob', body: { name: 'bobs', size: 1 } })
})
after(async () => {
  await api.machine.clearContainers()
  await api.stop()
})

async function create(body: object, as: 'alice' | 'admin' = 'alice'): Promise<Answer> {
  return await api.ask('POST /v1/containers', { as, body: { image: 'busybox', ...body } })
}

type Value = unknown

/** Taken, with what is shown of it where that is not what was sent. */
const TAKEN: readonly (readonly [field: string, sent: Value, shown?: Value])[] = [
  ['image', 'busybox:latest'],
  ['image', 'docker.io/library/nginx'],
  ['name', 'ab'],
  ['name', `a${'b'.repeat(254)}`],
  ['name', 'A0_.-z'],
  ['command', ['echo', ''], ['echo', '']],
  ['entrypoint', ['sh', '-c']],
  ['cpu', 0.1],
  ['cpu', 16],
  ['cpu', '0.5', 0.5],
  ['cpu', '.5', 0.5],
  ['cpu', null, 1],
  ['memory', 4, '4'],
  ['memory', 8192, '8192'],
  ['memory', '512'],
  ['memory', null, '512'],
  ['disk', 1],
  ['disk', '160', 160],
  ['disk', null, 0],
  ['cpu_policy', 'shared'],
  ['workdir', '/srv'],
  ['workdir', null],
  ['environment', { A: '', B: 'x=y' }],
  ['environment', null, {}],
  ['labels', { a: 1, b: true, c: 'd' }, { a: '1', b: 'true', c: 'd' }],
  ['hostname', 'a'.repeat(63)],
  ['hostname', null],
  ['image_driver', 'docker'],
  ['image_driver', 'None', 'docker'],
  ['image_driver', null, 'docker'],
  ['restart_policy', { Name: 'no', MaximumRetryCount: 3 }, { Name: 'no', MaximumRetryCount: '0' }],
  ['restart_policy', { Name: 'on-failure', MaximumRetryCount: '2' }, { Name: 'on-failure', MaximumRetryCount: '2' }],
  ['restart_policy', { Name: 'on-failure', MaximumRetryCount: 2 }, { Name: 'on-failure', MaximumRetryCount: '2' }],
  ['restart_policy', { Name: 'always', MaximumRetryCount: null }, { Name: 'always', MaximumRetryCount: '0' }],
  ['restart_policy', { Name: 'unless-stopped' }, { Name: 'unless-stopped', MaximumRetryCount: '0' }],
  ['restart_policy', null, {}],
  ['interactive', 'True', true],
  ['tty', 'false', false],
  ['auto_remove', true],
  ['auto_remove', null, false],
  ['auto_heal', 'true', true],
  ['nets', null, undefined],
  ['mounts', null, undefined],
  ['nets', [{ network: 'lan' }], undefined],
  ['mounts', [{ size: '1', destination: '/new' }], undefined],
  ['mounts', [{ type: 'bind', destination: '/empty' }], undefined],
  ['mounts', [{ type: 'bind', source: '', destination: '/empty' }], undefined],
  ['exposed_ports', { '80': {}, '53/udp': {}, '65535/tcp': null }, undefined],
  [
    'healthcheck',
    { cmd: 'true', interval: 5, timeout: 3, retries: 2 },
    { test: 'true', interval: 5, timeout: 3, retries: 2 },
  ],
  ['healthcheck', null, {}],
  ['availability_zone', 'nova', undefined],
  ['availability_zone', null, undefined],
  ['hints', { 'label:rack': 'a1' }, undefined],
]

for (const [field, sent, ...rest] of TAKEN) {
  test(`${field} may be ${JSON.stringify(sent).slice(0, 60)}`, async () => {
    const answer = await create({ [field]: sent })
    assert.equal(answer.status, 202, answer.title)
    const shown = rest.length === 0 ? sent : rest[0]
    if (shown !== undefined) assert.deepEqual((answer.body as Record<string, unknown>)[field], shown)
    // One at a time: mounts and fixed addresses belong to one container.
    await api.ask(`DELETE /v1/containers/${(answer.body as { uuid: string }).uuid}?force=true`, { as: 'admin' })
  })
}

const SCHEMA = 'schema-validation-error'

/** Refused with this code, and a sentence that names the field, and the limit where there is one. */
const REFUSED: readonly (readonly [field: string, sent: Value, says: RegExp, code?: string])[] = [
  ['image', undefined, /'image' is a required property/],
  ['image', 'a', /'image'.*between 2 and 255/],
  ['image', 'a'.repeat(256), /'image'.*between 2 and 255/],
  ['image', '....', /'image'/],
  ['image', 5, /'image'.*not a string/],
  ['image', null, /'image'/],
  ['image', 'UPPER', /not an image reference/, 'invalid-value'],
  ['name', 'a', /'name'.*between 2 and 255/],
  ['name', 'a'.repeat(256), /'name'.*between 2 and 255/],
  ['name', '-ab', /'name'/],
  ['name', 'a b', /'name'/],
  ['name', 'ab\n', /'name'/],
  ['name', 12, /'name'/],
  ['command', 'echo', /'command'.*not a list/],
  ['command', [1], /'command'/],
  ['entrypoint', 'sh', /'entrypoint'/],
  ['cpu', 0.09, /'cpu'.*minimum of 0.1/],
  ['cpu', 16.1, /'cpu'.*maximum of 16/],
  ['cpu', '', /'cpu'/],
  ['cpu', '1e1', /'cpu'/],
  ['cpu', '-1', /'cpu'/],
  ['cpu', true, /'cpu'/],
  ['memory', 3, /'memory'.*minimum of 4/],
  ['memory', '3', /'memory'.*minimum of 4/],
  ['memory', 8193, /'memory'.*maximum of 8192/],
  ['memory', '512m', /'memory'/],
  ['memory', 4.5, /'memory'.*whole number/],
  ['disk', 0, /'disk'.*minimum of 1/],
  ['disk', 161, /'disk'.*maximum of 160/],
  ['cpu_policy', null, /'cpu_policy'/],
  ['cpu_policy', 'pinned', /'cpu_policy'.*shared, dedicated/],
  ['workdir', 'relative', /'workdir'.*absolute/],
  ['workdir', '/proc/self/fd/8', /'workdir'/],
  ['environment', { A: 1 }, /'environment'/],
  ['environment', { '': 'x' }, /'environment'/],
  ['environment', [], /'environment'.*not an object/],
  ['labels', { a: {} }, /'labels'/],
  ['labels', { a: [] }, /'labels'/],
  ['labels', { a: null }, /'labels'/],
  ['hostname', 'a'.repeat(64), /'hostname'.*63/],
  ['hostname', 'a_b!', /'hostname'/],
  ['image_driver', 'rkt', /'image_driver'.*docker/],
  ['image_driver', 'glance', /'image_driver'.*docker/],
  ['image_pull_policy', 'sometimes', /'image_pull_policy'/],
  ['restart_policy', {}, /Name.*required/],
  ['restart_policy', { Name: 'maybe' }, /restart_policy/],
  ['restart_policy', { Name: 'always', MaximumRetryCount: 1 }, /restart_policy/],
  ['restart_policy', { Name: 'no', MaximumRetryCount: -1 }, /MaximumRetryCount/],
  ['restart_policy', { Name: 'no', Extra: 1 }, /Extra/],
  ['interactive', 'yes', /'interactive'/],
  ['interactive', 1, /'interactive'/],
  ['auto_remove', 'true', /'auto_remove'.*boolean/],
  ['security_groups', 'default', /'security_groups'/],
  ['security_groups', [''], /'security_groups'/],
  ['security_groups', ['unknown'], /unknown could not be found/, 'invalid-value'],
  ['exposed_ports', { '80/sctp': {} }, /tcp or udp/],
  ['exposed_ports', { http: {} }, /between 1 and 65535/],
  ['exposed_ports', { '0': {} }, /between 1 and 65535/],
  ['exposed_ports', { '65536': {} }, /between 1 and 65535/],
  ['nets', {}, /'nets'/],
  ['nets', ['lan'], /'nets'/],
  ['nets', [{}], /Exactly one of network and port/],
  ['nets', [{ network: 'lan', port: '' }], /Exactly one of network and port/],
  ['nets', [{ network: 'lan', fixed_ip: '10.0.0.1' }], /fixed_ip/],
  ['nets', [{ network: 'lan', 'v4-fixed-ip': 'fd00::1' }], /'v4-fixed-ip'.*IPv4/],
  ['nets', [{ network: 'lan', 'v6-fixed-ip': '10.0.0.1' }], /'v6-fixed-ip'.*IPv6/],
  ['mounts', [{ source: 'data' }], /destination/],
  ['mounts', [{ destination: '/d' }], /source and size/],
  ['mounts', [{ source: 'data', destination: 'd' }], /absolute/],
  ['mounts', [{ source: 'data', destination: '/' }], /below \//],
  ['mounts', [{ source: 'data', destination: '/a/../b' }], /'mounts'/],
  ['mounts', [{ type: 'tmpfs', destination: '/d' }], /volume, bind/],
  ['mounts', [{ size: 1, destination: '/d', mode: 'ro' }], /mode/],
  ['mounts', [{ size: 0, destination: '/d' }], /'size'.*minimum of 1/],
  [
    'mounts',
    [
      { size: 1, destination: '/d' },
      { size: 1, destination: '/d/' },
    ],
    /given twice/,
  ],
  ['mounts', [{ type: 'bind', source: '%%%', destination: '/f' }], /base64/, 'base64-exception'],
  ['healthcheck', { cmd: '' }, /'cmd'/],
  ['healthcheck', { cmd: 'x'.repeat(256) }, /'cmd'.*255/],
  ['healthcheck', { test: 'true' }, /test/],
  ['healthcheck', { cmd: 'true', interval: 'often' }, /'interval'/],
  ['hints', [], /'hints'/],
  ['registry', 'x', /'registry'/],
  ['host', '', /'host'/],
  ['host', 'a b', /'host'/],
  ['bogus', 1, /Additional properties are not allowed \('bogus' was unexpected\)/],
]

for (const [field, sent, says, code = SCHEMA] of REFUSED) {
  test(`${field} may not be ${(JSON.stringify(sent) ?? 'absent').slice(0, 60)}`, async () => {
    const answer = await create({ [field]: sent })
    assert.deepEqual([answer.status, answer.code], [400, code], answer.title)
    assert.match(answer.title, says)
  })
}

const REFERENCES: readonly (readonly [body: object, status: number, code: string])[] = [
  [{ nets: [{ network: 'missing' }] }, 404, 'network-not-found'],
  [{ nets: [{ network: 'bobs' }] }, 404, 'network-not-found'],
  [{ nets: [{ port: 'missing' }] }, 404, 'port-not-found'],
  [{ mounts: [{ source: 'missing', destination: '/d' }] }, 404, 'volume-not-found'],
  [{ mounts: [{ source: 'bobs', destination: '/d' }] }, 404, 'volume-not-found'],
  [{ registry: 'missing' }, 404, 'registry-not-found'],
  [{ security_groups: ['default'], exposed_ports: { '80': {} } }, 400, SCHEMA],
  [{ auto_remove: true, restart_policy: { Name: 'always' } }, 400, 'invalid-value'],
  [{ cpu_policy: 'dedicated', cpu: 0.5 }, 400, SCHEMA],
]

test('what a create names must be there, and fields must go together', async () => {
  for (const [body, status, code] of REFERENCES) {
    const answer = await create(body)
    assert.deepEqual([answer.status, answer.code], [status, code], `${JSON.stringify(body)}: ${answer.title}`)
  }
})

const RULES: readonly (readonly [body: object, rule: string, who: readonly ('alice' | 'admin')[]])[] = [
  [{ privileged: false }, 'container:create:privileged', ['alice', 'admin']],
  [{ runtime: 'runc' }, 'container:create:runtime', ['alice']],
  [{ image_pull_policy: 'Always' }, 'container:create:image_pull_policy', ['alice']],
  [{ host: 'sim-host' }, 'container:create:requested_destination', ['alice']],
]

test('some fields are for admins, and privileged for nobody', async () => {
  for (const [body, rule, refused] of RULES) {
    for (const as of ['alice', 'admin'] as const) {
      const answer = await create(body, as)
      if (!refused.includes(as)) {
        assert.equal(answer.status, 202, answer.title)
        continue
      }
      assert.deepEqual([answer.status, answer.code], [403, 'policy-not-authorized'])
      assert.equal(answer.title, `Policy doesn't allow ${rule} to be performed.`)
    }
  }
  const nowhere = await create({ host: 'nowhere' }, 'admin')
  assert.deepEqual([nowhere.status, nowhere.code], [404, 'requested-host-not-found'])
  const lower = await create({ image_pull_policy: 'IfNotPresent' }, 'admin')
  assert.equal((lower.body as { image_pull_policy: string }).image_pull_policy, 'ifnotpresent')
})

test('a token without a project makes nothing', async () => {
  const answer = await api.ask('POST /v1/containers', { as: 'eve', body: { image: 'busybox' } })
  assert.deepEqual([answer.status, answer.code], [403, 'not-authorized'])
})

test('where no host fits the create is accepted and ends in Error with the reason', async () => {
  const answer = await create({ availability_zone: 'mars' })
  const { status, status_reason, host } = answer.body as Record<string, unknown>
  assert.deepEqual([answer.status, status, host], [202, 'Error', undefined])
  assert.match(String(status_reason), /host/i)
})

const RUN: readonly (readonly [query: string, status: number])[] = [
  ['?run=true', 202],
  ['?run=True', 202],
  ['?run=on', 202],
  ['?run=YES', 202],
  ['?run=1', 202],
  ['?run=0', 202],
  ['?run=None', 202],
  ['?run=maybe', 400],
  ['?run=tRue', 400],
  ['?run=', 400],
  ['?start=true', 400],
]

test('run is a boolean in its wide spelling, and the only parameter of the query', async () => {
  for (const [query, status] of RUN) {
    for (const path of ['/v1/containers', '/v1/containers/']) {
      const answer = await api.ask(`POST ${path}${query}`, {
        body: { image: 'busybox', memory: 64, command: ['serve'] },
      })
      assert.equal(answer.status, status, `${query}: ${answer.title}`)
    }
  }
})

test('the body of a create is JSON, and says so', async () => {
  const rows: readonly (readonly [type: string, status: number])[] = [
    ['application/json; charset=utf-8', 202],
    ['APPLICATION/JSON', 202],
    ['text/plain', 415],
    ['application/xml', 415],
    ['', 415],
  ]
  for (const [type, status] of rows) {
    const answer = await api.ask('POST /v1/containers', {
      body: { image: 'busybox' },
      headers: { 'content-type': type },
    })
    assert.equal(answer.status, status, type)
  }
  for (const body of ['{', '[]', '"x"', 'null', '1']) {
    const answer = await api.ask('POST /v1/containers', { body })
    assert.deepEqual([answer.status, answer.code], [400, 'invalid-value'], body)
    assert.match(answer.title, /JSON/)
  }
  const empty = await api.ask('POST /v1/containers', { body: '' })
  assert.match(empty.title, /'image' is a required property/)
})
