import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DockerStreams } from '../../src/adapters/docker/docker-streams.ts'
import { LocalStreamDialer } from '../../src/adapters/streams/local-dialer.ts'
import type { StreamTarget } from '../../src/app/ports/stream-tickets.ts'
import { openTerminal } from '../../src/app/streams/open-terminal.ts'
import { TerminalProxy } from '../../src/edge/wsproxy/terminal-proxy.ts'
import { WsproxyServer } from '../../src/edge/wsproxy/wsproxy-server.ts'
import { closeAll } from '../support/close-all.ts'
import { Containers, soon, testEngine, until } from '../support/host-fixture.ts'
import { appOptions, LiveStore } from '../support/live-api.ts'
import { refusedWith, Terminal } from '../support/terminal.ts'
import { quietLog } from '../support/quiet-log.ts'

const HOST = 'h1'
const live = new LiveStore()
const engine = testEngine()
const containers = new Containers(engine)
const streams = new DockerStreams({ socketPath: process.env['ZUND_TEST_ENGINE'] ?? '', callTimeoutMs: 20_000 })
const proxy = new TerminalProxy({
  open: (request, call) =>
    openTerminal(
      {
        store: live.store,
        tickets: live.tickets,
        dialer: new LocalStreamDialer({ host: HOST, engine: streams }),
        options: appOptions,
        log: quietLog,
      },
      request,
      call,
    ),
  log: quietLog,
  options: {
    scheme: 'ws',
    allowedOrigins: [],
    pingMs: 5_000,
    closeGraceMs: 1_000,
    maxMessageBytes: 16 * 1024 * 1024,
    maxSessions: 20,
    openTimeoutMs: 10_000,
  },
})
const server = new WsproxyServer(proxy, { host: '127.0.0.1', port: 0, tls: null, tlsOnly: false })

before(async () => {
  await live.host(HOST)
  await server.start()
})
after(() =>
  closeAll(
    () => server.stop(),
    () => containers.removeAll(),
    () => engine.close(),
    () => streams.close(),
    () => live.close(),
  ),
)

/** A container of both worlds: the engine's and the records'. */
async function run(command: string[], tty: boolean): Promise<string> {
  const uuid = await containers.run({ command, tty, interactive: true })
  await live.container({ uuid, host: HOST })
  return uuid
}

async function urlOf(containerUuid: string, stream: StreamTarget): Promise<string> {
  const token = await live.tickets.issue({ containerUuid, host: HOST, userId: 'alice', stream })
  const url = `ws://127.0.0.1:${server.port}/?token=${token}&uuid=${containerUuid}`
  return stream.verb === 'exec' ? `${url}&exec_id=${stream.execId}` : url
}

async function exec(uuid: string, command: string[], interactive: boolean): Promise<Terminal> {
  const execId = await engine.createExec(uuid, { command, interactive }, soon())
  return await Terminal.open(await urlOf(uuid, { verb: 'exec', execId }))
}

async function isRunning(uuid: string): Promise<boolean> {
  return (await engine.inspect(uuid, soon()))?.seen.state === 'running'
}

test('a shell can be talked to, left, found again, and ended', async () => {
  const uuid = await run(['sh'], true)
  const first = await Terminal.open(await urlOf(uuid, { verb: 'attach' }))
  first.type('x=4\nx=${x}2; echo "answer: $x"\n')
  await first.see(/answer: 42/)
  first.type('printf "\\342\\202\\254\\n"\n')
  await first.see(/\u20ac/)
  first.ws.close()
  await first.closed
  assert.equal(await isRunning(uuid), true)

  const second = await Terminal.open(await urlOf(uuid, { verb: 'attach' }))
  second.type('echo "still: $x"\n')
  await second.see(/still: 42/)
  assert.doesNotMatch(second.text, /answer/, 'nothing is repeated')
  second.type('exit\n')
  assert.deepEqual(await second.closed, { code: 1000, reason: 'Target closed' })
  await until('the container has stopped', async () => !(await isRunning(uuid)))
})

test('an interactive exec has a terminal of the size it is told, and closes with its shell', async () => {
  const uuid = await run(['sleep', '1000'], false)
  const execId = await engine.createExec(uuid, { command: ['sh'], interactive: true }, soon())
  const terminal = await Terminal.open(await urlOf(uuid, { verb: 'exec', execId }))
  await until('the size is taken', () =>
    engine.resizeExec(uuid, execId, { columns: 101, rows: 37 }, soon()).then(
      () => true,
      () => false,
    ),
  )
  terminal.type('stty size\n')
  await terminal.see(/37 101/)
  terminal.type('exit 3\n')
  assert.equal((await terminal.closed).code, 1000)
})

