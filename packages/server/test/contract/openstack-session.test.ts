import assert from 'node:assert/strict'
import { createServer as createPlainServer } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { OpenStackCall } from '../../src/adapters/openstack/call.ts'
import { OpenStackError, OpenStackUnreachable } from '../../src/adapters/openstack/errors.ts'
import { HttpClient, type ClientTls } from '../../src/adapters/openstack/http.ts'
import { OpenStackSession, type OpenStackSessionOptions } from '../../src/adapters/openstack/session.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import type { Logger } from '../../src/orchestration/ports/clock.ts'
import { certificate } from '../support/certificates.ts'
import { FakeCloud } from '../support/fake-cloud.ts'
import { until } from '../support/until.ts'

const signal = AbortSignal.timeout(60_000)
const ports: OpenStackCall = { service: 'network', method: 'GET', path: '/v2.0/ports', signal }

let cloud: FakeCloud
let clock: VirtualClock
let session: OpenStackSession
let logged: string

const log: Logger = {
  debug: (fields, message) => note(fields, message),
  info: (fields, message) => note(fields, message),
  warn: (fields, message) => note(fields, message),
  error: (fields, message) => note(fields, message),
}
const note = (fields: object, message: string): void => void (logged += `${JSON.stringify(fields)} ${message}\n`)

function open(options: Partial<OpenStackSessionOptions> = {}): OpenStackSession {
  return new OpenStackSession({
    authUrl: cloud.authUrl,
    credentials: {
      kind: 'password',
      userId: null,
      userName: 'zun',
      userDomain: { id: 'default', name: null },
      password: 'very-secret',
      scope: { kind: 'project', id: null, name: 'service', domain: { id: 'default', name: null } },
    },
    tls: { current: { insecure: false } },
    services: {},
    timeoutMs: 10_000,
    clock,
    log,
    ...options,
  })
}

beforeEach(async () => {
  cloud = await FakeCloud.start()
  clock = new VirtualClock()
  logged = ''
  session = open()
})

afterEach(async () => {
  session.close()
  await cloud.close()
})

test('many calls at once share one login, and each has its token', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => session.json(ports)))
  assert.equal(cloud.logins.length, 1)
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array.from({ length: 20 }, () => 200),
  )
  assert.deepEqual([...new Set(cloud.asked.map(({ headers }) => headers['x-auth-token']))], ['own-1'])
  assert.deepEqual(cloud.asked[0]?.path, '/network/v2.0/ports')
})

test('who waits for a login and gives up does not take it from the others', async () => {
  let begin: (() => void) | undefined
  cloud.login = () => new Promise((resolve) => (begin = () => resolve(undefined)))
  const controller = new AbortController()
  const gone = session.json({ ...ports, signal: controller.signal })
  const stays = session.json(ports)
  await until('the login has arrived', () => Promise.resolve(begin !== undefined))
  controller.abort(new Error('enough'))
  await assert.rejects(gone, /enough/)
  begin?.()
  assert.equal((await stays).status, 200)
  assert.equal(cloud.logins.length, 1)
})

test('a token that a service refuses is replaced once, and the call asked again', async () => {
  cloud.answer = ({ headers }) => ({ status: headers['x-auth-token'] === 'own-1' ? 401 : 200, json: {} })
  assert.equal((await session.json({ ...ports, method: 'POST', body: { port: {} } })).status, 200)
  assert.deepEqual(
    cloud.asked.map(({ headers, body }) => [headers['x-auth-token'], body]),
    [
      ['own-1', '{"port":{}}'],
      ['own-2', '{"port":{}}'],
    ],
  )
})

test('a service that refuses every token does not make the service log in again and again', async () => {
  cloud.answer = () => ({ status: 401, json: { error: { message: 'no' } } })
  for (let i = 0; i < 5; i += 1) await assert.rejects(session.json(ports), { name: 'OpenStackError', status: 401 })
  assert.equal(cloud.logins.length, 2)
  await clock.advance(6_000)
  await assert.rejects(session.json(ports), { status: 401 })
  assert.equal(cloud.logins.length, 3)
})

