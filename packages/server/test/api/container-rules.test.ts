/** containers 2 to 15: rules that lie between the tables of fields, states and errors. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { HOST } from '../support/sim-machine.ts'
import { SpecApi } from '../support/spec-api.ts'
import { until } from '../support/until.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ overrides: { quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1' } })
  for (const name of ['lan', 'wan']) await api.ask('POST /v1/local/networks', { body: { name } })
})
after(() => api.stop())
afterEach(() => api.machine.clearContainers())

type Shown = Readonly<Record<string, unknown>>
type Address = { readonly addr: string; readonly version: number; readonly port: string }

async function show(uuid: string): Promise<Shown> {
  return (await api.ask(`GET /v1/containers/${uuid}`)).body as Shown
}

async function network(name: string): Promise<Shown & { uuid: string; subnets: { cidr: string; version: number }[] }> {
  return (await api.ask(`GET /v1/local/networks/${name}`)).body as Awaited<ReturnType<typeof network>>
}

/** Runs on the network `lan`. */
async function running(body: object = {}): Promise<string> {
  const answer = await api.ask('POST /v1/containers?run=true', {
    body: { image: 'busybox', memory: 64, command: ['serve'], nets: [{ network: 'lan' }], ...body },
  })
  assert.equal(answer.status, 202, answer.title)
  await api.machine.settled()
  return (answer.body as { uuid: string }).uuid
}

const GREEK =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega'.split(
    ' ',
  )

test('what was not given is null or empty, already in the answer to the create', async () => {
  const made = await api.made({ name: null })
  const [letter = '', number = '', ...rest] = JSON.stringify(made['name']).slice(1, -1).split('-')
  assert.ok(GREEK.includes(letter) && Number(number) >= 1 && Number(number) <= 24, letter)
  assert.deepEqual(rest, ['container'])
  const empty = {
    command: [],
    entrypoint: [],
    environment: {},
    labels: {},
    ports: [],
    security_groups: [],
    restart_policy: {},
    healthcheck: {},
    workdir: null,
    hostname: null,
    registry_id: null,
    status_reason: null,
    status_detail: null,
    task_state: null,
    interactive: false,
    tty: false,
    auto_remove: false,
    auto_heal: false,
    cpu_policy: 'shared',
    disk: 0,
  }
  assert.deepEqual(Object.fromEntries(Object.keys(empty).map((key) => [key, made[key]])), empty)
})

test('show takes no notice of parameters it does not know', async () => {
  const { uuid } = await api.made({})
  assert.equal((await api.ask(`GET /v1/containers/${uuid}?bogus=1&expand=1`)).status, 200)
})

test('both fixed addresses of a net are given, and must be free and in its subnets', async () => {
  const { uuid: lan, subnets } = await network('lan')
  const [v4 = '', v6 = ''] = subnets.map(({ cidr }) =>
    cidr.replace(/\/.*/, '').replace(/(\.0|::)$/, (end) => (end === '.0' ? '.77' : '::77')),
  )
  const nets = [{ network: 'lan', 'v4-fixed-ip': v4, 'v6-fixed-ip': v6 }]
  const made = await api.made({ nets })
  const addresses = (made['addresses'] as Record<string, Address[]>)[lan]
  assert.deepEqual(
    addresses?.map(({ addr, version }) => [addr, version]),
    [
      [v4, 4],
      [v6, 6],
    ],
  )
  assert.equal(new Set(addresses?.map(({ port }) => port)).size, 1, 'of one port')
  const taken = await api.ask('POST /v1/containers', { body: { image: 'busybox', nets } })
  assert.equal(taken.status, 409)
  const outside = [{ network: 'lan', 'v4-fixed-ip': '192.0.2.7' }]
  assert.equal((await api.ask('POST /v1/containers', { body: { image: 'busybox', nets: outside } })).status, 400)
})

test('of source and size the source counts, and a file may be sent along from 1.11 on', async () => {
  await api.ask('POST /v1/local/volumes', { body: { name: 'older', size: 1 } })
  const both = [{ source: 'older', size: 5, destination: '/data' }]
  const { uuid } = await api.made({ mounts: both })
  const volume = (await api.ask('GET /v1/local/volumes/older')).body as Shown
  assert.deepEqual([volume['container_uuid'], volume['size']], [uuid, 1])
  const file = [{ type: 'bind', source: 'YQ==', destination: '/f' }]
  await api.made({ mounts: file }, { minor: 11 })
})

test('one volume may not be given twice', async () => {
  await api.ask('POST /v1/local/volumes', { body: { name: 'once', size: 1 } })
  const mounts = [
    { source: 'once', destination: '/a' },
    { source: 'once', destination: '/b' },
  ]
  const answer = await api.ask('POST /v1/containers', { body: { image: 'busybox', mounts } })
  assert.equal(answer.status, 400)
  assert.match(answer.title, /given twice in 'mounts'/)
})

