import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { StreamDialer } from '../../src/app/ports/stream-dialer.ts'
import type { StreamDeps } from '../../src/app/streams/follow.ts'
import { OpenStreams } from '../../src/app/streams/open-streams.ts'
import type { ContainerStatus } from '../../src/domain/container/types.ts'
import {
  EngineConflict,
  EngineNotFound,
  EngineRefused,
  EngineUnavailable,
  EngineFailed,
} from '../../src/domain/errors.ts'
import { liveRoutes } from '../../src/edge/api/v1/containers/live-routes.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { apiOn, appOptions, ask, LiveStore } from '../support/live-api.ts'
import { ScriptedGateway } from '../support/scripted-gateway.ts'
import { quietLog } from '../support/quiet-log.ts'

const live = new LiveStore()
let gateway = new ScriptedGateway()
let app: FastifyInstance
let hasty: FastifyInstance
let uuid = ''

/** Routes of the present gateway, looked up at each call, so that a test can replace it. */
const forwarding = new Proxy({} as ScriptedGateway, {
  get: (_target, name) => {
    const member: unknown = gateway[name as keyof ScriptedGateway]
    return typeof member === 'function' ? member.bind(gateway) : member
  },
})
/** Streams have tests of their own. */
const noStreams: StreamDialer = {
  attach: () => Promise.reject(new Error('no streams')),
  exec: () => Promise.reject(new Error('no streams')),
  logs: () => Promise.reject(new Error('no streams')),
  stats: () => Promise.reject(new Error('no streams')),
  getArchive: () => Promise.reject(new Error('no streams')),
  putArchive: () => Promise.reject(new Error('no streams')),
}
const deps: StreamDeps = {
  dialer: noStreams,
  streams: new OpenStreams(appOptions.streams),
  store: live.store,
  policy: live.policy,
  gateway: forwarding,
  tickets: live.tickets,
  options: appOptions,
  clock: systemClock,
  log: quietLog,
}

before(async () => {
  app = apiOn(live, liveRoutes(deps))
  hasty = apiOn(live, liveRoutes({ ...deps, options: { ...appOptions, executeTimeoutMs: 30 } }))
  await live.host('h1')
  uuid = (await live.container({ name: 'box' })).uuid
})
after(async () => {
  await app.close()
  await hasty.close()
  await live.close()
})
beforeEach(() => {
  gateway = new ScriptedGateway()
})

const EXEC = 'ab'.repeat(32)

/** Every call, as it succeeds. */
const CALLS: readonly { readonly name: string; readonly line: (ident: string) => string; readonly body?: object }[] = [
  { name: 'logs', line: (c) => `GET /v1/containers/${c}/logs` },
  { name: 'top', line: (c) => `GET /v1/containers/${c}/top` },
  { name: 'stats', line: (c) => `GET /v1/containers/${c}/stats` },
  { name: 'execute', line: (c) => `POST /v1/containers/${c}/execute?command=ls` },
  { name: 'execute_resize', line: (c) => `POST /v1/containers/${c}/execute_resize?exec_id=${EXEC}&h=1&w=1` },
  { name: 'attach', line: (c) => `GET /v1/containers/${c}/attach` },
  { name: 'resize', line: (c) => `POST /v1/containers/${c}/resize?h=1&w=1` },
  { name: 'get_archive', line: (c) => `GET /v1/containers/${c}/get_archive?path=/x` },
  { name: 'put_archive', line: (c) => `POST /v1/containers/${c}/put_archive?path=/x`, body: { data: 'YQ==' } },
]

test('every call works by uuid, by name, and with the doubled slash of old test suites', async () => {
  for (const { name, line, body } of CALLS) {
    for (const ident of [uuid, 'box', `/${uuid}`]) {
      const answer = await ask(app, line(ident), { body })
      assert.equal(answer.status, 200, `${name} ${ident}: ${answer.title}`)
    }
  }
})

