import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex, duplexPair } from 'node:stream'
import { after, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, type ClientOptions } from 'ws'
import type { TerminalRequest } from '../../app/streams/open-terminal.ts'
import { EngineNotFound, EngineUnavailable, Forbidden } from '../../domain/errors.ts'
import { outputFrame } from '../../lib/output-frames.ts'
import type { ProgramStream } from '../../orchestration/ports/engine.ts'
import { TerminalProxy, type TerminalProxyOptions } from './terminal-proxy.ts'
import { WsproxyServer } from './wsproxy-server.ts'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const OPTIONS: TerminalProxyOptions = {
  scheme: 'ws',
  allowedOrigins: [],
  pingMs: 60_000,
  closeGraceMs: 100,
  maxMessageBytes: 1024 * 1024,
  maxSessions: 100,
  openTimeoutMs: 2_000,
}

type Open = (request: TerminalRequest, o: { signal: AbortSignal }) => Promise<Duplex>

/** On a terminal, and without an end that is worth telling. */
function onTerminal(bytes: Duplex): ProgramStream {
  return { tty: true, bytes, resize: async () => undefined, exitCode: async () => null }
}

async function serve(
  t: TestContext,
  open: Open,
  options: Partial<TerminalProxyOptions> = {},
): Promise<{ server: WsproxyServer; proxy: TerminalProxy; url: string }> {
  const proxy = new TerminalProxy({
    open: async (request, o) => onTerminal(await open(request, o)),
    log: QUIET,
    options: { ...OPTIONS, ...options },
  })
  const server = new WsproxyServer(proxy, { host: '127.0.0.1', port: 0, tls: null, tlsOnly: false })
  await server.start()
  t.after(() => server.stop())
  return { server, proxy, url: `ws://127.0.0.1:${server.port}/?token=T&uuid=U` }
}

/** A program at whose other end the test sits. */
async function serveProgram(t: TestContext, options: Partial<TerminalProxyOptions> = {}) {
  const [program, side] = duplexPair({ highWaterMark: 1024 })
  side.on('error', () => undefined)
  return { side, program, ...(await serve(t, async () => program, options)) }
}

async function dial(url: string, protocols: string[] = ['binary', 'base64'], options: ClientOptions = {}) {
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...options })
  await once(ws, 'open')
  return ws
}

/** Status of the refusal. */
async function refusal(url: string, options: ClientOptions = {}): Promise<{ status: number; text: string }> {
  const ws = new WebSocket(url, ['binary'], options)
  const [, response] = (await once(ws, 'unexpected-response')) as [
    unknown,
    NodeJS.ReadableStream & { statusCode: number },
  ]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode, text: Buffer.concat(chunks).toString() }
}

async function closeOf(ws: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(ws, 'close')) as [number, Buffer]
  return { code, reason: reason.toString() }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !condition(); await sleep(5)) {
    if (Date.now() > end) throw new Error(`in 5 s it did not happen that ${what}`)
  }
}

const idle = setInterval(() => undefined, 1_000)
after(() => clearInterval(idle))

test('bytes pass both ways as they are, text and binary frames alike', async (t) => {
  const { side, url } = await serveProgram(t)
  const ws = await dial(url)
  assert.equal(ws.protocol, 'binary')
  ws.send(Buffer.from([0x03, 0x0d, 0xff]))
  ws.send('text\n')
  const typed: Buffer[] = []
  side.on('data', (chunk: Buffer) => typed.push(chunk))
  await until('both arrived', () => Buffer.concat(typed).length === 8)
  assert.deepEqual(Buffer.concat(typed), Buffer.concat([Buffer.from([0x03, 0x0d, 0xff]), Buffer.from('text\n')]))
  side.write(Buffer.from([0xff, 0x00, 0x0a]))
  const [data, isBinary] = (await once(ws, 'message')) as [Buffer, boolean]
  assert.deepEqual([data, isBinary], [Buffer.from([0xff, 0x00, 0x0a]), true])
  ws.close()
})

test('the subprotocol is named when one was offered, and not otherwise', async (t) => {
  const { url } = await serve(t, async () => duplexPair()[0])
  const ws = await dial(url, [])
  assert.equal(ws.protocol, '')
  assert.equal(ws.extensions, '')
  ws.close()
})

