/** docker-mapping 3: what each action asks of the engine, to the query and the body; seen by a front before it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { EngineNotFound } from '../../src/domain/errors.ts'
import { aCreateRequest } from '../support/builders.ts'
import { DEPLOYMENT, dockerEngine, testEngineSocket } from '../support/docker-harness.ts'
import { EngineFront, type SeenRequest } from '../support/engine-front.ts'
import { soon } from '../support/engine-harness.ts'

const front = new EngineFront(testEngineSocket())
let engine: DockerEngine
const { containerUuid: uuid, ...request } = aCreateRequest({ interactive: true })
before(async () => {
  await front.open()
  engine = dockerEngine(front.socketPath)
  await engine.create({ containerUuid: uuid, ...request }, soon())
})
after(async () => {
  await engine.remove(uuid, true, soon())
  engine.close()
  await front.close()
})

/** What of a request of this path was asked: query and body. */
function asked(method: string, path: string): { query: Record<string, string>; body: unknown } {
  const found = front.seen.findLast((seen: SeenRequest) => seen.method === method && seen.path === path)
  assert.ok(found, `${method} ${path} was not asked`)
  return { query: Object.fromEntries(found.query), body: found.body }
}

const logs = { stdout: true, stderr: false, timestamps: true, tail: 5, since: 7, maxBytes: 10 }
const ours = `/containers/zun-${uuid}`

/** In an order in which each is possible; the last ones end it. */
const CALLS: readonly (readonly [
  action: string,
  call: () => Promise<unknown>,
  line: string,
  query: Readonly<Record<string, string>>,
  body?: unknown,
])[] = [
  ['start', () => engine.start(uuid, soon()), `POST ${ours}/start`, {}],
  ['pause', () => engine.pause(uuid, soon()), `POST ${ours}/pause`, {}],
  ['unpause', () => engine.unpause(uuid, soon()), `POST ${ours}/unpause`, {}],
  ['show', () => engine.inspect(uuid, soon()), `GET ${ours}/json`, {}],
  [
    'list',
    () => engine.list(soon()),
    'GET /containers/json',
    {
      all: '1',
      filters: `{"label":["org.openstack.zund.container","org.openstack.zund.deployment=${DEPLOYMENT}"]}`,
    },
  ],
  [
    'logs',
    () => engine.logs(uuid, logs, soon()),
    `GET ${ours}/logs`,
    { stdout: 'true', stderr: 'false', timestamps: 'true', tail: '5', since: '7' },
  ],
  [
    'logs from the beginning',
    () => engine.logs(uuid, { ...logs, tail: null, since: null }, soon()),
    `GET ${ours}/logs`,
    { stdout: 'true', stderr: 'false', timestamps: 'true', tail: 'all' },
  ],
  ['top', () => engine.top(uuid, '-o pid', soon()), `GET ${ours}/top`, { ps_args: '-o pid' }],
  ['top without arguments', () => engine.top(uuid, null, soon()), `GET ${ours}/top`, {}],
  ['stats', () => engine.stats(uuid, soon()), `GET ${ours}/stats`, { stream: 'false' }],
  [
    'update of both',
    () => engine.update(uuid, { cpu: 0.5, memoryMiB: 32 }, soon()),
    `POST ${ours}/update`,
    {},
    { CpuShares: 512, Memory: 32 * 1_048_576, MemorySwap: -1 },
  ],
  ['update of cpu', () => engine.update(uuid, { cpu: 0.1 }, soon()), `POST ${ours}/update`, {}, { CpuShares: 102 }],
  [
    'exec',
    () => engine.createExec(uuid, { command: ['true', 'a b'], interactive: false }, soon()),
    `POST ${ours}/exec`,
    {},
    { Cmd: ['true', 'a b'], AttachStdin: false, AttachStdout: true, AttachStderr: true, Tty: false },
  ],
  [
    'interactive exec',
    () => engine.createExec(uuid, { command: ['true'], interactive: true }, soon()),
    `POST ${ours}/exec`,
    {},
    { Cmd: ['true'], AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true },
  ],
  ['kill', () => engine.kill(uuid, null, soon()), `POST ${ours}/kill`, {}],
  ['reboot', () => engine.restart(uuid, null, soon()), `POST ${ours}/restart`, {}],
  ['reboot with a time', () => engine.restart(uuid, 0, soon()), `POST ${ours}/restart`, { t: '0' }],
  ['kill with a signal', () => engine.kill(uuid, 'SIGWINCH', soon()), `POST ${ours}/kill`, { signal: 'SIGWINCH' }],
  ['stop with a time', () => engine.stop(uuid, 1, soon()), `POST ${ours}/stop`, { t: '1' }],
  ['stop', () => engine.stop(uuid, null, soon()), `POST ${ours}/stop`, {}],
  ['delete', () => engine.remove(uuid, false, soon()), `DELETE ${ours}`, { force: '0', v: '1' }],
  ['delete by force', () => engine.remove(uuid, true, soon()), `DELETE ${ours}`, { force: '1', v: '1' }],
]