test("another project's container is not there, for an admin it is", async () => {
  for (const { name, line, body } of CALLS) {
    const strange = await ask(app, line(uuid), { as: 'bob', body })
    assert.deepEqual([strange.status, strange.code], [404, 'container-not-found'], name)
    assert.equal((await ask(app, line(uuid), { as: 'admin', body })).status, 200, name)
  }
})

test('each call is refused in the states the table forbids, with the name of the call', async () => {
  const settled: readonly ContainerStatus[] = ['Created', 'Running', 'Stopped', 'Paused']
  const allowed: Readonly<Record<string, readonly ContainerStatus[]>> = {
    logs: [...settled, 'Error', 'Unknown'],
    get_archive: settled,
    put_archive: settled,
  }
  const all: readonly ContainerStatus[] = [
    ...settled,
    'Creating',
    'Restarting',
    'Rebuilding',
    'Deleting',
    'Deleted',
    'Error',
    'Dead',
    'Unknown',
  ]
  for (const status of all) {
    const container = await live.container({ status })
    for (const { name, line, body } of CALLS) {
      const answer = await ask(app, line(container.uuid), { body })
      const works = (allowed[name] ?? ['Running']).includes(status)
      assert.equal(answer.status, works ? 200 : 409, `${name} in ${status}`)
      if (works) continue
      assert.equal(answer.code, 'invalid-state-exception')
      assert.equal(answer.title, `Cannot ${name} container ${container.uuid} in ${status} state`)
    }
  }
})

test('a container that the engine never had is a 400, one whose host is away a 503', async () => {
  await live.host('away')
  await live.store.write((tx) => tx.hosts.setForcedDown('away', true))
  const unmade = await live.container({ made: false })
  const homeless = await live.container({ host: null, made: false })
  const lost = await live.container({ host: 'away' })
  const nowhere = await live.container({ host: 'removed' })
  for (const { name, line, body } of CALLS) {
    for (const { uuid: ident } of [unmade, homeless]) {
      const answer = await ask(app, line(ident), { body })
      assert.deepEqual([answer.status, answer.code], [400, 'invalid'], name)
    }
    for (const { uuid: ident } of [lost, nowhere]) {
      const answer = await ask(app, line(ident), { body })
      assert.equal(answer.status, 503, name)
      assert.equal(answer.title, `The host of container ${ident} is down.`)
    }
  }
})

test('parameters that are missing or wrong are a 400 that names them', async () => {
  const rows: readonly [string, string, object?][] = [
    ['GET logs?stdout=maybe', 'stdout'],
    ['GET logs?stderr=2', 'stderr'],
    ['GET logs?timestamps=x', 'timestamps'],
    ['GET logs?since=yesterday', 'since'],
    ['GET logs?since=2024-02-31+00:00:00,0', 'since'],
    ['GET logs?since=99999999999999', 'since'],
    ['GET logs?since=-1', 'since'],
    ['GET logs?follow=perhaps', 'follow'],
    ['GET logs?tail=1&tail=2', 'tail'],
    ['GET top?bogus=1', 'bogus'],
    ['GET top?ps_args=%00', 'ps_args'],
    ['POST execute', 'command'],
    ['POST execute?command=', 'command'],
    ['POST execute?command=None', 'command'],
    ['POST execute?command=%20%20', 'command'],
    ['POST execute?command=%22open', 'command'],
    ['POST execute', 'command', { command: 5 }],
    ['POST execute', 'command', { command: [] }],
    ['POST execute', 'command', { command: ['ls', 5] }],
    ['POST execute', 'command', { command: ['a\0b'] }],
    ['POST execute', 'command', { command: ['x'.repeat(140_000)] }],
    ['POST execute', 'command', { command: 'x'.repeat(300_000) }],
    ['POST execute?command=ls&run=yes', 'run'],
    ['POST execute?command=ls&interactive=1', 'interactive'],
    ['POST execute_resize?h=1&w=1', 'exec_id'],
    ['POST execute_resize?exec_id=abc&h=1&w=1', 'exec_id'],
    [`POST execute_resize?exec_id=${EXEC.toUpperCase()}&h=1&w=1`, 'exec_id'],
    [`POST execute_resize?exec_id=${EXEC}&w=1`, "'h'"],
    [`POST execute_resize?exec_id=${EXEC}&h=1`, "'w'"],
    [`POST execute_resize?exec_id=${EXEC}&h=1&w=1&x=1`, 'x'],
    ['POST resize', "'h'"],
    ['POST resize?h=1', "'w'"],
    ['POST resize?h=0&w=1', "'h'"],
    ['POST resize?h=1&w=-1', "'w'"],
    ['POST resize?h=1.5&w=1', "'h'"],
    ['POST resize?h=70000&w=1', "'h'"],
    ['POST resize', "'h'", { h: true, w: 1 }],
    ['GET get_archive', 'path'],
    ['GET get_archive?path=', 'path'],
    ['GET get_archive?path=a%00b', 'path'],
    ['POST put_archive?path=/x', 'data'],
    ['POST put_archive', 'path', { data: 'YQ==' }],
    ['POST put_archive?path=/x', 'data', { data: 5 }],
    ['POST put_archive?path=/x', 'data', { data: null }],
    ['POST put_archive?path=/x', 'data', { data: 'not base64!' }],
    ['POST put_archive?path=/x', 'data', { data: 'YQ=' }],
    ['POST put_archive?path=/x', 'data', { data: 'Y===' }],
    ['POST put_archive?path=/x', 'data', { data: '=AAA' }],
  ]
  for (const [line, names, body] of rows) {
    const [method, action] = line.split(' ')
    const answer = await ask(app, `${method} /v1/containers/${uuid}/${action}`, { body })
    assert.equal(answer.status, 400, line)
    assert.ok(answer.title.includes(names), `${line}: ${answer.title}`)
  }
  assert.deepEqual(gateway.asked, [], 'nothing of it reached the host')
})