test('no frame ends inside of a character', async (t) => {
  const { side, url } = await serveProgram(t)
  const ws = await dial(url)
  const frames: string[] = []
  ws.on('message', (data: Buffer) => frames.push(new TextDecoder('utf-8', { fatal: true }).decode(data)))
  side.write(Buffer.from('a\u20ac').subarray(0, 3))
  await until('the whole part arrived', () => frames.length === 1)
  side.write(Buffer.from('\u20ac').subarray(2))
  await until('the rest arrived', () => frames.length === 2)
  assert.deepEqual(frames, ['a', '\u20ac'])
  ws.close()
})

test('the last value of a parameter counts, and parameters are decoded', async (t) => {
  const seen: TerminalRequest[] = []
  const { server } = await serve(t, async (request) => {
    seen.push(request)
    throw new Forbidden('no')
  })
  await refusal(`ws://127.0.0.1:${server.port}/any/path?token=a&token=b%2Bc&uuid=U&exec_id=E&before_start=true`)
  await refusal(`ws://127.0.0.1:${server.port}/`)
  assert.deepEqual(seen, [
    { token: 'b+c', uuid: 'U', execId: 'E', isBeforeStart: true },
    { token: '', uuid: '', execId: null, isBeforeStart: false },
  ])
})

test('a refusal is an HTTP status with a reason, before any upgrade', async (t) => {
  const rows: readonly [unknown, number, RegExp][] = [
    [new Forbidden('The token is too old.'), 403, /too old/],
    [new EngineNotFound('No such container: zun-1'), 404, /gone/],
    [new EngineUnavailable('socket /secret'), 503, /does not answer/],
    [new Error('/secret'), 500, /could not be opened/],
  ]
  for (const [error, status, text] of rows) {
    const { url } = await serve(t, () => Promise.reject(error))
    const answer = await refusal(url)
    assert.equal(answer.status, status)
    assert.match(answer.text, text)
    assert.doesNotMatch(answer.text, /secret/)
  }
})

test('a page of another site is refused before its ticket is looked at', async (t) => {
  let opened = 0
  const { url } = await serve(t, async () => {
    opened += 1
    return duplexPair()[0]
  })
  assert.equal((await refusal(url, { origin: 'http://evil.example' })).status, 403)
  assert.equal(opened, 0)
  const ws = await dial(url, ['binary'], { origin: 'http://127.0.0.1:None' })
  ws.close()
})

test('what is no WebSocket handshake costs no ticket', async (t) => {
  let opened = 0
  const { server } = await serve(t, async () => {
    opened += 1
    return duplexPair()[0]
  })
  const base = `http://127.0.0.1:${server.port}/`
  assert.equal((await fetch(base)).status, 404)
  assert.equal((await fetch(base, { method: 'POST' })).status, 405)
  for (const headers of ['Upgrade: websocket', 'Upgrade: h2c', 'Upgrade: websocket\r\nSec-WebSocket-Version: 8']) {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${headers}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 400 /)
    socket.destroy()
  }
  assert.equal(opened, 0)
})

test('when the program ends the terminal is closed in order, with all it said', async (t) => {
  const { side, url } = await serveProgram(t)
  const ws = await dial(url)
  const said: Buffer[] = []
  ws.on('message', (data: Buffer) => said.push(data))
  side.end(Buffer.from([0x62, 0x79, 0x65, 0xe2, 0x82]))
  assert.deepEqual(await closeOf(ws), { code: 1000, reason: 'Target closed' })
  assert.deepEqual(Buffer.concat(said), Buffer.from([0x62, 0x79, 0x65, 0xe2, 0x82]))
})

test('when the connection to the program breaks the terminal says so', async (t) => {
  const { program, url } = await serveProgram(t)
  const ws = await dial(url)
  program.destroy(new Error('ECONNRESET'))
  assert.equal((await closeOf(ws)).code, 1011)
})

test('when the user leaves, what was typed arrives and then the input ends', async (t) => {
  const { side, program, proxy, url } = await serveProgram(t)
  const ws = await dial(url)
  ws.send('exit\n')
  ws.close()
  const typed: Buffer[] = []
  for await (const chunk of side) typed.push(chunk as Buffer)
  assert.equal(Buffer.concat(typed).toString(), 'exit\n')
  await until('the session is over', () => proxy.sessions === 0)
  assert.equal(program.destroyed, true)
})

