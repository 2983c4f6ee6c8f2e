/** Streams of containers through a real service on a real engine. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pack } from 'tar-stream'
import { WebSocket } from 'ws'
import { OutputFrames } from '../../src/lib/output-frames.ts'
import type { ApiClient } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import { SocketRelay } from '../support/socket-relay.ts'
import { TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const MIB = 1024 * 1024

let zund: ZundProcess
let relay: SocketRelay
let client: ApiClient
let box = ''

before(async () => {
  relay = await SocketRelay.open(new TestEngine().socketPath)
  zund = await ZundProcess.start({
    engineSocket: relay.socketPath,
    // Where engines of this age turn a log over while it is followed they repeat parts of it.
    conf: '[zund]\nstreams_per_project = 4\nlog_max_size = 1g\n',
  })
  client = await zund.client()
  box = (await client.run({ name: 'box', command: ['sleep', '1000'], nets: [] })).uuid
})
after(() =>
  closeAll(
    () => zund.destroy(),
    () => relay.close(),
  ),
)

test('who attaches before the start misses nothing, not even of a container that is gone when it ends', async () => {
  const one = { image: 'busybox', image_pull_policy: 'never', nets: [], auto_remove: true }
  for (const [tty, expected] of [
    [false, ['out\n', 'err\n', '{"exit_code":3}']],
    [true, ['out\r\nerr\r\n', '', '{"exit_code":3}']],
  ] as const) {
    const made = await client.expect<{ uuid: string }>(202, 'POST', '/v1/containers', {
      body: { ...one, interactive: tty, tty, command: ['sh', '-c', 'echo out; echo err >&2; exit 3'] },
    })
    await client.waitFor(made.uuid, ({ status }) => status === 'Created')
    const path = `/v1/containers/${made.uuid}`
    if (!tty) assert.equal((await client.call('GET', `${path}/attach`)).status, 409)
    const url = await client.expect<string>(200, 'GET', `${path}/attach?before_start=true`)
    const ws = new WebSocket(url, ['v1.zund.stream'])
    const closed = once(ws, 'close')
    const channels = ['', '', '', '']
    ws.on('message', (data: Buffer) => (channels[data[0] ?? 0] += data.subarray(1).toString()))
    await once(ws, 'open')
    await client.expect(202, 'POST', `${path}/start`)
    await closed
    assert.deepEqual(channels.slice(1), expected)
    await client.waitGone(made.uuid)
  }
})

test('a program that was attached to before it started can be talked to', async () => {
  const made = await client.expect<{ uuid: string }>(202, 'POST', '/v1/containers', {
    body: { image: 'busybox', image_pull_policy: 'never', nets: [], interactive: true, tty: false, command: ['cat'] },
  })
  await client.waitFor(made.uuid, ({ status }) => status === 'Created')
  const path = `/v1/containers/${made.uuid}`
  const ws = new WebSocket(await client.expect<string>(200, 'GET', `${path}/attach?before_start=true`), [
    'v1.zund.stream',
  ])
  let [output, end] = ['', '']
  ws.on('message', (data: Buffer) => {
    if (data[0] === 1) output += data.subarray(1).toString()
    if (data[0] === 3) end += data.subarray(1).toString()
  })
  const closed = once(ws, 'close')
  await once(ws, 'open')
  await client.expect(202, 'POST', `${path}/start`)
  ws.send(Buffer.from('\u0000typed\n'))
  await until('it comes back', async () => output === 'typed\n')
  await client.waitFor(made.uuid, ({ status }) => status === 'Running')
  await client.expect(202, 'POST', `${path}/kill`)
  await closed
  assert.equal(end, '{"exit_code":137}')
  await client.waitFor(made.uuid, ({ status }) => status === 'Stopped')
  await client.delete(made.uuid, '')
})

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: AsyncIterable<Buffer>
}

async function open(path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<IncomingMessage> {
  const req = request(`${zund.baseUrl}${path}`, {
    method,
    agent: false,
    headers: { 'x-auth-token': client.token, 'openstack-api-version': 'container 1.40', ...headers },
  })
  const answered = once(req, 'response') as Promise<[IncomingMessage]>
  if (body === undefined) req.end()
  else {
    for await (const chunk of body) {
      if (!req.write(chunk)) await Promise.race([once(req, 'drain'), answered])
    }
    req.end()
  }
  const [response] = await answered
  return response
}

async function textOf(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Of the service, in bytes. */
function rss(): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${zund.pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

test('a followed log comes from its first byte to its last, however slowly it is read, in little memory', async () => {
  const size = 50 * MIB
  const line = 'x'.repeat(1023)
  const { uuid } = await client.run({
    command: ['sh', '-c', `sleep 1; yes ${line} | head -c ${size}; echo; echo the end`],
    nets: [],
  })
  const rssBefore = rss()
  const response = await open(`/v1/containers/${uuid}/logs?follow=true`)
  assert.equal(response.statusCode, 200)
  assert.match(String(response.headers['content-type']), /^text\/plain/)
  let received = 0
  let most = 0
  let pauses = 0
  let last = ''
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.length
    last = (last + chunk.subarray(-16).toString()).slice(-16)
    if (received > pauses * 5 * MIB) {
      pauses += 1
      await sleep(100)
      most = Math.max(most, rss() - rssBefore)
    }
  }
  assert.equal(received, size + 1 + 'the end\n'.length)
  assert.match(last, /the end\n$/)
  assert.ok(most < 96 * MIB, `${Math.round(most / MIB)} MiB were taken for it`)
  await client.delete(uuid)
})