test('only the right method is there', async () => {
  for (const line of ['POST logs', 'GET execute', 'GET resize', 'POST attach']) {
    const [method, action] = line.split(' ')
    assert.equal((await ask(app, `${method} /v1/containers/${uuid}/${action}`)).status, 404, line)
  }
  assert.equal((await ask(app, `PUT /v1/containers/${uuid}/logs`)).status, 405)
})

test('logs are one string, with everything asked for as the host understands it', async () => {
  const base = { stdout: true, stderr: true, timestamps: false, tail: null, since: null, maxBytes: 100_000 }
  const rows: readonly [string, object][] = [
    ['', {}],
    ['?stdout=True&stderr=True&timestamps=False&tail=all&since=None', {}],
    ['?stdout=no', { stdout: false }],
    ['?stderr=OFF&timestamps=yes', { stderr: false, timestamps: true }],
    ['?stdout=false&stderr=false', {}],
    ['?tail=5', { tail: 5 }],
    ['?tail=0', { tail: 0 }],
    ['?tail=-5', {}],
    ['?tail=some', {}],
    ['?since=', {}],
    ['?since=0', {}],
    ['?since=1700000000', { since: 1_700_000_000 }],
    ['?since=2023-11-14%2022:13:20,5', { since: 1_700_000_000.5 }],
    ['?since=at+2023-11-14+22:13:20,012+sharp', { since: 1_700_000_000.012 }],
  ]
  for (const [query, expected] of rows) {
    gateway.asked.length = 0
    const answer = await ask(app, `GET /v1/containers/${uuid}/logs${query}`)
    assert.equal(answer.body, 'hello\n', query)
    assert.deepEqual(gateway.asked[0]?.args[1], { ...base, ...expected }, query)
  }
})

test('an empty log is an empty string, and bytes that are not UTF-8 are replaced', async () => {
  gateway.log = Buffer.alloc(0)
  assert.equal((await ask(app, `GET /v1/containers/${uuid}/logs`)).body, '')
  gateway.log = Buffer.from([0x61, 0xff, 0xc3, 0xa9])
  assert.equal((await ask(app, `GET /v1/containers/${uuid}/logs`)).body, 'a\ufffd\u00e9')
})

