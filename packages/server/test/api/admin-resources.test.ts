import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { availabilityZoneRoutes } from '../../src/edge/api/v1/availability-zones/routes.ts'
import { hostRoutes } from '../../src/edge/api/v1/hosts/routes.ts'
import { serviceRoutes } from '../../src/edge/api/v1/services/routes.ts'
import { dispose } from '../../src/orchestration/disposals.ts'
import { apiOn, appOptions, ask, inventory, LiveStore } from '../support/live-api.ts'

const live = new LiveStore()
let app: FastifyInstance

before(async () => {
  const deps = { store: live.store, policy: live.policy, doorbell: new LocalDoorbell(), options: appOptions }
  app = apiOn(live, [...serviceRoutes(deps), ...hostRoutes(deps), ...availabilityZoneRoutes(deps)])
  await live.host('b', { zone: 'west' })
  await live.host('a', { zone: '' })
  await live.host('c', { zone: 'west', inventory: { ...inventory, cpus: 2 } })
  await live.host('bare', { zone: 'east', inventory: null })
  await live.container({ host: 'a' })
  await live.container({ host: 'a', status: 'Stopped' })
})
after(async () => {
  await app.close()
  await live.close()
})

interface Service {
  readonly id: number
  readonly host: string
  readonly state: string
  readonly disabled: boolean
  readonly disabled_reason: string | null
  readonly forced_down: boolean
}

async function serviceOf(host: string): Promise<Service | undefined> {
  const { body } = await ask(app, 'GET /v1/services', { as: 'admin' })
  return (body as { services: Service[] }).services.find((service) => service.host === host)
}

test('services are listed in the order they came, without paging, whatever the query', async () => {
  const { status, body } = await ask(app, 'GET /v1/services?limit=1&bogus=2', { as: 'admin' })
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body as object), ['services'])
  const { services } = body as { services: Record<string, unknown>[] }
  assert.deepEqual(
    services.map((service) => service['host']),
    ['b', 'a', 'c', 'bare'],
  )
  const [first, second] = services
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/
  for (const name of ['last_seen_up', 'created_at', 'updated_at']) {
    assert.match(String(first?.[name]), time)
    delete first?.[name]
  }
  assert.deepEqual(first, {
    id: 1,
    host: 'b',
    binary: 'zun-compute',
    state: 'up',
    disabled: false,
    disabled_reason: null,
    forced_down: false,
    report_count: 2,
    availability_zone: 'west',
  })
  assert.equal(second?.['availability_zone'], 'nova', 'no zone shows as the default one')
})

test('operators switch a service off, on, and down; each answer says what was set', async () => {
  const rows: readonly [string, object | undefined, object, Partial<Service>][] = [
    [
      'disable?host=c&binary=zun-compute&disabled_reason=new+disk',
      undefined,
      { disabled: true, disabled_reason: 'new disk' },
      { disabled: true, disabled_reason: 'new disk' },
    ],
    [
      'disable',
      { host: 'c', binary: 'zun-compute' },
      { disabled: true, disabled_reason: null },
      { disabled: true, disabled_reason: null },
    ],
    [
      'disable?host=c',
      { host: 'a', binary: 'zun-compute', disabled_reason: 'x' },
      { disabled: true, disabled_reason: 'x' },
      { disabled: true, disabled_reason: 'x' },
    ],
    [
      'enable?host=c&binary=zun-compute',
      undefined,
      { disabled: false, disabled_reason: null },
      { disabled: false, disabled_reason: null },
    ],
    [
      'force_down?host=c&binary=zun-compute&forced_down=True',
      undefined,
      { forced_down: true },
      { forced_down: true, state: 'down' },
    ],
    [
      'force_down',
      { host: 'c', binary: 'zun-compute', forced_down: false },
      { forced_down: false },
      { forced_down: false, state: 'up' },
    ],
  ]
  for (const [action, body, answer, after_] of rows) {
    const result = await ask(app, `PUT /v1/services/${action}`, { as: 'admin', body })
    assert.deepEqual(result.body, { service: { host: 'c', binary: 'zun-compute', ...answer } }, action)
    const now = await serviceOf('c')
    for (const [name, value] of Object.entries(after_)) assert.equal(now?.[name as keyof Service], value, action)
  }
})

