/** capsules 1, 7, 9 and 10: a capsule from its template to its end, in both formats, and who sees what of it. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { HOST } from '../support/sim-machine.ts'
import { SpecApi, type Request } from '../support/spec-api.ts'
import { until } from '../support/until.ts'

const TEMPLATE = {
  kind: 'capsule',
  capsuleVersion: 'beta',
  metadata: { name: 'web', labels: { app: 'web' }, annotations: { note: [1, { a: null }] } },
  spec: {
    restartPolicy: 'OnFailure',
    initContainers: [{ image: 'busybox', command: ['true'] }],
    containers: [
      {
        image: 'nginx',
        command: ['serve'],
        args: ['now'],
        env: { A: 'b' },
        workDir: '/srv',
        ports: [{ containerPort: 80, protocol: 'TCP' }],
        resources: { requests: { cpu: 0.5, memory: '128' } },
        stdin: true,
      },
      { image: 'busybox', args: ['serve'], resources: { requests: { cpu: 1, memory: 64 } } },
    ],
  },
}

const COMMON = 'addresses annotations containers cpu created_at init_containers links memory project_id restart_policy'
const SHOWN = `${COMMON} status status_reason updated_at user_id uuid`.split(' ')
const CURRENT = ['labels', 'name']
const LEGACY = [
  'capsule_version',
  'containers_uuids',
  'init_containers_uuids',
  'meta_labels',
  'meta_name',
  'volumes_info',
]
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/

type Member = Record<string, unknown>

interface Body {
  readonly uuid: string
  readonly containers: readonly Member[]
  readonly init_containers: readonly Member[]
  readonly [field: string]: unknown
}

let api: SpecApi
before(async () => {
  api = await SpecApi.start()
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  assert.deepEqual(api.machine.errors, [])
})

async function made(request: Request = {}, template: object = TEMPLATE): Promise<Body> {
  const answer = await api.ask('POST /v1/capsules', { ...request, body: { template } })
  assert.equal(answer.status, 202, answer.text)
  return answer.body as Body
}

const small = (name: string | null, more: object = {}): object => ({
  kind: 'capsule',
  metadata: { name, ...more },
  spec: { containers: [{ image: 'busybox', command: ['serve'] }] },
})

async function shown(ident: string, request: Request = {}): Promise<Body> {
  const answer = await api.ask(`GET /v1/capsules/${ident}`, request)
  assert.equal(answer.status, 200, answer.text)
  return answer.body as Body
}

async function running(ident: string): Promise<Body> {
  await until(`${ident} runs`, async () => {
    const { status, status_reason: reason } = await shown(ident)
    assert.notEqual(status, 'Error', String(reason))
    return status === 'Running'
  })
  return await shown(ident)
}

async function gone(ident: string): Promise<void> {
  await until(`${ident} is gone`, async () => (await api.ask(`GET /v1/capsules/${ident}`)).status === 404)
}

async function refused(line: string, request: Request, [status, code]: readonly [number, string]): Promise<string> {
  const answer = await api.ask(line, request)
  assert.deepEqual([answer.status, answer.code], [status, code], `${line}: ${answer.text}`)
  return answer.title
}

for (const minor of [1, 31, 32, 40]) {
  const isLegacy = minor < 32

  test(`1.${minor}: a capsule is made, shown, listed and deleted`, async () => {
    const answer = await api.ask('POST /v1/capsules', { minor, body: { template: TEMPLATE } })
    assert.equal(answer.status, 202, answer.text)
    assert.equal(answer.headers['openstack-api-version'], `container 1.${minor}`)
    const body = answer.body as Body
    const { uuid } = body
    assert.match(String(answer.headers['location']), new RegExp(`^http://[^/]+/v1/capsules/${uuid}$`))
    assert.deepEqual(Object.keys(body).toSorted(), [...SHOWN, ...(isLegacy ? LEGACY : CURRENT)].toSorted())
    assert.deepEqual(
      [body['status'], body['status_reason'], body['cpu'], body['memory'], body['annotations']],
      ['Creating', null, 1.5, '192', { note: [1, { a: null }] }],
    )
    assert.deepEqual(
      isLegacy
        ? [body['meta_name'], body['meta_labels'], body['restart_policy']]
        : [body['name'], body['labels'], body['restart_policy']],
      ['web', { app: 'web' }, isLegacy ? 'on-failure' : { Name: 'on-failure', MaximumRetryCount: '0' }],
    )
    if (isLegacy) {
      const old = ['volumes_info', 'containers_uuids', 'init_containers_uuids', 'capsule_version']
      assert.deepEqual(
        old.map((name) => body[name]),
        [{}, [], [], ''],
      )
    }
    assert.match(String(body['created_at']), TIME)
    assert.deepEqual(
      (body['links'] as { href: string; rel: string }[]).map(({ href, rel }) => [new URL(href).pathname, rel]),
      [
        [`/v1/capsules/${uuid}`, 'self'],
        [`/capsules/${uuid}`, 'bookmark'],
      ],
    )
    await running(uuid)
    for (const ident of [uuid, uuid.toUpperCase(), uuid.replaceAll('-', ''), 'web']) {
      const one = await shown(ident, { minor })
      assert.deepEqual([one.uuid, one['status']], [uuid, 'Running'])
      assert.match(String(one['updated_at']), TIME)
    }
    const list = (await api.ask('GET /v1/capsules', { minor })).body as { capsules: Body[]; next: unknown }
    assert.deepEqual(list, { capsules: [await shown(uuid, { minor })], next: null })
    const deleted = await api.ask('DELETE /v1/capsules/web', {
      minor,
      headers: { 'content-type': 'application/octet-stream' },
    })
    assert.deepEqual([deleted.status, deleted.text], [204, ''])
    await gone(uuid)
    assert.deepEqual((await api.ask('GET /v1/capsules', { minor })).body, { capsules: [], next: null })
    assert.equal(await refused('GET /v1/capsules/web', { minor }, [404, 'container-not-found']), NOT_FOUND)
    await refused('DELETE /v1/capsules/web', { minor }, [404, 'container-not-found'])
  })
}

const NOT_FOUND = 'Container web could not be found.'

test('members are shown as containers are, without links, in the order of the template', async () => {
  const { uuid } = await made()
  const { containers, init_containers: inits, ...capsule } = await running(uuid)
  assert.deepEqual(
    [...inits, ...containers].map((one) => [one['image'], one['command'], one['cpu'], one['memory']]),
    [
      ['busybox', ['true'], 0, '0'],
      ['nginx', ['serve', 'now'], 0.5, '128'],
      ['busybox', ['serve'], 1, '64'],
    ],
  )
  for (const one of [...inits, ...containers]) {
    assert.match(String(one['name']), /^capsule-web-[a-z]+-\d{1,2}$/)
    assert.deepEqual([one['project_id'], one['user_id']], [capsule['project_id'], capsule['user_id']])
    for (const hidden of ['links', 'host', 'privileged', 'runtime', 'image_pull_policy']) {
      assert.ok(!Object.hasOwn(one, hidden), hidden)
    }
  }
  const [first] = containers
  assert.deepEqual(
    [first?.['environment'], first?.['workdir'], first?.['interactive'], first?.['tty'], first?.['status']],
    [{ A: 'b' }, '/srv', true, false, 'Running'],
  )
  assert.deepEqual(
    inits.map((one) => one['status']),
    ['Stopped'],
  )
  for (const { uuid: member } of [...inits, ...containers]) {
    await refused(`GET /v1/containers/${String(member)}`, {}, [404, 'container-not-found'])
    await refused(`DELETE /v1/capsules/${String(member)}`, {}, [404, 'container-not-found'])
  }
  assert.deepEqual((await api.ask('GET /v1/containers')).body, { containers: [], next: null })
  await refused(`GET /v1/containers/${uuid}`, {}, [404, 'container-not-found'])
})

test('a capsule has addresses on the default network of its project, and the list of the client reads them', async () => {
  const { uuid } = await made({}, small('web'))
  const { addresses } = await running(uuid)
  const [list] = Object.values(addresses as Record<string, Record<string, unknown>[]>)
  assert.deepEqual(Object.keys(list?.[0] ?? {}).toSorted(), [
    'addr',
    'port',
    'preserve_on_delete',
    'subnet_id',
    'version',
  ])
  assert.equal(typeof list?.[0]?.['version'], 'number')
})

test('without a name and labels', async () => {
  const template = { kind: 'Capsule', metadata: {}, spec: { containers: [{ image: 'busybox' }] } }
  const body = await made({}, template)
  assert.deepEqual([body['name'], body['annotations'], body['memory']], [null, null, '0'])
  assert.deepEqual(body['restart_policy'], { Name: 'always', MaximumRetryCount: '0' })
  assert.match(String(body.containers[0]?.['name']), new RegExp(`^capsule-${body.uuid}-[a-z]+-\\d{1,2}$`))
})

test('an admin sees the host, and finds capsules of every project', async () => {
  const { uuid } = await made()
  await running(uuid)
  const one = await shown(uuid, { as: 'admin' })
  assert.equal(one['host'], 'sim-host')
  for (const member of one.containers) {
    assert.deepEqual([member['host'], member['privileged'], member['image_pull_policy']], ['sim-host', false, 'always'])
  }
  for (const as of ['bob', 'eve'] as const) {
    for (const line of [`GET /v1/capsules/${uuid}`, 'GET /v1/capsules/web', `DELETE /v1/capsules/${uuid}`]) {
      await refused(line, { as }, [404, 'container-not-found'])
    }
    assert.deepEqual((await api.ask('GET /v1/capsules?all_projects=1', { as })).body, { capsules: [], next: null })
  }
  await refused(`DELETE /v1/capsules/${uuid}?all_projects=true`, {}, [403, 'policy-not-authorized'])
  await made({}, small('web'))
  for (const as of ['alice', 'admin'] as const) {
    assert.match(await refused('GET /v1/capsules/web', { as }, [409, 'conflict']), /'web'.*uuid instead/)
  }
  assert.equal((await api.ask(`DELETE /v1/capsules/${uuid}?all_projects=true`, { as: 'admin' })).status, 204)
  await refused('POST /v1/capsules', { as: 'eve', body: { template: TEMPLATE } }, [403, 'not-authorized'])
})

test('a pull policy counts for those who may choose one, and is dropped for others', async () => {
  const template = {
    kind: 'capsule',
    metadata: {},
    spec: { containers: [{ image: 'busybox', imagePullPolicy: 'IfNotPresent' }, { image: 'busybox' }] },
  }
  for (const [as, policy] of [
    ['alice', 'always'],
    ['admin', 'ifnotpresent'],
  ] as const) {
    const { uuid } = await made({ as }, template)
    const { containers } = await shown(uuid, { as: 'admin' })
    assert.deepEqual(
      containers.map((one) => one['image_pull_policy']),
      [policy, 'always'],
      as,
    )
  }
})

test('a list has an order and pages, and takes no filters', async () => {
  const uuids: string[] = []
  for (const name of ['bb', 'cc', 'aa']) uuids.push((await made({}, small(name))).uuid)
  await made({ as: 'bob' }, small('theirs'))
  const names = async (query: string, request: Request = {}): Promise<unknown[]> => {
    const answer = await api.ask(`GET /v1/capsules${query}`, request)
    assert.equal(answer.status, 200, answer.text)
    return (answer.body as { capsules: Body[] }).capsules.map((one) => one['name'])
  }
  const rows: readonly [query: string, found: string[]][] = [
    ['', ['bb', 'cc', 'aa']],
    ['/?resource_url=capsules&expand=1', ['bb', 'cc', 'aa']],
    ['?sort_key=name', ['aa', 'bb', 'cc']],
    ['?sort_key=name&sort_dir=desc', ['cc', 'bb', 'aa']],
    ['?sort_key=name&sort_dir=asc&limit=2', ['aa', 'bb']],
    [`?marker=${uuids[0]}`, ['cc', 'aa']],
    [`?limit=2&marker=${uuids[1]}`, ['aa']],
    ['?all_projects=true', ['bb', 'cc', 'aa']],
    ['?all_projects=False', ['bb', 'cc', 'aa']],
  ]
  for (const [query, found] of rows) assert.deepEqual(await names(query), found, query)
  for (const key of ['id', 'uuid', 'host', 'created_at', 'updated_at', 'memory', 'cpu', 'project_id', 'user_id']) {
    assert.equal((await names(`?sort_key=${key}`)).length, 3, key)
  }
  assert.deepEqual(await names('?all_projects=1', { as: 'admin' }), ['bb', 'cc', 'aa', 'theirs'])
  assert.deepEqual(await names('', { as: 'admin' }), [])
  const { next } = (await api.ask('GET /v1/capsules?limit=2&sort_key=name&all_projects=1', { as: 'admin' })).body as {
    next: string
  }
  const url = new URL(next)
  assert.equal(url.pathname, '/v1/capsules')
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    sort_key: 'name',
    sort_dir: 'asc',
    limit: '2',
    marker: uuids[0],
    all_projects: '1',
  })
  assert.deepEqual(await names(url.search, { as: 'admin' }), ['cc', 'theirs'])
  for (const [query, status, code] of [
    ['limit=0', 400, 'invalid-value'],
    ['limit=x', 400, 'invalid-value'],
    ['sort_dir=up', 400, 'invalid-value'],
    ['all_projects=maybe', 400, 'invalid-value'],
    ['sort_key=bogus', 400, 'invalid-parameter-value'],
    ['name=aa', 400, 'invalid-value'],
    [`marker=${randomUUID()}`, 404, 'container-not-found'],
  ] as const) {
    await refused(`GET /v1/capsules?${query}`, {}, [status, code])
  }
})

test('with a host that is down a delete is accepted, and done when it is back', async () => {
  const { uuid, containers } = await made({}, small('web'))
  await running(uuid)
  const isDown = async (down: boolean): Promise<unknown> =>
    await api.machine.store.write((tx) => tx.hosts.setForcedDown(HOST, down))
  await isDown(true)
  api.machine.engine.down()
  assert.equal((await api.ask('DELETE /v1/capsules/web')).status, 204)
  await until('it is tried', async () => {
    const actions = await api.machine.store.operations.unfinished(uuid)
    return actions.some(({ verb, attempt }) => verb === 'delete' && attempt > 0)
  })
  assert.equal((await shown(uuid))['status'], 'Deleting')
  api.machine.engine.up()
  await isDown(false)
  await gone(uuid)
  await api.machine.settled()
  for (const one of [uuid, ...containers.map((member) => String(member['uuid']))]) {
    assert.equal(api.machine.engine.container(one), undefined)
  }
})

test('who asks for the delete until the capsule is gone does not keep it from going', async () => {
  const { uuid } = await made({}, small('web'))
  await running(uuid)
  let reached = (): void => undefined
  let release = (): void => undefined
  const underWay = new Promise<void>((resolve) => (reached = resolve))
  const held = new Promise<void>((resolve) => (release = resolve))
  api.machine.engine.calls.faults.add({ call: 'remove', trouble: { kind: 'hold', until: held, reached } })
  const remove = async (): Promise<number> => (await api.ask('DELETE /v1/capsules/web')).status
  assert.equal(await remove(), 204)
  await underWay
  const operations = async (): Promise<unknown[]> =>
    (await api.machine.store.operations.unfinished(uuid)).map(({ id, fence, superseded }) => [id, fence, superseded])
  const earlier = await operations()
  assert.deepEqual([await remove(), await remove()], [204, 204])
  assert.deepEqual(await operations(), earlier)
  release()
  await gone(uuid)
})

test('a rule of the operator hides a field in both formats, and that of a member in members', async (t) => {
  const hiding = await SpecApi.start({
    policy: '"capsule:get:labels": "role:admin"\n"capsule:get:name": "!"\n"container:get_one:workdir": "role:admin"\n',
  })
  t.after(() => hiding.stop())
  const { uuid } = (await hiding.ask('POST /v1/capsules', { body: { template: TEMPLATE } })).body as Body
  for (const [as, minor, fields] of [
    ['alice', 1, []],
    ['alice', 40, []],
    ['admin', 1, ['meta_labels']],
    ['admin', 40, ['labels']],
  ] as const) {
    const body = (await hiding.ask(`GET /v1/capsules/${uuid}`, { as, minor })).body as Body
    const found = ['labels', 'meta_labels', 'name', 'meta_name'].filter((name) => Object.hasOwn(body, name))
    assert.deepEqual(found, fields)
    for (const one of body.containers) assert.equal(Object.hasOwn(one, 'workdir'), as === 'admin')
  }
})