test('the one security group there is goes by its name and by its id, and twice is once', async () => {
  const { security_groups: named } = await api.made({ security_groups: ['default'] })
  const [id = ''] = named as string[]
  assert.match(id, /^[0-9a-f-]{36}$/)
  const { security_groups: both } = await api.made({ security_groups: [id, 'default', id] })
  assert.deepEqual(both, [id])
  assert.deepEqual((await api.made({ security_groups: null }))['security_groups'], [])
})

/** Each is refused by a later check than the one before. */
const LATE: readonly (readonly [body: object, status: number])[] = [
  [{ image: 'busybox:%' }, 400],
  [{ registry: 'missing' }, 404],
  [{ nets: [{ network: 'lan' }, { network: 'missing' }] }, 404],
  [{ nets: [{ network: 'lan' }, { network: 'lan' }] }, 400],
  [{ nets: [{ network: 'lan', 'v4-fixed-ip': '192.0.2.7' }] }, 400],
  [
    {
      mounts: [
        { size: 1, destination: '/new' },
        { source: 'missing', destination: '/d' },
      ],
    },
    404,
  ],
  [{ mounts: [{ size: 10_000, destination: '/new' }] }, 403],
]

test('a create that is refused, however late, leaves nothing behind', async () => {
  const { body: volumes } = await api.ask('GET /v1/local/volumes')
  const rows = await api.machine.rows()
  for (const [body, status] of LATE) {
    const answer = await api.ask('POST /v1/containers?run=true', { body: { image: 'busybox', ...body } })
    assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.title}`)
    assert.deepEqual(await api.machine.rows(), rows, JSON.stringify(body))
  }
  assert.deepEqual((await api.ask('GET /v1/containers')).body, { containers: [], next: null })
  assert.deepEqual((await api.ask('GET /v1/local/volumes')).body, volumes)
  assert.equal((await network('lan'))['addresses_in_use'], 0)
})

test('the body of a create is looked at before its rules, and rules before what it names', async () => {
  const all = { image: 'busybox', privileged: true, name: '-', registry: 'missing' }
  assert.equal((await api.ask('POST /v1/containers', { body: all })).code, 'schema-validation-error')
  assert.equal((await api.ask('POST /v1/containers', { body: { ...all, name: 'ok' } })).code, 'policy-not-authorized')
  const { image, registry } = all
  assert.equal((await api.ask('POST /v1/containers', { body: { image, registry } })).code, 'registry-not-found')
})

test('with a host that is down a delete is accepted, and done when it is back', async () => {
  const { uuid } = await api.made({})
  await api.machine.settled()
  const isDown = async (down: boolean): Promise<unknown> =>
    await api.machine.store.write((tx) => tx.hosts.setForcedDown(HOST, down))
  await isDown(true)
  api.machine.engine.down()
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}`)).status, 204)
  await until('it is tried', async () => (await show(uuid))['status_detail']?.toString().startsWith('Waiting') === true)
  assert.equal((await show(uuid))['status'], 'Deleting')
  api.machine.engine.up()
  await isDown(false)
  await api.machine.settled()
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  assert.equal(api.machine.engine.container(uuid), undefined)
})

test('while a delete with stop is under way it is found by its request, as one action', async () => {
  const uuid = await running()
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const met = new Promise<void>((resolve) => {
    api.machine.engine.calls.faults.add({ call: 'remove', trouble: { kind: 'hold', until: held, reached: resolve } })
  })
  const asked = await api.ask(`DELETE /v1/containers/${uuid}?stop=true`)
  assert.equal(asked.status, 204)
  await met
  assert.equal(api.machine.engine.count('stop', uuid), 1)
  const request = String(asked.headers['x-openstack-request-id'])
  const { body } = await api.ask(`GET /v1/containers/${uuid}/container_actions/${request}`)
  const { action, finish_time: end, events } = body as Shown
  assert.deepEqual([action, end, events], ['delete', null, []])
  release()
  await api.machine.settled()
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
})

const STATUSES = [
  ...(['Creating', 'Created', 'Running', 'Stopped', 'Paused', 'Restarting', 'Rebuilding'] as const),
  ...(['Deleting', 'Deleted', 'Error', 'Dead', 'Unknown'] as const),
]

test('show, rename, actions and networks are there in every status', async () => {
  for (const status of STATUSES) {
    const uuid = await api.row({ status })
    for (const [line, minor] of [
      [`GET /v1/containers/${uuid}`, 40],
      [`GET /v1/containers/${uuid}/network_list`, 40],
      [`GET /v1/containers/${uuid}/container_actions`, 40],
      [`POST /v1/containers/${uuid}/rename?name=in-${status}`, 13],
    ] as const) {
      const answer = await api.ask(line, { minor })
      assert.equal(answer.status, 200, `${line} in ${status}: ${answer.title}`)
    }
    assert.deepEqual([(await show(uuid))['status'], (await show(uuid))['name']], [status, `in-${status}`])
    await api.machine.store.write((tx) => tx.containers.remove(uuid))
  }
})

