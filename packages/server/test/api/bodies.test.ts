import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { SimMachine } from '../support/sim-machine.ts'

const MIB = 1024 * 1024

let machine: SimMachine
before(async () => {
  machine = await SimMachine.start({ overrides: { maxArchiveMiB: '1' }, requestTimeoutMs: 1_500 })
})
after(() => machine.stop())

/** Sends the text and gives what comes back until `enough`, or until the other side closes. */
async function exchange(text: string, enough: RegExp = /\r\n\r\n[^]*\}$/): Promise<{ answer: string; socket: Socket }> {
  const socket = connect(machine.port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('error', () => undefined).write(text)
  await new Promise<void>((resolve) => {
    socket.on('close', resolve)
    socket.on('data', (chunk: string) => {
      answer += chunk
      if (enough.test(answer)) resolve()
    })
  })
  return { answer, socket }
}

function head(line: string, headers: Readonly<Record<string, string>>): string {
  const all = { Host: 'h', ...headers }
  return [`${line} HTTP/1.1`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')
}

const CREATE = 'POST /v1/containers'
const JSON_OF = (bytes: number): Record<string, string> => ({
  'Content-Type': 'application/json',
  'Content-Length': String(bytes),
})

test('a stranger is answered without his body, which has not even come', async () => {
  const rows = [
    CREATE,
    'POST /v1/containers/x/put_archive',
    'PUT /v1/services/enable',
    'POST /v1/nothing',
    'PATCH /v1/x',
  ]
  for (const line of rows) {
    for (const headers of [JSON_OF(10 * MIB), { ...JSON_OF(10 * MIB), 'X-Auth-Token': 'guessed' }]) {
      const { answer, socket } = await exchange(head(line, headers))
      assert.match(answer, /^HTTP\/1.1 401 /, line)
      assert.match(answer, /"code":401/)
      socket.destroy()
    }
  }
})

test('a client that asks before it sends is refused, or told to go on', async () => {
  const expecting = { Expect: '100-continue', ...JSON_OF(2) }
  const refused = await exchange(head(CREATE, expecting))
  assert.match(refused.answer, /^HTTP\/1.1 401 /)
  refused.socket.destroy()
  const mine = { ...expecting, 'X-Auth-Token': machine.token('alice') }
  const { answer, socket } = await exchange(head(CREATE, mine), /100 Continue/)
  assert.equal(answer, 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('{}')
  const [rest] = (await once(socket, 'data')) as [string]
  assert.match(rest, /^HTTP\/1.1 400 [^]*'image' is a required property/)
  socket.destroy()
})

test('a stranger who goes on sending is cut off', async () => {
  const { socket } = await exchange(head(CREATE, JSON_OF(1024 * MIB)))
  // What is written into a connection that is being cut may come back as an error before the close does.
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const timer = setInterval(() => socket.write(Buffer.alloc(1024)), 50)
  await closed
  clearInterval(timer)
})

test('what was not read of a short body does not spoil the next request of the connection', async () => {
  const both = `${head(CREATE, JSON_OF(2))}{}${head('GET /', {})}`
  const { answer, socket } = await exchange(both, /default_version/)
  assert.match(answer, /^HTTP\/1.1 401 [^]*HTTP\/1.1 200 /)
  socket.destroy()
})

test('a body longer than its route takes is a 413, by its length before it has come, by its size when it has none', async () => {
  const routes: readonly [string, number][] = [
    ['POST /v1/containers', 16 * MIB],
    ['POST /v1/containers/box/put_archive?path=/', Math.ceil((MIB * 4) / 3) + 64 * 1024],
    ['POST /v1/containers/box/start', MIB],
    ['POST /v1/local/volumes', MIB],
    ['PUT /v1/services/enable', MIB],
  ]
  const token = { 'X-Auth-Token': machine.token('alice'), 'Content-Type': 'application/json' }
  for (const [line, limit] of routes) {
    const told = await exchange(head(line, { ...token, 'Content-Length': String(limit + 1) }))
    assert.match(told.answer, /^HTTP\/1.1 413 /, line)
    assert.match(told.answer, new RegExp(`more than ${limit} bytes`))
    told.socket.destroy()
    const chunk = `${(64 * 1024).toString(16)}\r\n${' '.repeat(64 * 1024)}\r\n`
    const chunked = head(line, { ...token, 'Transfer-Encoding': 'chunked' })
    const grown = await exchange(chunked + chunk.repeat(Math.floor(limit / (64 * 1024)) + 1))
    assert.match(grown.answer, /^HTTP\/1.1 413 /, `${line} in chunks`)
    grown.socket.destroy()
  }
})

test('anybody may log in, with a short body', async () => {
  const long = await exchange(head('POST /identity/v3/auth/tokens', JSON_OF(65 * 1024)))
  assert.match(long.answer, /^HTTP\/1.1 413 [^]*more than 65536 bytes/)
  long.socket.destroy()
})

test('a body that does not come in time is a 408', async () => {
  const token = { 'X-Auth-Token': machine.token('alice') }
  const { answer, socket } = await exchange(`${head(CREATE, { ...token, ...JSON_OF(100) })}{"image":`)
  assert.match(answer, /^HTTP\/1.1 408 [^]*did not come in time/)
  socket.destroy()
})

test('an upload that breaks off leaves nothing behind and nothing in the log', async () => {
  const token = { 'X-Auth-Token': machine.token('alice') }
  const socket = connect(machine.port, '127.0.0.1')
  socket.write(`${head(CREATE, { ...token, ...JSON_OF(100) })}{"image": "busybox"`)
  await new Promise((resolve) => setImmediate(resolve))
  socket.resetAndDestroy()
  await once(socket, 'close')
  assert.equal((await machine.ask('alice', 'GET', '/v1/containers')).body, '{"containers":[],"next":null}')
  assert.deepEqual(machine.errors, [])
})