test('a create carries what this engine may not be able to do: disk, cores, privileges', async () => {
  front.manners = { answers: ({ path }) => (path === '/containers/create' ? { Id: 'e'.repeat(64) } : undefined) }
  const wanted = { diskGiB: 3, cpuset: { cpus: [2, 5], mems: [0] }, privileged: true, runtime: 'kata' }
  await engine.create(aCreateRequest(wanted), soon())
  const { HostConfig: config } = asked('POST', '/containers/create').body as { HostConfig: Record<string, unknown> }
  const expected = { StorageOpt: { size: '3G' }, CpusetCpus: '2,5', CpusetMems: '0', Privileged: true, Runtime: 'kata' }
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, config[key]])), expected)
  front.manners = {}
})

test('with default_memory_swap a new memory limit has that of both', async () => {
  const other = dockerEngine(front.socketPath, { memorySwapMiB: 96 })
  await other.update(uuid, { memoryMiB: 64 }, soon())
  assert.deepEqual(asked('POST', `${ours}/update`).body, { Memory: 64 * 1_048_576, MemorySwap: 96 * 1_048_576 })
  other.close()
})

test('an interactive exec is started with its terminal, another one without', async () => {
  const other = aCreateRequest()
  await engine.create(other, soon())
  await engine.start(other.containerUuid, soon())
  for (const interactive of [true, false]) {
    const id = await engine.createExec(other.containerUuid, { command: ['true'], interactive }, soon())
    assert.equal((await engine.runExec(id, 100, soon())).exitCode, 0)
    assert.deepEqual(asked('POST', `/exec/${id}/start`), { query: {}, body: { Detach: false, Tty: interactive } })
    assert.deepEqual(asked('GET', `/exec/${id}/json`), { query: {}, body: undefined })
  }
  await engine.remove(other.containerUuid, true, soon())
})

test('a commit names container, repository and tag, and has the container paused for it', async () => {
  front.manners = { answers: ({ path }) => (path === '/commit' ? { Id: 'sha256:1' } : undefined) }
  await engine.commit(uuid, 'zund.test/snap', 'v1', soon())
  const query = { container: `zun-${uuid}`, repo: 'zund.test/snap', tag: 'v1', pause: 'true' }
  assert.deepEqual(asked('POST', '/commit').query, query)
  front.manners = {}
})

test('a pull says who asks, or that nobody does: never whom the engine itself knows', async () => {
  front.manners = { answers: ({ path }) => (path === '/images/create' ? { status: 'done' } : undefined) }
  const pull = async (auth: Parameters<DockerEngine['pullImage']>[1]): Promise<unknown> => {
    await engine.pullImage('registry.test/app:1', auth, () => undefined, soon())
    const { headers } = front.seen.at(-1) ?? assert.fail()
    return JSON.parse(Buffer.from(String(headers['x-registry-auth']), 'base64url').toString())
  }
  assert.deepEqual(await pull(null), {})
  const auth = { username: 'ann', password: 'secret', serverAddress: 'registry.test' }
  assert.deepEqual(await pull(auth), { username: 'ann', password: 'secret', serveraddress: 'registry.test' })
  assert.deepEqual(asked('POST', '/images/create').query, { fromImage: 'registry.test/app:1' })
  front.manners = {}
})

test('a pull whose answer says 200 and then tells of an error has failed', async () => {
  const error = 'manifest unknown'
  front.manners = {
    answers: ({ path }) => (path === '/images/create' ? { error, errorDetail: { message: error } } : undefined),
  }
  await assert.rejects(
    engine.pullImage('registry.test/app:1', null, () => undefined, soon()),
    EngineNotFound,
  )
  front.manners = {}
})

test('each action is one call of the engine, with these parameters and no others', async () => {
  for (const [action, call, line, query, body] of CALLS) {
    await call()
    const [method = '', path = ''] = line.split(' ')
    assert.deepEqual(asked(method, path), { query, body }, action)
  }
})