test('with frames both outputs are told apart', async () => {
  const { uuid } = await client.run({ command: ['sh', '-c', 'echo out; echo err >&2; sleep 0.5'], nets: [] })
  const accept = { accept: 'application/vnd.docker.multiplexed-stream' }
  const response = await open(`/v1/containers/${uuid}/logs?follow=true`, { headers: accept })
  assert.equal(response.headers['content-type'], accept.accept)
  const frames = new OutputFrames()
  const seen: Record<number, string> = {}
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (const { stream, payload } of frames.take(chunk)) seen[stream] = (seen[stream] ?? '') + payload.toString()
  }
  assert.deepEqual(seen, { 1: 'out\n', 2: 'err\n' })
  await client.delete(uuid)
})

test('when the client leaves, the connection to the engine is closed, and his place is free', async () => {
  const all = [1, 2, 3, 4].map(() => open(`/v1/containers/${box}/logs?follow=true`))
  const followed = await Promise.all(all)
  const refused = await open(`/v1/containers/${box}/stats?stream=true`)
  assert.equal(refused.statusCode, 429)
  assert.match(await textOf(refused), /At most 4 streams/)
  const ofLogs = relay.asked(`GET /containers/zun-${box}/logs`)
  assert.equal(ofLogs.length, 4)
  assert.deepEqual(
    ofLogs.map(({ isOpen }) => isOpen),
    [true, true, true, true],
  )
  for (const response of followed) response.destroy()
  await until('the four connections to the engine are closed', async () => ofLogs.every(({ isOpen }) => !isOpen))
  await until('there is room again', async () => {
    const again = await open(`/v1/containers/${box}/logs?follow=true`)
    again.destroy()
    return again.statusCode === 200
  })
})

test('a container that is deleted ends its log and its figures in order', async () => {
  const { uuid } = await client.run({ nets: [] })
  const log = await open(`/v1/containers/${uuid}/logs?follow=true`)
  const stats = await open(`/v1/containers/${uuid}/stats?stream=true`)
  assert.equal(stats.headers['content-type'], 'application/x-ndjson')
  const [first] = (await once(stats, 'data')) as [Buffer]
  assert.equal((JSON.parse(first.toString().split('\n')[0] ?? '') as Record<string, number>)['MEM LIMIT(MiB)'], 512)
  const ended = Promise.all([textOf(log), textOf(stats)])
  await client.delete(uuid)
  await ended
  assert.deepEqual([log.complete, stats.complete], [true, true])
})

test('figures end when their container is stopped', async () => {
  const { uuid } = await client.run({ nets: [] })
  const stats = await open(`/v1/containers/${uuid}/stats?stream=true`)
  await once(stats, 'data')
  const ended = textOf(stats)
  await client.expect(202, 'POST', `/v1/containers/${uuid}/stop?timeout=1`)
  await ended
  assert.equal(stats.complete, true)
  await client.delete(uuid)
})

test('an archive of 300 MB goes in and comes out without being held', async () => {
  const size = 300 * 1000 * 1000
  const piece = Buffer.alloc(MIB, 'archive ')
  async function* content(): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, left)
  }
  const sent = createHash('md5')
  const tar = pack()
  const entry = tar.entry({ name: 'big', size })
  const packing = (async () => {
    for await (const chunk of content()) {
      sent.update(chunk)
      if (!entry.write(chunk)) await once(entry, 'drain')
    }
    entry.end(Buffer.alloc(0))
    tar.finalize()
  })()
  const rssBefore = rss()
  let most = 0
  const watch = setInterval(() => (most = Math.max(most, rss() - rssBefore)), 50)
  const put = await open(`/v1/containers/${box}/put_archive?path=/tmp`, {
    method: 'PUT',
    headers: { 'content-type': 'application/x-tar' },
    body: tar as AsyncIterable<Buffer>,
  })
  assert.equal(put.statusCode, 200, await textOf(put))
  await packing
  const { output } = await client.expect<{ output: string }>(200, 'POST', `/v1/containers/${box}/execute`, {
    body: { command: 'md5sum /tmp/big' },
  })
  assert.equal(output.split(' ')[0], sent.digest('hex'))
  const got = await open(`/v1/containers/${box}/get_archive?path=/tmp/big`, {
    headers: { accept: 'application/x-tar' },
  })
  const stat = Buffer.from(String(got.headers['x-docker-container-path-stat']), 'base64').toString()
  assert.equal((JSON.parse(stat) as { size: number }).size, size)
  let received = 0
  for await (const chunk of got as AsyncIterable<Buffer>) received += chunk.length
  clearInterval(watch)
  assert.ok(received > size, `${received} bytes`)
  assert.ok(most < 96 * MIB, `${Math.round(most / MIB)} MiB were taken for it`)
})