test('bad parameters of a service are a 400 that names them, an unknown one a 404', async () => {
  const rows: readonly [string, number, string | undefined, RegExp][] = [
    ['PUT enable', 400, 'schema-validation-error', /'host'/],
    ['PUT enable?host=a', 400, 'schema-validation-error', /'binary'/],
    ['PUT enable?host=a%20b&binary=x', 400, 'schema-validation-error', /'host'/],
    ['PUT enable?host=a&binary=zun-compute&disabled_reason=x', 400, 'invalid-value', /disabled_reason/],
    [`PUT disable?host=${'a'.repeat(256)}&binary=x`, 400, 'schema-validation-error', /'host'/],
    ['PUT disable?host=a&binary=zun-compute&disabled_reason=', 400, 'schema-validation-error', /'disabled_reason'/],
    ['PUT force_down?host=a&binary=zun-compute', 400, 'schema-validation-error', /'forced_down'/],
    ['PUT force_down?host=a&binary=zun-compute&forced_down=yes', 400, 'schema-validation-error', /'forced_down'/],
    ['PUT force_down?host=a&binary=zun-compute&forced_down=1', 400, 'schema-validation-error', /'forced_down'/],
    ['PUT enable?host=zz&binary=zun-compute', 404, 'zun-service-not-found', /zz/],
    ['PUT enable?host=a&binary=zun-api', 404, 'zun-service-not-found', /zun-api/],
    ['PUT reboot?host=a&binary=zun-compute', 404, '', /reboot/],
    ['GET enable', 405, '', /GET/],
    ['GET 1', 405, '', /GET/],
  ]
  for (const [line, status, code, text] of rows) {
    const [method, action] = line.split(' ')
    const answer = await ask(app, `${method} /v1/services/${action}`, { as: 'admin' })
    assert.deepEqual([answer.status, answer.code], [status, code], line)
    assert.match(answer.title, text)
  }
  assert.equal((await ask(app, 'DELETE /v1/services?host=a', { as: 'admin' })).status, 400)
  assert.equal((await ask(app, 'DELETE /v1/services?host=zz&binary=zun-compute', { as: 'admin' })).status, 404)
})

test('a service that is silent is deleted; one that is alive stays and is as new', async () => {
  const hasty = apiOn(
    live,
    serviceRoutes({
      store: live.store,
      policy: live.policy,
      doorbell: new LocalDoorbell(),
      options: { ...appOptions, serviceDownTimeS: -1 },
    }),
  )
  await live.host('gone')
  const network = { uuid: 'n1', name: 'n1', projectId: 'red', isDefault: false, cidrV6: null, gatewayV6: null }
  await live.store.write(async (tx) => {
    const subnets = { cidrV4: '10.9.0.0/24', gatewayV4: '10.9.0.1', subnetV4: 's1', subnetV6: null }
    await tx.networks.insert({ ...network, ...subnets })
    await dispose(tx, { kind: 'network', uuid: 'n1' }, ['gone'])
  })
  await ask(app, 'PUT /v1/services/disable?host=gone&binary=zun-compute', { as: 'admin' })
  const remove = 'DELETE /v1/services?host=gone&binary=zun-compute'
  const alive = await ask(app, remove, { as: 'admin' })
  assert.deepEqual([alive.status, alive.body], [200, null])
  assert.equal((await serviceOf('gone'))?.disabled, false)
  assert.deepEqual((await ask(hasty, remove, { as: 'admin' })).body, null)
  assert.equal(await serviceOf('gone'), undefined)
  assert.equal(await live.store.networks.byUuid('n1', { kind: 'all' }), undefined, 'nothing waits for it any more')
  assert.equal((await ask(app, remove, { as: 'admin' })).status, 404)
  await hasty.close()
})

test('hosts show what they have and what is asked of them', async () => {
  const { body } = await ask(app, 'GET /v1/hosts/a', { as: 'admin' })
  const { uuid, links, ...host } = body as { uuid: string; links: unknown }
  assert.match(uuid, /^[0-9a-f-]{36}$/)
  assert.deepEqual(host, {
    hostname: 'a',
    mem_total: 16_000,
    mem_used: 1024,
    cpus: 8,
    cpu_used: 2,
    disk_total: 400,
    disk_used: 4,
    disk_quota_supported: false,
    total_containers: 3,
    architecture: 'x86_64',
    os_type: 'linux',
    os: 'Debian GNU/Linux 12',
    kernel_version: '6.1.0',
    labels: { rack: 'a1' },
    runtimes: ['runc'],
    enable_cpu_pinning: false,
  })
  assert.deepEqual(links, [
    { href: `http://localhost:80/v1/hosts/${uuid}`, rel: 'self' },
    { href: `http://localhost:80/hosts/${uuid}`, rel: 'bookmark' },
  ])
  const again = await ask(app, `GET /v1/hosts/${uuid.toUpperCase()}`, { as: 'admin' })
  assert.deepEqual(again.body, body)
})

test('a host that is unknown, or has not said yet what it has, is not found', async () => {
  for (const ident of ['zz', 'bare', 'c56a4180-65aa-42ec-a945-5fd21dec0538']) {
    const answer = await ask(app, `GET /v1/hosts/${ident}`, { as: 'admin' })
    assert.deepEqual([answer.status, answer.code], [404, 'compute-node-not-found'])
  }
})

