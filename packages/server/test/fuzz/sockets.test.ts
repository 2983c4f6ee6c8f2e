import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { SimMachine } from '../support/sim-machine.ts'
import { answersIn, talk } from './support/raw.ts'
import { runs } from './support/seed.ts'

const REQUEST_TIMEOUT_MS = 1_000

let machine: SimMachine
before(async () => {
  machine = await SimMachine.start({ requestTimeoutMs: REQUEST_TIMEOUT_MS })
})
after(() => machine.stop())

async function isAlive(): Promise<void> {
  const { body } = await machine.ask('alice', 'GET', '/v1/containers')
  assert.equal(body, '{"containers":[],"next":null}')
  assert.deepEqual(machine.errors, [])
}

/** Sends the text, and gives all answers until the connection is closed from the other side. */
async function statuses(...parts: readonly (string | Buffer)[]): Promise<number[]> {
  const text = await talk(
    machine.port,
    parts.map((part) => Buffer.from(part)),
    () => false,
  )
  const seen = answersIn(text, [])
  for (const { status, headers, text: body } of seen) {
    assert.match(String(headers['x-openstack-request-id']), /^req-/)
    if (status < 400 || status === 401) continue
    const { errors } = JSON.parse(body) as { errors: { title: string; status: number }[] }
    assert.equal(errors[0]?.status, status)
    assert.notEqual(errors[0]?.title, '')
  }
  return seen.map(({ status }) => status)
}

const CLOSE = 'Connection: close\r\n'
const HOST = 'Host: h\r\n'