test("a call for a user goes with the user's token and ours beside it, in the user's project", async () => {
  cloud.answer = ({ headers }) => ({ status: headers['x-service-token'] === 'own-1' ? 401 : 200, json: {} })
  await session.json({
    service: 'volumev3',
    method: 'GET',
    path: '/volumes',
    userToken: 'user-token',
    projectId: 'bbbb',
    microversion: '3.60',
    requestId: 'req-1',
    query: { name: 'a b', all: undefined, in: ['x', 'y'] },
    signal,
  })
  const asked = cloud.asked.at(-1)
  assert.equal(asked?.path, '/volume/v3/bbbb/volumes')
  assert.equal(asked?.query.toString(), 'name=a+b&in=x&in=y')
  const { headers } = asked ?? assert.fail()
  assert.equal(headers['x-auth-token'], 'user-token')
  assert.equal(headers['x-service-token'], 'own-2')
  assert.equal(headers['openstack-api-version'], 'volume 3.60')
  assert.equal(headers['x-openstack-request-id'], 'req-1')
})

test('a token is renewed before it ends, while the old one is used; and the old one is not used to its end', async () => {
  await session.json(ports)
  await clock.advance(cloud.tokenLifeMs - 200_000)
  cloud.login = () => ({ status: 503 })
  assert.equal((await session.json(ports)).status, 200)
  await until('it was tried', () => Promise.resolve(cloud.logins.length === 2))
  assert.equal(cloud.asked.at(-1)?.headers['x-auth-token'], 'own-1')
  await clock.advance(180_000)
  await assert.rejects(session.json(ports), OpenStackUnreachable)
  cloud.login = () => undefined
  assert.equal((await session.json(ports)).status, 200)
  assert.notEqual(cloud.asked.at(-1)?.headers['x-auth-token'], 'own-1')
})

test('a login that is refused is not tried again at once, and says why without the password', async () => {
  cloud.login = ({ body }) => ({ status: 401, json: { error: { message: `The password is wrong.`, echo: body } } })
  for (let i = 0; i < 3; i += 1) {
    await assert.rejects(session.json(ports), (error: Error) => {
      assert.ok(error instanceof OpenStackUnreachable)
      assert.match(error.message, /the identity service does not let the service log in \(401\): The password is wrong/)
      return true
    })
  }
  assert.equal(cloud.logins.length, 1)
  assert.doesNotMatch(logged, /very-secret/)
  await clock.advance(11_000)
  cloud.login = () => undefined
  assert.equal((await session.json(ports)).status, 200)
})

test('no answer, none in time, and half of one are told apart from a refusal', async () => {
  const away = /^the network service does not answer GET \/v2\.0\/ports: /
  cloud.answer = () => 'cut'
  await assert.rejects(
    session.json(ports),
    (error: Error) => error instanceof OpenStackUnreachable && away.test(error.message),
  )
  cloud.answer = () => 'hang'
  await assert.rejects(session.json({ ...ports, timeoutMs: 50 }), /does not answer .*: nothing within 0.05 s/)
  cloud.answer = () => ({ status: 200, text: '{"ports": [' })
  await assert.rejects(session.json(ports), OpenStackUnreachable)
  cloud.answer = () => ({ status: 200, text: '{}', headers: { 'Content-Length': '500' } })
  await assert.rejects(session.json({ ...ports, timeoutMs: 500 }), OpenStackUnreachable)
  cloud.answer = () => ({ status: 302, headers: { Location: 'http://127.0.0.1:1/' } })
  await assert.rejects(session.json(ports), /a redirect/)
  await cloud.close()
  await assert.rejects(session.json(ports), OpenStackUnreachable)
  cloud = await FakeCloud.start()
})

test('a caller that gives up gets its own reason', async () => {
  cloud.answer = () => 'hang'
  const controller = new AbortController()
  const asked = session.json({ ...ports, signal: controller.signal })
  await until('it has arrived', () => Promise.resolve(cloud.asked.length === 1))
  controller.abort(new Error('superseded'))
  await assert.rejects(asked, /^Error: superseded/)
})