test('hosts are listed by name, in pages that lead to each other', async () => {
  const seen: string[] = []
  let next: string | null = '/v1/hosts/?limit=2'
  for (let pages = 0; next !== null; pages += 1) {
    assert.ok(pages < 3)
    const { body } = await ask(app, `GET ${next}`, { as: 'admin' })
    const list = body as { hosts: { hostname: string }[]; next: string | null }
    seen.push(...list.hosts.map((host) => host.hostname))
    next = list.next === null ? null : list.next.replace('http://localhost:80', '')
    if (next !== null) assert.match(next, /^\/v1\/hosts\?sort_key=hostname&sort_dir=asc&limit=2&marker=/)
  }
  assert.deepEqual(seen, ['a', 'b', 'c'])
})

test('lists are sorted by what is shown, and refuse anything else', async () => {
  const orderOf = async (query: string): Promise<string[]> => {
    const { body } = await ask(app, `GET /v1/hosts?${query}`, { as: 'admin' })
    return (body as { hosts: { hostname: string }[] }).hosts.map((host) => host.hostname)
  }
  assert.deepEqual(await orderOf('sort_dir=desc'), ['c', 'b', 'a'])
  assert.deepEqual((await orderOf('sort_key=cpus&sort_dir=asc'))[0], 'c')
  assert.deepEqual((await orderOf('sort_key=mem_used&sort_dir=desc'))[0], 'a')
  const rows: readonly [string, number, string][] = [
    ['hosts?limit=0', 400, 'invalid-value'],
    ['hosts?limit=x', 400, 'invalid-value'],
    ['hosts?sort_dir=up', 400, 'invalid-value'],
    ['hosts?sort_key=labels', 400, 'invalid-parameter-value'],
    ['hosts?sort_key=constructor', 400, 'invalid-parameter-value'],
    ['hosts?marker=zz', 404, 'compute-node-not-found'],
    ['availability_zones?sort_key=uuid', 400, 'invalid-parameter-value'],
    ['availability_zones?marker=zz', 404, 'resource-not-found'],
  ]
  for (const [path, status, code] of rows) {
    const answer = await ask(app, `GET /v1/${path}`, { as: 'admin' })
    assert.deepEqual([answer.status, answer.code], [status, code], path)
  }
})

test('hosts exist from 1.4 on', async () => {
  assert.equal((await ask(app, 'GET /v1/hosts', { as: 'admin', minor: 3 })).status, 406)
  assert.equal((await ask(app, 'GET /v1/hosts/a', { as: 'admin', minor: 3 })).status, 406)
  assert.equal((await ask(app, 'GET /v1/hosts', { as: 'admin', minor: 4 })).status, 200)
  assert.equal((await ask(app, 'POST /v1/hosts', { as: 'admin' })).status, 405)
})

test('what is shown does not depend on the version, and lists of operators have no filters', async () => {
  const at = async (line: string, minor: number): Promise<unknown> => {
    const { status, body } = await ask(app, `GET /v1/${line}`, { as: 'admin', minor })
    assert.equal(status, 200, `${line} at 1.${minor}`)
    return body
  }
  for (const [line, first] of [
    ['services', 1],
    ['hosts', 4],
    ['hosts/a', 4],
    ['availability_zones', 1],
  ] as const) {
    const now = await at(line, 40)
    for (const minor of [first, 28, 29]) assert.deepEqual(await at(line, minor), now, `${line} at 1.${minor}`)
    assert.deepEqual(await at(`${line}?hostname=b&bogus=1`, 40), now)
  }
})

test('zones are named once each, to everybody', async () => {
  const { body } = await ask(app, 'GET /v1/availability_zones')
  const zones = ['east', 'nova', 'west'].map((availability_zone) => ({ availability_zone }))
  assert.deepEqual(body, { availability_zones: zones, next: null })
  const { body: page } = await ask(app, 'GET /v1/availability_zones?limit=2')
  const { next } = page as { next: string }
  const rest = await ask(app, `GET ${next.replace('http://localhost:80', '')}`)
  assert.deepEqual(rest.body, { availability_zones: zones.slice(2), next: null })
})

test('members may see zones and nothing else of it', async () => {
  const lines = [
    'GET /v1/services',
    'PUT /v1/services/enable?host=a&binary=zun-compute',
    'PUT /v1/services/disable?host=a&binary=zun-compute',
    'PUT /v1/services/force_down?host=a&binary=zun-compute&forced_down=true',
    'DELETE /v1/services?host=a&binary=zun-compute',
    'GET /v1/hosts',
    'GET /v1/hosts/a',
    'GET /v1/hosts/zz',
  ]
  for (const line of lines) {
    const answer = await ask(app, line)
    assert.deepEqual([answer.status, answer.code], [403, 'policy-not-authorized'], line)
  }
})