/** Each is one connection; what is expected are the statuses of its answers. */
const BROKEN: Readonly<Record<string, readonly [text: string, expected: readonly number[]]>> = {
  'no request at all': ['hello\r\n\r\n', [400]],
  'TLS spoken to a plain port': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]],
  'HTTP/2 preface': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  'HTTP/0.9, which has no versions': [`GET /\r\n${HOST}\r\n`, [200]],
  'an unknown version': [`GET / HTTP/9.9\r\n${HOST}\r\n`, [400]],
  'an unknown method': [`FROB / HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'lines that end with a bare line feed': [`GET / HTTP/1.1\n${HOST}\n`, [400]],
  'a space before the colon': [`GET / HTTP/1.1\r\nHost : h\r\n\r\n`, [400]],
  'a folded header': [`GET / HTTP/1.1\r\n${HOST}X-A: b\r\n c\r\n\r\n`, [400]],
  'a header with a NUL': [`GET / HTTP/1.1\r\n${HOST}X-A: b\0c\r\n\r\n`, [400]],
  'a header without a name': [`GET / HTTP/1.1\r\n${HOST}: x\r\n\r\n`, [400]],
  'a space in the path': [`GET /v1/a b HTTP/1.1\r\n${HOST}\r\n`, [400]],
  'no Host': [`GET /v1/containers HTTP/1.1\r\n${CLOSE}\r\n`, [400]],
  'two lengths that differ': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, [400]],
  'a negative length': [`POST / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`, [400]],
  'a length beyond all numbers': [`POST / HTTP/1.1\r\n${HOST}Content-Length: ${'9'.repeat(40)}\r\n\r\n`, [400]],
  'a length that is no number': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 0x10\r\n\r\n`, [400]],
  'length and chunks together': [
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
    [400],
  ],
  'an unknown transfer encoding': [`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: cow\r\n\r\n`, [400]],
  'chunked, but not last': [`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, [400]],
  'headers of more than 32 KiB': [`GET / HTTP/1.1\r\n${HOST}X-A: ${'a'.repeat(40_000)}\r\n\r\n`, [431]],
  'a path of more than 32 KiB': [`GET /${'a'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`, [431]],
  'a target that is a whole URL': [`GET http://evil.test/ HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, [401]],
  'a tunnel': [`CONNECT evil.test:443 HTTP/1.1\r\n${HOST}\r\n`, []],
  'an asterisk for a path': [`OPTIONS * HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, [401]],
  'a good request, then none': [`GET / HTTP/1.1\r\n${HOST}\r\n\0\0\0\0`, [200, 400]],
}

for (const [name, [text, expected]] of Object.entries(BROKEN)) {
  test(`${name}: ${expected.length === 0 ? 'closed' : expected.join(', then ')}`, async () => {
    assert.deepEqual(await statuses(Buffer.from(text, 'latin1')), expected)
    await isAlive()
  })
}

function authorised(line: string, headers = ''): string {
  const token = machine.token('alice')
  return `${line} HTTP/1.1\r\n${HOST}X-Auth-Token: ${token}\r\nContent-Type: application/json\r\n${headers}`
}

test('a body whose chunks are broken is a 400 and makes nothing', async () => {
  const begin = authorised('POST /v1/containers', 'Transfer-Encoding: chunked\r\n\r\n')
  const body = '{"image":"busybox"}'
  const chunks = [
    `zz\r\n${body}\r\n0\r\n\r\n`,
    `${body.length.toString(16)}\r\n${body}XX0\r\n\r\n`,
    `-1\r\n${body}\r\n0\r\n\r\n`,
    `${'f'.repeat(20)}\r\n${body}\r\n0\r\n\r\n`,
    `${body.length.toString(16)};${'x'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`,
  ]
  for (const chunk of chunks) {
    const [status, ...others] = await statuses(begin + chunk)
    assert.ok(status === 400 || status === 413, `${status} to ${chunk.slice(0, 40)}`)
    assert.deepEqual(others, [])
    await isAlive()
  }
})

test('a body that is shorter than announced makes nothing, whether its client waits, leaves, or half closes', async () => {
  const text = authorised('POST /v1/containers', 'Content-Length: 100\r\n\r\n{"image":"busybox"}')
  const late = await talk(machine.port, [Buffer.from(text)], (got) => answersIn(got, ['POST']).length > 0)
  assert.match(late, /^HTTP\/1.1 408 /)
  await isAlive()
  const half = connect(machine.port, '127.0.0.1')
  half.on('error', () => undefined).end(text)
  half.resume()
  await new Promise((resolve) => half.on('close', resolve))
  await isAlive()
})

test('a client that has said all and half closes gets its answer', async () => {
  const socket = connect(machine.port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => (answer += chunk)).end(authorised('GET /v1/containers', '\r\n'))
  await new Promise((resolve) => socket.on('close', resolve))
  assert.match(answer, /^HTTP\/1.1 200 [^]*"containers":\[\]/)
})

test('headers that never end are a 408', async () => {
  assert.deepEqual(await statuses(`GET / HTTP/1.1\r\n${HOST}X-A: b`), [408])
})

test('requests sent in one go are answered in order, each by itself', async () => {
  const line = (url: string, more = ''): string => authorised(`GET ${url}`, `${more}\r\n`)
  const post = authorised('POST /v1/containers/none/start', 'Content-Length: 2\r\n\r\n{}')
  const text = line('/v1/containers') + post + line('/v1/containers/none') + line('/', CLOSE)
  assert.deepEqual(await statuses(text), [200, 404, 404, 200])
})

test('a request hidden in the body of another is not obeyed', async () => {
  const hidden = authorised('POST /v1/local/volumes', 'Content-Length: 24\r\n\r\n{"name":"smuggled","size":1}')
  const around = authorised(
    'POST /v1/containers/none/start',
    `${CLOSE}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  )
  assert.deepEqual(await statuses(around), [400])
  assert.equal((await machine.ask('alice', 'GET', '/v1/local/volumes')).body, '{"volumes":[],"next":null}')
})

test('an archive whose upload is cut leaves the container as it was', async () => {
  const made = await machine.ask('alice', 'POST', '/v1/containers', { image: 'busybox', name: 'cut', memory: 64 })
  assert.equal(made.statusCode, 202)
  await machine.settled()
  const line = 'POST /v1/containers/cut/put_archive?path=/tmp'
  for (const size of [0, 10, 60_000]) {
    const socket = connect(machine.port, '127.0.0.1')
    const text = authorised(line, `OpenStack-API-Version: container 1.40\r\nContent-Length: 100000\r\n\r\n{"data":"`)
    await new Promise((resolve) => socket.write(text + 'A'.repeat(size), resolve))
    socket.resetAndDestroy()
  }
  const path = await machine.ask('alice', 'GET', '/v1/containers/cut/get_archive?path=/tmp')
  assert.equal(path.statusCode, 200)
  await machine.clear()
  assert.deepEqual(await machine.leftovers(), [])
  assert.deepEqual(machine.errors, [])
})

test('bytes without any sense, and good requests that were damaged, end in answers or a closed connection', async () => {
  const good = Buffer.from(authorised('GET /v1/containers?limit=3', `${CLOSE}\r\n`))
  const damaged = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(good)
      for (const [at, byte] of changes) bytes[at] = byte
      // Whatever became of the end of the headers, the request has one.
      return Buffer.concat([bytes, Buffer.from(`${CLOSE}\r\n\r\n`)])
    })
  const noise = fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((bytes) => Buffer.concat([bytes, Buffer.from('\r\n\r\n')]))
  await fc.assert(
    fc.asyncProperty(fc.oneof(damaged, noise), async (bytes) => {
      const text = await talk(machine.port, [bytes], (got) => answersIn(got, ['GET']).length > 0)
      for (const { status } of answersIn(text, [])) assert.ok(status >= 200 && status < 500, text)
    }),
    runs(150),
  )
  await isAlive()
})