test('a user who vanishes without a word is noticed, and the program let go', async (t) => {
  const { program, proxy, server } = await serveProgram(t, { pingMs: 20 })
  const socket = connect(server.port, '127.0.0.1')
  socket.write(
    'GET /?token=T&uuid=U HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  await until('the terminal is open', () => proxy.sessions === 1)
  // Pings are never answered from here.
  await until('the session is over', () => proxy.sessions === 0)
  assert.equal(program.destroyed, true)
  socket.destroy()
})

test('a live terminal stays open however long nothing is said', async (t) => {
  const { proxy, url } = await serveProgram(t, { pingMs: 10 })
  const ws = await dial(url)
  let pings = 0
  ws.on('ping', () => {
    pings += 1
  })
  await until('many pings were answered', () => pings > 10)
  assert.equal(proxy.sessions, 1)
  ws.close()
})

test('a program that does not read holds the user back, and does not keep the terminal from being closed', async (t) => {
  const { side, program, proxy, url } = await serveProgram(t, { pingMs: 50 })
  const ws = await dial(url)
  const paste = Buffer.alloc(16 * 1024, 'x')
  for (let i = 0; i < 1_000; i += 1) ws.send(paste)
  await until('the proxy stopped reading', () => program.writableLength > 0 && ws.bufferedAmount > 1024 * 1024)
  assert.ok(program.writableLength < 1024 * 1024, `${program.writableLength} bytes wait in the proxy`)
  // As soon as the program reads again, everything arrives.
  let read = 0
  side.on('data', (chunk: Buffer) => {
    read += chunk.length
  })
  await until('all of it arrived', () => read === 1_000 * paste.length)
  side.pause()
  for (let i = 0; i < 1_000; i += 1) ws.send(paste)
  await until('the proxy stopped reading again', () => program.writableLength > 0)
  ws.terminate()
  await until('the session is over', () => proxy.sessions === 0)
})

test('a user who does not read holds the program back', async (t) => {
  const { side, url } = await serveProgram(t)
  const ws = await dial(url)
  let received = 0
  ws.on('message', (data: Buffer) => {
    received += data.length
  })
  ws.pause()
  const chunk = Buffer.alloc(64 * 1024, 'y')
  let written = 0
  let held = false
  const writing = (async () => {
    while (written < 64 * 1024 * 1024) {
      written += chunk.length
      if (!side.write(chunk)) await Promise.race([once(side, 'drain'), sleep(300).then(() => (held = true))])
      if (held) return
    }
  })()
  await writing
  assert.equal(held, true)
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken for a user who reads nothing`)
  ws.resume()
  await until('what was written has arrived', () => received === written)
  ws.close()
})

test('a message that is too large ends the terminal with the code for that', async (t) => {
  const { url } = await serveProgram(t, { maxMessageBytes: 1_000 })
  const ws = await dial(url)
  ws.send(Buffer.alloc(1_001))
  assert.equal((await closeOf(ws)).code, 1009)
})

test('only so many terminals are open at once', async (t) => {
  const { url, proxy } = await serve(t, async () => duplexPair()[0], { maxSessions: 2 })
  const first = await dial(url)
  await dial(url)
  assert.equal((await refusal(url)).status, 503)
  first.close()
  await until('one of them is over', () => proxy.sessions === 1)
  await dial(url)
})

test('a program that does not answer ends the attempt, and so does a proxy that stops', async (t) => {
  const open: Open = (_request, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  const { url } = await serve(t, open, { openTimeoutMs: 30 })
  assert.equal((await refusal(url)).status, 503)
  const slow = await serve(t, open, { openTimeoutMs: 60_000 })
  const refused = refusal(slow.url)
  await sleep(30)
  await slow.server.stop()
  assert.equal((await refused).status, 503)
})

test('a user who leaves while the program is connected to does not keep it', async (t) => {
  const [program] = duplexPair()
  const opened = Promise.withResolvers<Duplex>()
  let asked = false
  const { url, proxy } = await serve(t, () => {
    asked = true
    return opened.promise
  })
  const ws = new WebSocket(url)
  ws.on('error', () => undefined)
  await until('the program is asked for', () => asked)
  ws.terminate()
  await sleep(20)
  opened.resolve(program)
  await until('the program is let go', () => program.destroyed && proxy.sessions === 0)
})

test('a proxy that stops says goodbye and is done in bounded time, even if nobody answers', async (t) => {
  const { server, program, url } = await serveProgram(t)
  const ws = await dial(url)
  const mute = await serveProgram(t)
  const deaf = await dial(mute.url)
  deaf.pause()
  const closed = closeOf(ws)
  await Promise.all([server.stop(), mute.server.stop()])
  assert.equal((await closed).code, 1001)
  assert.deepEqual([program.destroyed, mute.program.destroyed], [true, true])
  await assert.rejects(dial(url))
  deaf.terminate()
})

/** Everything that came until the close, and the close. */
async function conversation(ws: WebSocket): Promise<{ messages: string[]; code: number }> {
  const messages: string[] = []
  ws.on('message', (data: Buffer) => messages.push(`${data[0]} ${data.subarray(1).toString()}`))
  const { code } = await closeOf(ws)
  return { messages, code }
}

async function serveStream(t: TestContext, more: Partial<ProgramStream> = {}) {
  const [bytes, side] = duplexPair({ highWaterMark: 1024 })
  side.on('error', () => undefined)
  const program = { ...onTerminal(bytes), exitCode: async () => 3, ...more }
  const proxy = new TerminalProxy({ open: async () => program, log: QUIET, options: OPTIONS })
  const server = new WsproxyServer(proxy, { host: '127.0.0.1', port: 0, tls: null, tlsOnly: false })
  await server.start()
  t.after(() => server.stop())
  const ws = await dial(`ws://127.0.0.1:${server.port}/?token=T&uuid=U`, ['v1.zund.stream', 'binary'])
  return { side, bytes, server, ws, heard: conversation(ws) }
}

test('v1.zund.stream: outputs apart, then the exit code, then the close', async (t) => {
  const { side, ws, heard } = await serveStream(t, { tty: false })
  assert.equal(ws.protocol, 'v1.zund.stream')
  side.end(Buffer.concat([outputFrame(1, Buffer.from('out')), outputFrame(2, Buffer.from('err'))]))
  assert.deepEqual(await heard, { messages: ['1 out', '2 err', '3 {"exit_code":3}'], code: 1000 })
})

test('v1.zund.stream: the input ends and the output goes on', async (t) => {
  const { side, ws, heard } = await serveStream(t)
  ws.send(Buffer.from('\x00typed'))
  ws.send(Buffer.from([5]))
  ws.send(Buffer.from('\x00too late'))
  const typed: Buffer[] = []
  for await (const chunk of side) typed.push(chunk as Buffer)
  assert.equal(Buffer.concat(typed).toString(), 'typed')
  side.end('answer')
  assert.deepEqual(await heard, { messages: ['1 answer', '3 {"exit_code":3}'], code: 1000 })
})

test('v1.zund.stream: of many sizes the last one counts, and a refused one does not end anything', async (t) => {
  const sizes: number[] = []
  const { side, ws, heard } = await serveStream(t, {
    resize: async ({ columns }) => {
      sizes.push(columns)
      throw new EngineNotFound('no terminal')
    },
  })
  for (const width of [80, 90, 100]) ws.send(Buffer.from(`\x04{"width":${width},"height":24}`))
  await until('the last size is told', () => sizes.at(-1) === 100)
  side.end()
  assert.equal((await heard).code, 1000)
})

test('v1.zund.stream: a wrong message ends it with the reason, and a broken connection is told', async (t) => {
  const wrong = await serveStream(t)
  wrong.ws.send('text')
  assert.equal((await wrong.heard).code, 1002)
  await until('the program is let go', () => wrong.bytes.destroyed)
  const broken = await serveStream(t)
  broken.bytes.destroy(new Error('ECONNRESET'))
  const { messages, code } = await broken.heard
  assert.equal(code, 1011)
  assert.match(messages[0] ?? '', /^3 .*"exit_code":null.*broke/)
})

test('v1.zund.stream: a proxy that stops says so', async (t) => {
  const { server, heard } = await serveStream(t)
  await server.stop()
  assert.equal((await heard).code, 1001)
})
