/** containers 2: what is shown of a container. Bodies do not depend on the version (api-conventions 5). */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
let uuid: string
before(async () => {
  api = await SpecApi.start()
  await api.ask('POST /v1/local/networks', { body: { name: 'lan' } })
  const body = {
    name: 'shown',
    command: ['serve', '--all'],
    environment: { A: 'b' },
    labels: { n: 1 },
    cpu: '2',
    memory: 128,
    nets: [{ network: 'lan' }],
    healthcheck: { cmd: 'true', interval: 5, timeout: 3, retries: 2 },
    restart_policy: { Name: 'on-failure', MaximumRetryCount: 2 },
    security_groups: ['default', 'default'],
    interactive: true,
  }
  const made = await api.ask('POST /v1/containers?run=true', { body: { image: 'busybox', ...body } })
  uuid = (made.body as { uuid: string }).uuid
  await api.machine.settled()
  await api.machine.agreed()
})
after(async () => {
  await api.machine.clearContainers()
  await api.stop()
})

/** Every key of a container, and the type of its value. */
const FIELDS: Readonly<Record<string, string>> = {
  uuid: 'string',
  name: 'string',
  project_id: 'string',
  user_id: 'string',
  image: 'string',
  image_driver: 'string',
  image_pull_policy: 'null',
  command: 'list',
  entrypoint: 'list',
  cpu: 'number',
  cpu_policy: 'string',
  memory: 'string',
  disk: 'number',
  environment: 'object',
  labels: 'object',
  workdir: 'null',
  hostname: 'string',
  ports: 'list',
  addresses: 'object',
  security_groups: 'list',
  restart_policy: 'object',
  interactive: 'boolean',
  tty: 'boolean',
  auto_remove: 'boolean',
  auto_heal: 'boolean',
  privileged: 'boolean',
  runtime: 'string',
  healthcheck: 'object',
  registry_id: 'null',
  host: 'string',
  status: 'string',
  status_reason: 'null',
  status_detail: 'string',
  task_state: 'null',
  created_at: 'string',
  updated_at: 'string',
  links: 'list',
}
const FOR_ADMINS = ['host', 'image_pull_policy', 'privileged', 'runtime']

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'list' : typeof value
}

type Shown = Readonly<Record<string, unknown>>

test('show and list have every key at every version; what is for admins is absent for others; lists have no links', async () => {
  for (let minor = 1; minor <= 40; minor += 1) {
    for (const as of ['alice', 'admin'] as const) {
      const hidden = as === 'admin' ? [] : FOR_ADMINS
      const keys = Object.keys(FIELDS).filter((name) => !hidden.includes(name))
      const shown = (await api.ask(`GET /v1/containers/${uuid}`, { as, minor })).body as Shown
      assert.deepEqual(Object.keys(shown).toSorted(), keys.toSorted(), `show at 1.${minor} by ${as}`)
      for (const name of keys) assert.equal(typeOf(shown[name]), FIELDS[name], name)
      const list = await api.ask('GET /v1/containers?all_projects=1', { as: 'admin', minor })
      const own = as === 'admin' ? list : await api.ask('GET /v1/containers', { minor })
      const [item] = (own.body as { containers: Shown[] }).containers
      const { links, ...rest } = shown
      assert.equal((links as unknown[]).length, 2)
      // It says how long something has been so.
      assert.deepEqual({ ...item, status_detail: '' }, { ...rest, status_detail: '' }, `list at 1.${minor} by ${as}`)
    }
  }
})

test('values have the form that clients read', async () => {
  const shown = (await api.ask(`GET /v1/containers/${uuid}`, { as: 'admin', headers: { host: 'cloud:9517' } }))
    .body as Shown
  const { body } = await api.ask('GET /v1/local/networks')
  const [network] = (body as { networks: { uuid: string; subnets: { id: string; version: number }[] }[] }).networks
  const expected: Shown = {
    uuid,
    name: 'shown',
    image: 'busybox',
    image_driver: 'docker',
    command: ['serve', '--all'],
    cpu: 2,
    memory: '128',
    disk: 0,
    environment: { A: 'b' },
    labels: { n: '1' },
    restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
    healthcheck: { test: 'true', interval: 5, timeout: 3, retries: 2 },
    project_id: api.machine.projectId('red'),
    host: 'sim-host',
    status: 'Running',
    privileged: false,
    runtime: 'runc',
  }
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(shown[name], value, name)
  assert.match(String(shown['status_detail']), /^Up /)
  for (const name of ['created_at', 'updated_at']) {
    assert.match(String(shown[name]), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?$/)
  }
  assert.equal((shown['security_groups'] as string[]).length, 1)
  assert.match((shown['security_groups'] as string[])[0] ?? '', /^[0-9a-f-]{36}$/)
  assert.deepEqual(shown['links'], [
    { href: `http://cloud:9517/v1/containers/${uuid}`, rel: 'self' },
    { href: `http://cloud:9517/containers/${uuid}`, rel: 'bookmark' },
  ])
  const addresses = (shown['addresses'] as Record<string, Shown[]>)[network?.uuid ?? '']
  assert.deepEqual(
    addresses?.map((one) => [Object.keys(one).toSorted().join(), one['version'], one['preserve_on_delete']]),
    [4, 6].map((version) => ['addr,port,preserve_on_delete,subnet_id,version', version, false]),
  )
  assert.deepEqual(
    addresses?.map((one) => one['subnet_id']),
    network?.subnets.map(({ id }) => id),
  )
})

