/** docker-mapping 3: what each action asks of the engine, to the query and the body; seen by a front before it. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
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

/** In an order in which each is possible. */
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

test('each action is one call of the engine, with these parameters and no others', async () => {
  for (const [action, call, line, query, body] of CALLS) {
    await call()
    const [method = '', path = ''] = line.split(' ')
    assert.deepEqual(asked(method, path), { query, body }, action)
  }
})