test('what is wrong with an archive is said before it is sent, and an upload that breaks off is let go', async () => {
  const headers = { 'content-type': 'application/x-tar', expect: '100-continue' }
  for (const [path, status] of [
    ['/no/such', 400],
    ['', 400],
  ] as const) {
    const answer = await open(`/v1/containers/${box}/put_archive?path=${path}`, { method: 'PUT', headers })
    assert.equal(answer.statusCode, status, await textOf(answer))
  }
  const none = await open(`/v1/containers/${box}/get_archive?path=/no/such`, {
    headers: { accept: 'application/x-tar' },
  })
  assert.equal(none.statusCode, 400, await textOf(none))
  async function* notTar(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(4096, 'no tar')
  }
  const wrong = await open(`/v1/containers/${box}/put_archive?path=/tmp`, {
    method: 'PUT',
    headers: { 'content-type': 'application/x-tar' },
    body: notTar(),
  })
  assert.equal(wrong.statusCode, 400, await textOf(wrong))
  const req = request(`${zund.baseUrl}/v1/containers/${box}/put_archive?path=/tmp`, {
    method: 'PUT',
    headers: { 'x-auth-token': client.token, 'content-type': 'application/x-tar' },
  })
  req.on('error', () => undefined)
  const uploads = relay.asked(`PUT /containers/zun-${box}/archive`).length
  req.write(Buffer.alloc(64 * 1024))
  const broken = await until('it has reached the engine', async () => {
    return relay.asked(`PUT /containers/zun-${box}/archive`)[uploads]
  })
  assert.equal(broken.isOpen, true)
  req.destroy()
  await until('its connection to the engine is closed', async () => !broken.isOpen)
})

test('a command has its outputs, its input and its exit code apart', async () => {
  const { proxy_url } = await client.expect<{ proxy_url: string }>(200, 'POST', `/v1/containers/${box}/execute`, {
    body: { command: ['sh', '-c', 'cat; echo bad >&2; exit 7'], run: false, interactive: true, tty: false },
  })
  const ws = new WebSocket(proxy_url, ['v1.zund.stream'])
  await once(ws, 'open')
  const seen: Record<number, string> = {}
  ws.on('message', (data: Buffer) => {
    seen[data[0] ?? -1] = (seen[data[0] ?? -1] ?? '') + data.subarray(1).toString()
  })
  ws.send(Buffer.from('\0hello'))
  ws.send(Buffer.of(5))
  const [code] = (await once(ws, 'close')) as [number]
  assert.equal(code, 1000)
  assert.deepEqual(seen, { 1: 'hello', 2: 'bad\n', 3: '{"exit_code":7}' })
})

test('a main program that ends tells its exit code, and its terminal takes a size', async () => {
  const { uuid } = await client.run({ command: ['sh'], interactive: true, tty: true, nets: [] })
  const url = await client.expect<string>(200, 'GET', `/v1/containers/${uuid}/attach`)
  const ws = new WebSocket(url, ['v1.zund.stream'])
  await once(ws, 'open')
  const seen: Record<number, string> = {}
  ws.on('message', (data: Buffer) => {
    seen[data[0] ?? -1] = (seen[data[0] ?? -1] ?? '') + data.subarray(1).toString()
  })
  ws.send(Buffer.from('\x04{"width":101,"height":37}'))
  for (;;) {
    ws.send(Buffer.from('\0stty size\n'))
    await sleep(100)
    if (seen[1]?.includes('37 101') === true) break
  }
  ws.send(Buffer.from('\0exit 5\n'))
  await once(ws, 'close')
  assert.equal(seen[3], '{"exit_code":5}')
  await client.delete(uuid)
})

test('the exit code of a program is told also when its container goes with it', async () => {
  const { uuid } = await client.run({
    command: ['sh'],
    interactive: true,
    tty: true,
    auto_remove: true,
    nets: [],
  })
  const ws = new WebSocket(await client.expect<string>(200, 'GET', `/v1/containers/${uuid}/attach`), ['v1.zund.stream'])
  await once(ws, 'open')
  let end = ''
  ws.on('message', (data: Buffer) => {
    if (data[0] === 3) end = data.subarray(1).toString()
  })
  ws.send(Buffer.from('\0exit 9\n'))
  await once(ws, 'close')
  assert.equal(end, '{"exit_code":9}')
})

test('a service that stops ends a followed log in order, and cuts an archive', async () => {
  const command = ['sh', '-c', 'head -c 200000000 /dev/zero > /tmp/zeros']
  await client.expect(200, 'POST', `/v1/containers/${box}/execute`, { body: { command } })
  const log = await open(`/v1/containers/${box}/logs?follow=true`)
  const archive = await open(`/v1/containers/${box}/get_archive?path=/tmp/zeros`, {
    headers: { accept: 'application/x-tar' },
  })
  const cut = new Promise<void>((resolve) => archive.once('error', () => resolve()))
  const rest = textOf(log)
  await zund.stop()
  await rest
  archive.resume()
  await cut
  assert.deepEqual([log.complete, archive.complete], [true, false])
  await zund.up()
})