test('what a service says is taken from the form that it has', async () => {
  const said = async (reply: object | string): Promise<[string | null, string]> => {
    cloud.answer = () => ({ status: 409, ...(typeof reply === 'string' ? { text: reply } : { json: reply }) })
    const error: unknown = await session.json(ports).then(
      () => assert.fail('it was not refused'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof OpenStackError)
    assert.match(error.message, /^the network service answered 409 to GET \/v2\.0\/ports: /)
    return [error.type, error.reason]
  }
  const neutron = { NeutronError: { type: 'IpAddressInUse', message: 'in use', detail: '' } }
  assert.deepEqual(await said(neutron), ['IpAddressInUse', 'in use'])
  assert.deepEqual(await said({ itemNotFound: { code: 404, message: 'gone' } }), ['itemNotFound', 'gone'])
  const placement = {
    errors: [{ status: 409, title: 'Conflict', detail: 'changed', code: 'placement.concurrent_update' }],
  }
  assert.deepEqual(await said(placement), ['placement.concurrent_update', 'changed'])
  const page =
    '<html><head><title>409 Conflict</title></head><body><h1>409 Conflict</h1> it is <b>queued</b></body></html>'
  assert.deepEqual(await said(page), [null, '409 Conflict it is queued'])
  assert.deepEqual(await said(''), [null, 'no reason given'])
  assert.deepEqual(await said('[1]'), [null, '[1]'])
  assert.equal((await said('x'.repeat(5_000)))[1].length, 1_001)
})

test('the endpoint is that of the interface and region; without one the error says so', async () => {
  const endpoint = (name: string, region: string) => ({
    interface: name,
    region_id: region,
    url: `${cloud.url}/${region}/${name}/v2.0`,
  })
  cloud.catalog = () => [
    { type: 'network', endpoints: [endpoint('public', 'one'), endpoint('public', 'two'), endpoint('internal', 'two')] },
    { type: 'image', endpoints: [{ url: 'not an address' }, 5] },
    'nonsense',
  ]
  session.close()
  session = open({ services: { network: { interface: 'internal', region: 'two' } } })
  await session.json(ports)
  assert.equal(cloud.asked.at(-1)?.path, '/two/internal/v2.0/ports')
  await assert.rejects(
    session.json({ ...ports, service: 'image', path: '/v2/images' }),
    /the image service has no public endpoint in the catalogue/,
  )
  session.close()
  session = open({ services: { network: { interface: 'admin', region: 'two' } } })
  await assert.rejects(session.json(ports), /no admin endpoint in region two/)
})

test('bytes are streamed both ways', async () => {
  const sent = Buffer.alloc(3_000_000, 'x')
  cloud.answer = ({ body, headers }) => ({
    status: 200,
    text: body,
    headers: { 'Content-Type': headers['content-type'] ?? '' },
  })
  const answer = await session.stream({
    service: 'image',
    method: 'PUT',
    path: '/v2/images/1/file',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: Readable.from([sent.subarray(0, 1_000_000), sent.subarray(1_000_000)]),
    signal,
  })
  assert.equal(answer.headers['content-type'], 'application/octet-stream')
  assert.ok((await buffer(answer.body)).equals(sent))
})

test('an upload is refused before it is all sent, and one that breaks off is no success', async () => {
  const upload = (body: Readable) =>
    session.stream({ ...ports, method: 'PUT', service: 'image', path: '/v2/images/1/file', body })
  cloud.raw = (request, response) => {
    if (request.method !== 'PUT') return false
    response.writeHead(413, { Connection: 'close' }).end('{"error": {"message": "too large"}}')
    return true
  }
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(65_536))
    },
  })
  await assert.rejects(upload(endless), { name: 'OpenStackError', status: 413, reason: 'too large' })
  endless.destroy()
  cloud.raw = () => false
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('half')
      throw new Error('the source failed')
    })(),
  )
  await assert.rejects(upload(broken), /the source failed/)
})