test('network_list is by address up to 1.17 and by port from 1.18', async () => {
  const old = await api.ask(`GET /v1/containers/${uuid}/network_list`, { minor: 17 })
  const byAddress = (old.body as { networks: Shown[] }).networks
  assert.deepEqual(
    byAddress.map((one) => Object.keys(one).toSorted()),
    [1, 2].map(() => ['ip_address', 'net_id', 'port_id', 'subnet_id', 'version']),
  )
  const now = await api.ask(`GET /v1/containers/${uuid}/network_list`, { minor: 18 })
  const [port, ...others] = (now.body as { networks: Shown[] }).networks
  assert.deepEqual(others, [])
  assert.deepEqual(Object.keys(port ?? {}).toSorted(), ['fixed_ips', 'net_id', 'port_id'])
  assert.deepEqual(
    ((port?.['fixed_ips'] ?? []) as Shown[]).map((ip) => ip['ip_address']),
    byAddress.map((one) => one['ip_address']),
  )
})

test('a create is answered with the container, where it is, and a name if none was given', async () => {
  for (const body of [{}, { name: null }]) {
    const answer = await api.ask('POST /v1/containers', { body: { image: 'busybox', ...body }, headers: { host: 'h' } })
    const made = answer.body as Shown
    assert.equal(answer.status, 202)
    assert.equal(answer.headers['location'], `http://h/v1/containers/${String(made['uuid'])}`)
    assert.match(String(made['name']), /^[a-z]+-([1-9]|1\d|2[0-4])-container$/)
    assert.deepEqual([made['status'], made['cpu'], made['memory'], made['disk']], ['Creating', 1, '512', 0])
    assert.equal((made['links'] as unknown[]).length, 2)
  }
})

test('PATCH changes what it may and shows it; nothing changes nothing', async () => {
  const box = await api.made({ name: 'patched' })
  await api.machine.settled()
  const line = `PATCH /v1/containers/${box.uuid}`
  const rows: readonly (readonly [body: object, shown: Shown])[] = [
    [{}, { name: 'patched' }],
    [{ name: 'patched' }, { name: 'patched' }],
    [{ name: 'patched-2' }, { name: 'patched-2' }],
    [{ auto_heal: 'True' }, { auto_heal: true }],
    [
      { cpu: 0.2, memory: '200' },
      { cpu: 0.2, memory: '200' },
    ],
  ]
  for (const [body, shown] of rows) {
    const answer = await api.ask(line, { body, minor: 1 })
    assert.equal(answer.status, 200, answer.title)
    for (const [name, value] of Object.entries(shown)) assert.equal((answer.body as Shown)[name], value)
  }
  for (const name of ['name', 'cpu', 'memory', 'auto_heal']) {
    const answer = await api.ask(line, { body: { [name]: null } })
    assert.deepEqual([answer.status, answer.code], [400, 'schema-validation-error'])
    assert.match(answer.title, new RegExp(`'${name}'`))
  }
  assert.match((await api.ask(line, { body: { image: 'nginx' } })).title, /'image' was unexpected/)
  const resized = await api.ask(`POST /v1/containers/${box.uuid}/resize_container`, { body: { memory: 256 } })
  assert.deepEqual([resized.status, (resized.body as Shown)['memory']], [202, '200'], 'the old values')
  await api.machine.settled()
  assert.equal(((await api.ask(`GET /v1/containers/${box.uuid}`)).body as Shown)['memory'], '256')
})

test('rename, up to 1.13, takes another name and refuses the same', async () => {
  const box = await api.made({ name: 'first-name' })
  const line = `POST /v1/containers/${box.uuid}/rename?name=`
  const renamed = await api.ask(`${line}second-name`, { minor: 13 })
  assert.deepEqual([renamed.status, (renamed.body as Shown)['name']], [200, 'second-name'])
  assert.equal((await api.ask(`${line}second-name`, { minor: 13 })).status, 409)
  assert.equal((await api.ask(`${line}a%20b`, { minor: 13 })).status, 400)
  assert.equal((await api.ask(line.replace('?name=', ''), { minor: 13 })).status, 400)
})