test('what only looks in leaves no action; actions and events have their keys and no others', async () => {
  const uuid = await running()
  for (const [line, body] of [
    ['POST /execute', { command: 'echo x' }],
    ['GET /logs', undefined],
    ['GET /top', undefined],
    ['GET /stats', undefined],
    ['GET /get_archive?path=/etc', undefined],
    ['POST /execute?run=false', { command: 'echo x' }],
  ] as const) {
    const answer = await api.ask(line.replace(' ', ` /v1/containers/${uuid}`), { body })
    assert.equal(answer.status, 200, `${line}: ${answer.title}`)
  }
  const { body } = await api.ask(`GET /v1/containers/${uuid}/container_actions`)
  const { containerActions: actions } = body as { containerActions: Shown[] }
  const [create, ...others] = actions
  assert.deepEqual(others, [])
  const keys = 'action container_uuid finish_time message project_id request_id start_time user_id'
  assert.equal(
    Object.keys(create ?? {})
      .toSorted()
      .join(' '),
    keys,
  )
  const one = await api.ask(`GET /v1/containers/${uuid}/container_actions/${String(create?.['request_id'])}`)
  const { events } = one.body as { events: Shown[] }
  for (const event of events) {
    assert.equal(Object.keys(event).toSorted().join(' '), 'event finish_time result start_time traceback')
  }
})

test('networks are attached and detached by query or body, each once, down to none and up again', async () => {
  const uuid = await running()
  const ask = async (path: string, body?: object): Promise<readonly [number, string | undefined]> => {
    const answer = await api.ask(`POST /v1/containers/${uuid}/${path}`, { body })
    await api.machine.settled()
    if (answer.status < 300) assert.equal(answer.text, 'null')
    return [answer.status, answer.code]
  }
  const { uuid: lan } = await network('lan')
  const { uuid: wan, subnets } = await network('wan')
  const on = async (): Promise<string[]> => Object.keys((await show(uuid))['addresses'] as object)
  assert.deepEqual(await ask('network_attach', { network: 'wan' }), [200, undefined])
  assert.deepEqual(await ask('network_attach?network=lan'), [400, 'invalid'], 'it is there already')
  assert.deepEqual((await on()).toSorted(), [lan, wan].toSorted())
  assert.deepEqual(await ask('network_detach', { network: wan }), [202, undefined])
  assert.deepEqual(await ask('network_detach?network=wan'), [400, 'invalid'], 'it is not there')
  const [port] = Object.values((await show(uuid))['addresses'] as Record<string, Address[]>)[0] ?? []
  assert.deepEqual(await ask(`network_detach?port=${port?.port}`), [202, undefined])
  assert.deepEqual(await on(), [])
  assert.equal((await show(uuid))['status'], 'Running')
  const fixed = subnets[0]?.cidr.replace(/\.0\/.*/, '.9') ?? ''
  assert.deepEqual(await ask(`network_attach?network=wan&fixed_ip=${fixed}`), [200, undefined])
  const [address] = ((await show(uuid))['addresses'] as Record<string, Address[]>)[wan] ?? []
  assert.equal(address?.addr, fixed)
  // Without a network that of the project is meant, and an address counts only with one.
  assert.deepEqual(await ask(`network_attach?fixed_ip=${fixed}`), [200, undefined])
  assert.equal((await on()).length, 2)
  assert.deepEqual(await ask('network_attach?network=lan&fixed_ip=nonsense'), [400, 'invalid-value'])
})

test('a commit wants a name that an image can have, in query or body', async () => {
  const uuid = await running()
  const line = `POST /v1/containers/${uuid}/commit`
  for (const query of [
    '?repository=UPPER',
    '?repository=a&tag=-',
    '?repository=a:b:c',
    '?repository=r.example:5000/x',
  ]) {
    assert.equal((await api.ask(`${line}${query}`)).status, 400, query)
  }
  const answer = await api.ask(line, { body: { repository: 'snap', tag: 'one' } })
  assert.equal(answer.status, 202)
  const { uuid: image, ...rest } = answer.body as { uuid: string }
  assert.match(image, /^[0-9a-f-]{36}$/)
  assert.deepEqual(rest, {})
  await api.machine.settled()
  await api.ask(`DELETE /v1/images/${image}`, { as: 'admin' })
  await api.machine.settled()
})

test('what has no host can only be looked at and deleted, and nothing was made for it', async () => {
  const rows = await api.machine.rows()
  const mounts = [{ size: 1, destination: '/new' }]
  const made = await api.made({ availability_zone: 'mars', mounts, nets: [{ network: 'lan' }] })
  const { uuid } = made
  assert.deepEqual([made['status'], made['addresses']], ['Error', {}])
  assert.deepEqual(await api.machine.rows(), { ...rows, container: (rows['container'] ?? 0) + 1 })
  for (const line of ['POST /start', 'POST /reboot', 'POST /rebuild', 'GET /logs']) {
    const answer = await api.ask(line.replace(' ', ` /v1/containers/${uuid}`))
    assert.deepEqual([answer.status, answer.code], [400, 'invalid'], line)
  }
  assert.equal((await show(uuid))['status'], 'Error')
  assert.equal((await api.ask(`DELETE /v1/containers/${uuid}`)).status, 204)
  assert.equal((await api.ask(`GET /v1/containers/${uuid}`)).status, 404)
  assert.deepEqual(await api.machine.rows(), rows)
})
