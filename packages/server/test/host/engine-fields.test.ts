/** docker-mapping 2 and 4: each field of a request as the engine has it, through a real service. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OBEDIENT, type ApiClient, type ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

let zund: ZundProcess
let client: ApiClient
before(async () => {
  // As devstack has it: a container that asks for no limit gets none.
  zund = await ZundProcess.start({ conf: '[DEFAULT]\ndefault_memory = 0\ndefault_cpu = 0\n[zund]\npids_limit = 300' })
  client = await zund.client()
})
after(() => zund.destroy())

type Fields = Readonly<Record<string, unknown>>

const MADE = { image: 'busybox', image_pull_policy: 'never' }

async function make(body: object): Promise<ContainerBody> {
  const { uuid } = await client.expect<ContainerBody>(202, 'POST', '/v1/containers', { body: { ...MADE, ...body } })
  return await client.waitFor(uuid, (container) => container.status === 'Created')
}

const inspected = async ({ uuid }: ContainerBody): Promise<Fields> =>
  await zund.engine.api<Fields>('GET', `/containers/zun-${uuid}/json`)

/** `HostConfig.Memory` of what the engine says. */
function at(fields: Fields, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Fields | null | undefined)?.[name], fields)
}

/** Engines write nothing as null, as an empty text, list or object, or not at all. */
const NOTHING = 'nothing'

function isNothing(value: unknown): boolean {
  return value === undefined || ['null', '""', '[]', '{}'].includes(JSON.stringify(value))
}