test("top gives titles and processes; arguments that ps refuses are the user's fault", async () => {
  const line = `GET /v1/containers/${uuid}/top`
  assert.deepEqual((await ask(app, `${line}?ps_args=None`)).body, { Titles: ['PID', 'CMD'], Processes: [['1', 'sh']] })
  assert.deepEqual(gateway.asked[0]?.args[1], null)
  gateway.failure = new EngineFailed('ps: error: unknown gnu long option')
  const refused = await ask(app, `${line}?ps_args=--bogus`)
  assert.deepEqual([refused.status, refused.code], [400, 'invalid'])
  assert.match(refused.title, /ps_args.*--bogus.*unknown gnu long option/)
  assert.equal((await ask(app, line)).status, 500, 'without arguments it is the machine that failed')
})

test('stats have exactly the keys that clients print, with the processor time between two samples', async () => {
  assert.deepEqual((await ask(app, `GET /v1/containers/${uuid}/stats`)).body, {
    CONTAINER: 'box',
    'CPU %': 40,
    'MEM USAGE(MiB)': 1,
    'MEM LIMIT(MiB)': 4,
    'MEM %': 25,
    'BLOCK I/O(B)': '10/20',
    'NET I/O(B)': '30/40',
  })
})

test('a command comes as a line or a list, in query or body, and reaches the host as words', async () => {
  const rows: readonly [string, object | undefined, string[]][] = [
    ['?command=%22ls%22+%22-l%22', undefined, ['ls', '-l']],
    ['', { command: 'echo hello' }, ['echo', 'hello']],
    ['', { command: ['sh', '-c', 'echo $HOME; id'] }, ['sh', '-c', 'echo $HOME; id']],
    ['', { command: 'sh -c "echo $HOME; id"' }, ['sh', '-c', 'echo $HOME; id']],
    ['?command=from+query', { command: 'from body' }, ['from', 'query']],
    ['?command=ls&run=True&interactive=False', undefined, ['ls']],
  ]
  for (const [query, body, command] of rows) {
    gateway.asked.length = 0
    const answer = await ask(app, `POST /v1/containers/${uuid}/execute${query}`, { body })
    assert.deepEqual(answer.body, { output: 'hello\n', exit_code: 0, exec_id: null, proxy_url: null }, query)
    const request = gateway.asked[0]?.args[1]
    assert.deepEqual(request, { command, interactive: false, timeoutMs: 5_000, maxBytes: 100_000 })
  }
})

test('a command that fails is a 200 with its exit code, one that says too much is cut and says so', async () => {
  gateway.execOutput = { output: Buffer.from('no'), exitCode: 127, truncated: true }
  const { status, body } = await ask(app, `POST /v1/containers/${uuid}/execute?command=x`)
  assert.equal(status, 200)
  const { output, exit_code } = body as { output: string; exit_code: number }
  assert.equal(exit_code, 127)
  assert.match(output, /^no\n.*cut here/)
})

test('a command that does not end in time is a 409', async () => {
  gateway.execHangs = true
  const answer = await ask(hasty, `POST /v1/containers/${uuid}/execute?command=x`)
  assert.deepEqual([answer.status, answer.code], [409, 'conflict'])
  assert.match(answer.title, /did not end within 0\.03 s/)
})

test('run=false only prepares the command and gives a URL whose ticket opens that exec alone', async () => {
  const answer = await ask(app, `POST /v1/containers/${uuid}/execute`, {
    body: { command: 'sh', run: false, interactive: true },
  })
  const { exec_id, proxy_url, ...rest } = answer.body as { exec_id: string; proxy_url: string }
  assert.deepEqual(rest, { output: null, exit_code: null })
  assert.equal(exec_id, EXEC)
  const url = new URL(proxy_url)
  assert.ok(proxy_url.startsWith('ws://127.0.0.1:6784/?token='))
  assert.deepEqual([url.searchParams.get('uuid'), url.searchParams.get('exec_id')], [uuid, EXEC])
  assert.deepEqual(gateway.asked, [{ call: 'createExec', args: [uuid, { command: ['sh'], interactive: true }] }])
  const token = url.searchParams.get('token') ?? ''
  assert.equal(await live.tickets.take(token, uuid, { verb: 'attach' }), undefined)
  assert.ok(await live.tickets.take(token, uuid, { verb: 'exec', execId: EXEC }))
})