test('a download that breaks off or stalls fails, and so does one whose reader gives up', async () => {
  cloud.raw = (request, response) => {
    if (request.url !== '/image/v2/images/1/file') return false
    response.writeHead(200, { 'Content-Length': '100' }).write('half')
    return true
  }
  const download = { ...ports, service: 'image', path: '/v2/images/1/file', timeoutMs: 200 } as const
  const stalled = await session.stream(download)
  await assert.rejects(text(stalled.body), (error: Error) => error instanceof OpenStackUnreachable)
  const controller = new AbortController()
  const left = await session.stream({ ...download, timeoutMs: 30_000, signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(text(left.body), /enough/)
  cloud.raw = (request, response) => {
    if (request.url !== '/image/v2/images/1/file') return false
    response.writeHead(200, { 'Content-Length': '100' })
    response.write('half', () => request.socket.destroy())
    return true
  }
  const cut = await session.stream(download)
  await assert.rejects(text(cut.body), (error: Error) => error instanceof OpenStackUnreachable)
})

test('certificates are those of the operator: an authority, none at all, and one of our own', async () => {
  const { cert, key } = certificate('one')
  const [pem, secret] = [cert.toString(), key.toString()]
  const strict = createServer(
    { cert, key, ca: cert, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const isKnown = request.socket instanceof TLSSocket && request.socket.authorized
      response.writeHead(isKnown ? 201 : 403).end('{}')
    },
  )
  await new Promise<void>((resolve) => strict.listen(0, '127.0.0.1', resolve))
  const { port } = strict.address() as AddressInfo
  const ask = async (tls: ClientTls): Promise<string> => {
    const http = new HttpClient({ current: tls })
    const url = new URL(`https://127.0.0.1:${port}/`)
    try {
      const answer = await http.send({ url, method: 'GET', headers: {}, signal, stallMs: 10_000 })
      answer.resume()
      return String(answer.statusCode)
    } catch (error) {
      return String((error as { code?: unknown }).code)
    } finally {
      http.close()
    }
  }
  try {
    assert.match(await ask({ insecure: false }), /SELF_SIGNED|UNABLE_TO_VERIFY/)
    assert.equal(await ask({ insecure: true }), '403')
    assert.equal(await ask({ insecure: false, ca: pem }), '403')
    assert.equal(await ask({ insecure: false, ca: pem, cert: pem, key: secret }), '201')
    const other = certificate('two').cert.toString()
    assert.match(await ask({ insecure: false, ca: other }), /SELF_SIGNED|UNABLE_TO_VERIFY/)
  } finally {
    strict.closeAllConnections()
    strict.close()
  }
})

test('a connection that the other side has closed meanwhile is opened anew, but a write is not made twice', async () => {
  let connections = 0
  const seen: string[] = []
  const server = createPlainServer((request, response) => {
    seen.push(String(request.method))
    response.end('{}', () => setImmediate(() => request.socket.resetAndDestroy()))
  })
  server.on('connection', () => (connections += 1))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const http = new HttpClient({ current: { insecure: false } })
  const url = new URL(`http://127.0.0.1:${port}/`)
  for (let i = 0; i < 5; i += 1) {
    const answer = await http.send({ url, method: 'GET', headers: {}, signal, stallMs: 10_000 })
    assert.equal(await text(answer), '{}')
  }
  assert.deepEqual(seen, ['GET', 'GET', 'GET', 'GET', 'GET'])
  assert.ok(connections >= 5)
  http.close()
  server.closeAllConnections()
  server.close()
})

test('a login says who it is, and to what', async () => {
  const user = { userId: null, userName: 'zun', userDomain: { id: null, name: 'Default' } }
  const body = async (credentials: OpenStackSessionOptions['credentials']): Promise<unknown> => {
    const other = open({ credentials })
    await other.json(ports)
    other.close()
    return JSON.parse(cloud.logins.at(-1)?.body ?? '')
  }
  assert.deepEqual(await body({ kind: 'password', ...user, password: 'p', scope: { kind: 'trust', id: 't' } }), {
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: 'zun', domain: { name: 'Default' }, password: 'p' } },
      },
      scope: { 'OS-TRUST:trust': { id: 't' } },
    },
  })
  assert.deepEqual(await body({ kind: 'application_credential', id: null, name: 'a', secret: 's', ...user }), {
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { name: 'a', secret: 's', user: { name: 'zun', domain: { name: 'Default' } } },
      },
    },
  })
  assert.deepEqual(await body({ kind: 'application_credential', id: 'i', name: null, secret: 's', ...user }), {
    auth: { identity: { methods: ['application_credential'], application_credential: { id: 'i', secret: 's' } } },
  })
  assert.deepEqual(await body({ kind: 'password', ...user, userId: 'u', password: 'p', scope: { kind: 'system' } }), {
    auth: {
      identity: { methods: ['password'], password: { user: { id: 'u', password: 'p' } } },
      scope: { system: { all: true } },
    },
  })
})