/** What is asked for, and what the engine then has under which name. */
const TABLE: readonly (readonly [asked: object, path: string, expected: unknown])[] = [
  [{ command: ['sleep', '9'] }, 'Config.Cmd', ['sleep', '9']],
  [{ command: null }, 'Config.Cmd', ['sh']],
  [{ command: [] }, 'Config.Cmd', ['sh']],
  [{ entrypoint: ['echo', 'x'] }, 'Config.Entrypoint', ['echo', 'x']],
  [{ entrypoint: ['echo', 'x'] }, 'Config.Cmd', ['sh']],
  [{ workdir: '/srv' }, 'Config.WorkingDir', '/srv'],
  [{ tty: true }, 'Config.Tty', true],
  [{ tty: false }, 'Config.Tty', false],
  [{ interactive: true }, 'Config.OpenStdin', true],
  [{ interactive: true, tty: false }, 'Config.StdinOnce', true],
  [{ interactive: true, tty: true }, 'Config.StdinOnce', false],
  [{ interactive: false }, 'Config.OpenStdin', false],
  [{ hostname: 'web1' }, 'Config.Hostname', 'web1'],
  [{ exposed_ports: { '80': {}, '53/udp': {} } }, 'Config.ExposedPorts', { '80/tcp': {}, '53/udp': {} }],
  [{ exposed_ports: { '80': {} } }, 'HostConfig.PortBindings', NOTHING],
  [{}, 'Config.Healthcheck', NOTHING],
  [{ healthcheck: null }, 'Config.Healthcheck', NOTHING],
  [
    { healthcheck: { cmd: 'test -d /', interval: 30, timeout: null } },
    'Config.Healthcheck',
    { Test: ['CMD-SHELL', 'test -d /'], Interval: 30e9 },
  ],
  [
    { healthcheck: { cmd: 'true', interval: 2, timeout: 3, retries: 4 } },
    'Config.Healthcheck',
    { Test: ['CMD-SHELL', 'true'], Interval: 2e9, Timeout: 3e9, Retries: 4 },
  ],
  [{ memory: 64 }, 'HostConfig.Memory', 64 * 1_048_576],
  [{ memory: '64' }, 'HostConfig.MemorySwap', 2 * 64 * 1_048_576],
  [{}, 'HostConfig.Memory', 0],
  [{ cpu: 0.1 }, 'HostConfig.CpuShares', 102],
  [{ cpu: '2' }, 'HostConfig.CpuShares', 2048],
  [{}, 'HostConfig.CpuShares', 0],
  [{ cpu: 2 }, 'HostConfig.CpuQuota', 0],
  [{ cpu: 2 }, 'HostConfig.NanoCpus', 0],
  [{ cpu: 2 }, 'HostConfig.CpusetCpus', NOTHING],
  [{}, 'HostConfig.StorageOpt', NOTHING],
  [{}, 'HostConfig.RestartPolicy.MaximumRetryCount', 0],
  [
    { restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' } },
    'HostConfig.RestartPolicy',
    { Name: 'on-failure', MaximumRetryCount: 2 },
  ],
  ...['no', 'always', 'unless-stopped'].map(
    (Name) => [{ restart_policy: { Name } }, 'HostConfig.RestartPolicy', { Name, MaximumRetryCount: 0 }] as const,
  ),
  [{ auto_remove: true }, 'HostConfig.AutoRemove', true],
  [{}, 'HostConfig.AutoRemove', false],
  [{}, 'HostConfig.Privileged', false],
  [{}, 'HostConfig.Runtime', 'runc'],
  [{}, 'HostConfig.LogConfig', { Type: 'json-file', Config: { 'max-file': '3', 'max-size': '10m' } }],
  [{}, 'HostConfig.SecurityOpt', ['no-new-privileges']],
  [{}, 'HostConfig.PidsLimit', 300],
  [{}, 'HostConfig.CapAdd', NOTHING],
  [{}, 'HostConfig.CapDrop', NOTHING],
  [{}, 'HostConfig.Devices', NOTHING],
  [{}, 'HostConfig.Ulimits', NOTHING],
  [{}, 'HostConfig.UsernsMode', NOTHING],
  [{}, 'HostConfig.ReadonlyRootfs', false],
  [{}, 'HostConfig.PidMode', NOTHING],
  [{}, 'HostConfig.IpcMode', 'private'],
  [{}, 'HostConfig.Dns', NOTHING],
]

test('each field of a create is what the engine has', async () => {
  for (const asked of new Set(TABLE.map(([body]) => JSON.stringify(body)))) {
    const made = await make(JSON.parse(asked) as object)
    const fields = await inspected(made)
    for (const [body, path, expected] of TABLE) {
      if (JSON.stringify(body) !== asked) continue
      const found = at(fields, path)
      if (expected === NOTHING) assert.ok(isNothing(found), `${path} of ${asked}: ${JSON.stringify(found)}`)
      else assert.deepEqual(found, expected, `${path} of ${asked}`)
    }
    await client.delete(made.uuid, '')
  }
})

test('the engine knows a container by its uuid, with the environment and the labels that were asked for and no others', async () => {
  const labels = { role: 'web', rank: '1' }
  const made = await make({ name: 'of-the-user', environment: { A: 'b=c', B: '' }, labels })
  const fields = await inspected(made)
  assert.equal(fields['Name'], `/zun-${made.uuid}`)
  assert.deepEqual(made['labels'], labels)
  const image = await zund.engine.api<Fields>('GET', '/images/busybox/json')
  assert.deepEqual([fields['Image'], at(fields, 'Config.Image')], [image['Id'], image['Id']])
  const ofImage = (at(image, 'Config.Env') ?? []) as string[]
  const environment = (at(fields, 'Config.Env') as string[]).filter((one) => !ofImage.includes(one))
  // Engines add a PATH where the image has none.
  assert.deepEqual(
    environment.filter((one) => !one.startsWith('PATH=')),
    ['A=b=c', 'B='],
  )
  const labelled = at(fields, 'Config.Labels') as Fields
  const asked = Object.entries(labelled).filter(([label]) => !label.startsWith('org.openstack.zund.'))
  assert.deepEqual(Object.fromEntries(asked), labels)
  await client.delete(made.uuid, '')
})

test('hostname, ports, runtime, command and entrypoint that were not asked for are those of the engine', async () => {
  const admin = await zund.client('zund-admin')
  const made = await make({ exposed_ports: { '443': {}, '53/udp': {} } })
  const fields = await inspected(made)
  const shown = await admin.show(made.uuid)
  assert.equal(shown['hostname'], String(fields['Id']).slice(0, 12))
  assert.deepEqual(shown['ports'], [53, 443])
  assert.equal(shown['runtime'], 'runc')
  assert.deepEqual([shown['command'], shown['entrypoint']], [['sh'], []])
  assert.equal(shown['image'], 'busybox')
  await client.delete(made.uuid, '')
})

test('the first network is that of the request, with its addresses; the others follow', async () => {
  const made: string[] = []
  for (const name of ['one', 'two']) {
    const { uuid } = await client.expect<{ uuid: string }>(201, 'POST', '/v1/local/networks', { body: { name } })
    made.push(uuid)
  }
  const [one = '', two = ''] = made
  const container = await client.run({ nets: [{ network: 'two' }, { network: 'one' }] })
  const fields = await inspected(container)
  assert.equal(at(fields, 'HostConfig.NetworkMode'), two)
  const networks = at(fields, 'NetworkSettings.Networks') as Record<string, Fields>
  assert.deepEqual(Object.keys(networks).toSorted(), [one, two].toSorted())
  for (const [network, addresses] of Object.entries(container.addresses)) {
    const endpoint = networks[network] ?? {}
    assert.deepEqual(
      [endpoint['IPAddress'], endpoint['GlobalIPv6Address']],
      addresses.map(({ addr }) => addr),
    )
  }
  // Detached, it is on the other one only; attached again, on both.
  await client.expect(202, 'POST', `/v1/containers/${container.uuid}/network_detach?network=two`)
  const less = await client.waitFor(container.uuid, (c) => c.task_state === null && !(two in c.addresses))
  assert.deepEqual(Object.keys(at(await inspected(less), 'NetworkSettings.Networks') as Fields), [one])
  await client.expect(200, 'POST', `/v1/containers/${container.uuid}/network_attach?network=two`)
  const again = await until('it is on the network', async () => {
    const now = at(await inspected(container), 'NetworkSettings.Networks') as Record<string, Fields>
    return now[two]?.['IPAddress']
  })
  assert.equal(again, (await client.show(container.uuid)).addresses[two]?.[0]?.addr)
  await client.delete(container.uuid)
})

test('volumes and files are bound where they were asked for, and can be written', async () => {
  const source = Buffer.from('injected').toString('base64')
  const container = await client.run({
    command: OBEDIENT,
    mounts: [
      { size: 1, destination: '/data' },
      { type: 'bind', source, destination: '/etc/injected' },
      { type: 'bind', destination: '/etc/empty' },
    ],
  })
  const mounts = at(await inspected(container), 'Mounts') as Fields[]
  assert.deepEqual(
    mounts.map(({ Type, Destination, RW }) => `${String(Type)} ${String(Destination)} ${String(RW)}`).toSorted(),
    ['/data', '/etc/empty', '/etc/injected'].map((path) => `bind ${path} true`),
  )
  const command = ['sh', '-c', 'cat /etc/injected /etc/empty && echo more > /data/file && echo more > /etc/injected']
  const ran = await client.expect<Fields>(200, 'POST', `/v1/containers/${container.uuid}/execute`, {
    body: { command },
  })
  assert.deepEqual([ran['output'], ran['exit_code']], ['injected', 0])
  await client.delete(container.uuid)
})
