/** clients 2, 5 and 6: requests as Heat, the dashboard and the test suite of OpenStack send them. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { SpecApi, type Answer, type Request } from '../support/spec-api.ts'

type Shown = Readonly<Record<string, unknown>>

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ quietHost: false })
})
after(() => api.stop())
afterEach(async () => {
  await api.machine.clearContainers()
  assert.deepEqual(api.machine.errors, [])
})

async function ask(line: string, status: number, request: Request = {}): Promise<Answer> {
  const answer = await api.ask(line, request)
  assert.equal(answer.status, status, `${line}: ${answer.text}`)
  return answer
}

async function settled(uuid: string, status: string): Promise<Shown> {
  await api.machine.settled()
  await api.machine.agreed()
  const shown = (await ask(`GET /v1/containers/${uuid}`, 200)).body as Shown
  assert.equal(shown['status'], status, String(shown['status_reason']))
  return shown
}

const uuidOf = (answer: Answer): string => (answer.body as { uuid: string }).uuid

test('Heat: a container is created at 1.12, updated at 1.18, and deleted with stop', async () => {
  const created = await ask('POST /v1/containers?run=true', 202, {
    minor: 12,
    body: {
      name: 'heat',
      image: 'busybox',
      command: '"sh" "-c" "sleep 1000"',
      cpu: 0.5,
      memory: 128,
      environment: { A: 'b' },
      workdir: '/tmp',
      labels: { stack: 's' },
      image_pull_policy: null,
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      interactive: false,
      image_driver: 'docker',
      hints: {},
      hostname: 'heathost',
      security_groups: [],
      mounts: [],
      nets: [],
    },
  })
  const uuid = uuidOf(created)
  assert.equal((created.body as Shown)['status'], 'Creating')
  const running = await settled(uuid, 'Running')
  assert.deepEqual(running['command'], ['sh', '-c', 'sleep 1000'])
  const [network = ''] = Object.keys(running['addresses'] as Shown)
  const [address] = (running['addresses'] as Record<string, { addr: string; port: string }[]>)[network] ?? []
  assert.ok(address !== undefined && address.addr !== '' && address.port !== '')

  const minor = 18
  await ask(`PATCH /v1/containers/${uuid}`, 200, { minor, body: { name: 'heat-2', cpu: 0.6, memory: 192 } })
  const listed = (await ask(`GET /v1/containers/${uuid}/network_list`, 200, { minor })).body as {
    networks: { net_id: string; port_id: string; fixed_ips: { ip_address: string }[] }[]
  }
  assert.deepEqual(
    listed.networks.map(({ net_id, port_id, fixed_ips: [first] }) => [net_id, port_id, first?.ip_address]),
    [[network, address.port, address.addr]],
  )
  await ask(`POST /v1/containers/${uuid}/network_detach?port=${address.port}`, 202, { minor })
  await api.machine.settled()
  assert.deepEqual((await ask(`GET /v1/containers/${uuid}/network_list`, 200, { minor })).body, { networks: [] })
  await ask(`POST /v1/containers/${uuid}/network_attach?network=${network}`, 200, { minor })
  const again = await settled(uuid, 'Running')
  assert.deepEqual(Object.keys(again['addresses'] as Shown), [network])
  assert.deepEqual([again['name'], again['cpu'], again['memory']], ['heat-2', 0.6, '192'])

  await ask(`DELETE /v1/containers/${uuid}?stop=True`, 204, { minor: 12 })
  await api.machine.settled()
  await ask(`GET /v1/containers/${uuid}`, 404, { minor: 12 })
})

test('Heat: a terminal is asked for at 1.36 with a list of words, and what cannot run is Error with a reason', async () => {
  const uuid = uuidOf(
    await ask('POST /v1/containers?run=true', 202, {
      minor: 36,
      body: { image: 'busybox', command: ['sh'], interactive: true, tty: true, memory: 64, security_groups: [] },
    }),
  )
  const shown = await settled(uuid, 'Running')
  assert.deepEqual([shown['tty'], shown['interactive']], [true, true])
  const broken = uuidOf(
    await ask('POST /v1/containers?run=true', 202, {
      minor: 36,
      body: { image: 'busybox', command: ['/no/such/program'], memory: 64 },
    }),
  )
  assert.notEqual((await settled(broken, 'Error'))['status_reason'], null)
})

test('the dashboard: what was not chosen comes as empty text, numbers as numbers', async () => {
  const uuid = uuidOf(
    await ask('POST /v1/containers?run=true', 202, {
      body: {
        name: 'shell',
        image: 'busybox',
        image_driver: 'docker',
        command: [],
        cpu: 0.5,
        memory: 64,
        workdir: '',
        runtime: '',
        availability_zone: '',
        hostname: '',
        restart_policy: { Name: 'no', MaximumRetryCount: 0 },
        labels: { 'cloud-shell': 'alice' },
        environment: {},
        interactive: true,
        auto_remove: false,
        auto_heal: false,
        hints: {},
        mounts: [],
        nets: [],
        security_groups: [],
      },
    }),
  )
  const shown = await settled(uuid, 'Running')
  assert.deepEqual([shown['labels'], shown['workdir']], [{ 'cloud-shell': 'alice' }, null])
  // The script reads the memory as a number, with or without an M after it, and the labels of every container.
  assert.match(String(shown['memory']), /^\d+M?$/)
  const { containers } = (await ask('GET /v1/containers', 200)).body as { containers: Shown[] }
  assert.ok(containers.every(({ labels, uuid: id }) => typeof id === 'string' && labels !== null))
  await ask(`POST /v1/containers/${uuid}/resize?w=500&h=400`, 200)
  const { output } = (await ask(`POST /v1/containers/${uuid}/execute?command="echo" "it works"&run=True`, 200))
    .body as {
    output: string
  }
  assert.equal(output, 'it works\n')
  await ask(`POST /v1/containers/${uuid}/stop?timeout=10`, 202)
  await settled(uuid, 'Stopped')
  await ask(`POST /v1/containers/${uuid}/start`, 202)
  await settled(uuid, 'Running')
  await ask(`DELETE /v1/containers/${uuid}?stop=True&force=False`, 204)
})

test('tempest: doubled slashes, bodies of actions, and what it reads of the answers', async () => {
  const minor = 33
  const made = await ask('POST /v1/containers/?run=true', 202, {
    minor,
    body: {
      image: 'nginx',
      name: 'tempest-c',
      memory: '200',
      environment: { FOO: 'bar' },
      labels: { tier: 'one' },
      restart_policy: { Name: 'on-failure', MaximumRetryCount: 2 },
    },
  })
  const uuid = uuidOf(made)
  assert.equal(made.headers['openstack-api-version'], 'container 1.33')
  const shown = await settled(uuid, 'Running')
  assert.deepEqual(
    [shown['environment'], shown['labels'], shown['restart_policy']],
    [{ FOO: 'bar' }, { tier: 'one' }, { Name: 'on-failure', MaximumRetryCount: '2' }],
  )
  const exec = await ask(`POST /v1/containers//${uuid}/execute`, 200, { minor, body: { command: 'echo hello' } })
  assert.match((exec.body as { output: string }).output, /hello/)
  await ask(`PATCH /v1/containers/${uuid}`, 200, { minor, body: { cpu: 0.2, memory: 200 } })
  assert.deepEqual([(await settled(uuid, 'Running'))['memory'], (await settled(uuid, 'Running'))['cpu']], ['200', 0.2])
  const rebuilt = await ask(`POST /v1/containers//${uuid}/rebuild`, 202, { minor })
  await api.machine.settled()
  const id = String(rebuilt.headers['x-openstack-request-id'])
  const action = (await ask(`GET /v1/containers//${uuid}/container_actions/${id}`, 200, { minor })).body as Shown
  assert.notEqual(action['finish_time'], null)
  assert.equal(action['message'], null)
  await settled(uuid, 'Running')
  for (const [verb, status] of [
    ['pause', 'Paused'],
    ['unpause', 'Running'],
    ['kill', 'Stopped'],
  ] as const) {
    await ask(`POST /v1/containers//${uuid}/${verb}`, 202, { minor })
    await settled(uuid, status)
  }
  await ask(`DELETE /v1/containers/${uuid}?stop=True&all_projects=True`, 204, { minor, as: 'admin' })
  await api.machine.settled()
})

test('tempest: cleans up the networks of its tenants, as an admin', async () => {
  const box = uuidOf(await ask('POST /v1/containers', 202, { body: { image: 'busybox', memory: 64 } }))
  const shown = await settled(box, 'Created')
  const [network = ''] = Object.keys(shown['addresses'] as Shown)
  await api.machine.clearContainers()
  await ask(`DELETE /v1/networks//${network}`, 204, { as: 'admin', minor: 27 })
  await ask(`DELETE /v1/networks//${network}`, 404, { as: 'admin', minor: 27 })
  await ask('GET /v1/services/', 403, { minor: 7 })
})