test('an exec without a terminal sends its output without frames, both streams in order', async () => {
  const uuid = await run(['sleep', '1000'], false)
  const terminal = await exec(uuid, ['sh', '-c', 'echo out; sleep 0.2; echo err >&2; sleep 0.2; echo end'], false)
  assert.equal((await terminal.closed).code, 1000)
  assert.equal(terminal.text, 'out\nerr\nend\n')
})

test('an exec that cannot be run says why and closes', async () => {
  const uuid = await run(['sleep', '1000'], false)
  const terminal = await exec(uuid, ['/no/such/program'], true)
  assert.equal((await terminal.closed).code, 1000)
  assert.match(terminal.text, /no such file|not found/i)
})

test('a large paste into a program that reads slowly arrives whole', async () => {
  const size = 10_000_000
  const uuid = await run(['sh', '-c', `sleep 1; head -c ${size} | md5sum; sleep 1000`], false)
  const terminal = await Terminal.open(await urlOf(uuid, { verb: 'attach' }))
  terminal.type(Buffer.alloc(size, 'p'))
  await terminal.see(new RegExp(createHash('md5').update(Buffer.alloc(size, 'p')).digest('hex')))
  terminal.ws.close()
})

test('a large output to a user who reads slowly keeps to a little memory, and arrives whole', async () => {
  const size = 128 * 1024 * 1024
  const uuid = await run(['sleep', '1000'], false)
  const execId = await engine.createExec(
    uuid,
    { command: ['sh', '-c', `head -c ${size} /dev/zero | tr '\\0' z`], interactive: false },
    soon(),
  )
  const rssBefore = process.memoryUsage().rss
  const terminal = await Terminal.open(await urlOf(uuid, { verb: 'exec', execId }))
  terminal.keep = false
  let most = 0
  let last = -1
  while (terminal.ws.readyState === terminal.ws.OPEN && terminal.bytes !== last) {
    // Reads a little, then nothing until all that could be written ahead has been.
    terminal.ws.pause()
    last = terminal.bytes
    await sleep(150)
    most = Math.max(most, process.memoryUsage().rss - rssBefore)
    terminal.ws.resume()
    await until('more has come', async () => terminal.bytes > last || terminal.ws.readyState !== terminal.ws.OPEN)
    if (terminal.bytes > size / 8) break
  }
  assert.ok(most < 64 * 1024 * 1024, `${Math.round(most / 1024 / 1024)} MiB were taken for it`)
  assert.equal((await terminal.closed).code, 1000)
  assert.equal(terminal.bytes, size)
})

test('a ticket works once, only for what it was made for, and not from a page of another site', async () => {
  const uuid = await run(['sh'], true)
  const url = await urlOf(uuid, { verb: 'attach' })
  assert.equal(await refusedWith(url, 'http://evil.example'), 403)
  assert.equal(await refusedWith(`${url}&exec_id=${'ab'.repeat(32)}`), 403)
  assert.equal(await refusedWith(url.replace(/uuid=.*/, `uuid=${randomUUID()}`)), 403)
  assert.equal(await refusedWith(url.replace(/token=[^&]*/, 'token=')), 403)
  const terminal = await Terminal.open(url)
  assert.equal(await refusedWith(url), 403)
  terminal.ws.close()
})

test('a container that is stopped closes its terminals, and none can be opened then', async () => {
  const uuid = await run(['sh'], true)
  const attached = await Terminal.open(await urlOf(uuid, { verb: 'attach' }))
  const shell = await exec(uuid, ['sh'], true)
  await engine.kill(uuid, null, soon())
  assert.equal((await attached.closed).code, 1000)
  assert.equal((await shell.closed).code, 1000)
  await live.store.write((tx) => tx.containers.update(uuid, { status: 'Stopped' }))
  assert.equal(await refusedWith(await urlOf(uuid, { verb: 'attach' })), 409)
  await engine.remove(uuid, true, soon())
  await live.store.write((tx) => tx.containers.update(uuid, { status: 'Running' }))
  assert.equal(await refusedWith(await urlOf(uuid, { verb: 'attach' })), 404)
  await live.store.write((tx) => tx.containers.remove(uuid))
  assert.equal(await refusedWith(await urlOf(uuid, { verb: 'attach' })), 404)
})

test('an exec can be opened once', async () => {
  const uuid = await run(['sleep', '1000'], false)
  const execId = await engine.createExec(uuid, { command: ['sh'], interactive: true }, soon())
  const [first, second] = [await urlOf(uuid, { verb: 'exec', execId }), await urlOf(uuid, { verb: 'exec', execId })]
  const terminal = await Terminal.open(first)
  await terminal.see(/[#$] /)
  assert.equal(await refusedWith(second), 409)
  terminal.ws.close()
})