test('attach answers a URL as a JSON string; each new one makes the former useless', async () => {
  const line = `GET /v1/containers/${uuid}/attach`
  const first = String((await ask(app, line)).body)
  const second = String((await ask(app, line)).body)
  assert.match(first, new RegExp(`^ws://127\\.0\\.0\\.1:6784/\\?token=[A-Za-z0-9_-]{43}&uuid=${uuid}$`))
  assert.notEqual(first, second)
  const tokenOf = (url: string): string => new URL(url).searchParams.get('token') ?? ''
  assert.equal(await live.tickets.take(tokenOf(first), uuid, { verb: 'attach' }), undefined)
  assert.equal((await live.tickets.take(tokenOf(second), uuid, { verb: 'attach' }))?.userId, 'alice')
})

test('one that does not run can be attached to before its start, with or without an input, by a ticket for just that', async () => {
  const created = await live.container({ status: 'Created', interactive: false })
  const line = `GET /v1/containers/${created.uuid}/attach`
  assert.equal((await ask(app, line)).status, 409)
  const answer = await ask(app, `${line}?before_start=true`)
  assert.equal(answer.status, 200)
  assert.match(String(answer.body), /&before_start=true$/)
  const token = new URL(String(answer.body)).searchParams.get('token') ?? ''
  assert.equal(await live.tickets.take(token, created.uuid, { verb: 'attach' }), undefined)
  assert.equal((await live.tickets.take(token, created.uuid, { verb: 'before-start' }))?.userId, 'alice')
  const paused = await live.container({ status: 'Paused' })
  assert.equal((await ask(app, `GET /v1/containers/${paused.uuid}/attach?before_start=true`)).status, 409)
  assert.equal((await ask(app, `${line}?before_start=maybe`)).status, 400)
})

test('a container without the interactive flag cannot be attached to, which is said after the state', async () => {
  const silent = await live.container({ interactive: false })
  const answer = await ask(app, `GET /v1/containers/${silent.uuid}/attach`)
  assert.deepEqual([answer.status, answer.code], [400, 'no-interactive-flag'])
  const stopped = await live.container({ interactive: false, status: 'Stopped' })
  assert.equal((await ask(app, `GET /v1/containers/${stopped.uuid}/attach`)).status, 409)
})

test('a terminal takes its size from query or body', async () => {
  assert.equal((await ask(app, `POST /v1/containers/${uuid}/resize?h=24&w=80`)).body, null)
  assert.equal((await ask(app, `POST /v1/containers/${uuid}/resize`, { body: { h: 24, w: '80' } })).body, null)
  await ask(app, `POST /v1/containers/${uuid}/execute_resize?exec_id=${EXEC}&h=24&w=80`)
  const size = { rows: 24, columns: 80 }
  assert.deepEqual(gateway.asked, [
    { call: 'resizeTty', args: [uuid, size] },
    { call: 'resizeTty', args: [uuid, size] },
    { call: 'resizeExec', args: [uuid, EXEC, size] },
  ])
})

test('whatever the engine has against a size is a 400, which the terminal client swallows', async () => {
  const failures = [
    new EngineNotFound('No such container'),
    new EngineConflict('is not running'),
    new EngineRefused('bad'),
    new EngineFailed('process not found'),
  ]
  for (const failure of failures) {
    gateway.failure = failure
    for (const action of ['resize?h=1&w=1', `execute_resize?exec_id=${EXEC}&h=1&w=1`]) {
      const answer = await ask(app, `POST /v1/containers/${uuid}/${action}`)
      assert.deepEqual([answer.status, answer.code], [400, 'invalid'], `${failure.name} ${action}`)
    }
  }
})

test('a size that comes just before the exec has started waits for it', async () => {
  gateway.failure = new EngineNotFound('exec does not run')
  gateway.failuresLeft = 3
  const answer = await ask(app, `POST /v1/containers/${uuid}/execute_resize?exec_id=${EXEC}&h=1&w=1`)
  assert.deepEqual([answer.status, gateway.asked.length], [200, 4])
})

test('archives are base64 from 1.25 on and text before, both ways', async () => {
  gateway.tar = Buffer.from([0x68, 0xc3, 0xa9, 0x00])
  const stat = { name: 'f', size: 3, mode: 420, mtime: '2024-01-01T00:00:00Z', linkTarget: '' }
  const line = `GET /v1/containers/${uuid}/get_archive?path=/x`
  assert.deepEqual((await ask(app, line)).body, { data: 'aMOpAA==', stat })
  assert.deepEqual((await ask(app, line, { minor: 24 })).body, { data: 'h\u00e9\0', stat })
  const put = `POST /v1/containers/${uuid}/put_archive?path=/x`
  for (const [minor, data] of [
    [40, 'aMOp\nAA=='],
    [25, 'aMOpAA=='],
    [24, 'h\u00e9\0'],
  ] as const) {
    const answer = await ask(app, put, { minor, body: { data } })
    assert.deepEqual([answer.status, answer.body], [200, null])
    assert.deepEqual(gateway.asked.at(-1)?.args, [uuid, '/x', gateway.tar])
  }
  const bad = await ask(app, put, { body: { data: '*' } })
  assert.deepEqual([bad.status, bad.code], [400, 'base64-exception'])
})

test('an archive that is too large is a 413 that names the limit, whichever way it goes', async () => {
  gateway.tar = Buffer.alloc(10_001)
  const out = await ask(app, `GET /v1/containers/${uuid}/get_archive?path=/x`)
  assert.equal(out.status, 413)
  assert.match(out.title, /10000/)
  const put = `POST /v1/containers/${uuid}/put_archive?path=/x`
  const into = await ask(app, put, { body: { data: Buffer.alloc(10_001).toString('base64') } })
  assert.equal(into.status, 413)
  assert.match(into.title, /10001 bytes.*10000/)
  assert.equal((await ask(app, put, { body: { data: Buffer.alloc(10_000).toString('base64') } })).status, 200)
  for (const length of [100_000, 2_000_000]) {
    const huge = await ask(app, put, { body: { data: 'A'.repeat(length) } })
    assert.equal(huge.status, 413)
    assert.match(huge.title, /more than \d+ bytes/)
  }
})

test('a path or archive that the engine cannot use is a 400 that names no directory of the host', async () => {
  const rows: readonly [unknown, RegExp][] = [
    [new EngineNotFound('Could not find the file /x in container zun-1'), /Could not find the file \/x/],
    [new EngineRefused('not a directory'), /not a directory/],
    [new EngineFailed('lstat /var/lib/docker/secret/x: file name too long'), /: file name too long\.$/],
  ]
  for (const [failure, text] of rows) {
    gateway.failure = failure
    for (const { line, body } of CALLS.filter(({ name }) => name.endsWith('archive'))) {
      const answer = await ask(app, line(uuid), { body })
      assert.deepEqual([answer.status, answer.code], [400, 'invalid'])
      assert.match(answer.title, text)
      assert.doesNotMatch(JSON.stringify(answer.body), /secret/)
    }
  }
})

test('other errors of the engine have the status the contract gives them', async () => {
  const rows: readonly [unknown, number, string][] = [
    [new EngineNotFound('No such container'), 409, 'conflict'],
    [new EngineConflict('Container is not running'), 409, 'conflict'],
    [new EngineUnavailable('no answer'), 503, 'service-unavailable'],
    [new EngineFailed('boom'), 500, ''],
  ]
  for (const [failure, status, code] of rows) {
    gateway.failure = failure
    for (const { name, line } of CALLS.filter((c) => ['logs', 'top', 'stats', 'execute'].includes(c.name))) {
      const answer = await ask(app, line(uuid))
      assert.deepEqual([answer.status, answer.code], [status, code], name)
    }
  }
})
