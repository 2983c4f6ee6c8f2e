import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, test } from 'node:test'
import { imageSources, type RegistryImage } from '../../domain/image/sources.ts'
import { RegistryClient } from './registry-client.ts'
import { RegistryHosts, type RegistryHostOptions } from './registry-hosts.ts'

const signal = AbortSignal.timeout(30_000)
const auth = { serverAddress: 'r', username: 'ann', password: 'secret' }
const BASIC = `Basic ${Buffer.from('ann:secret').toString('base64')}`
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function client(options: Partial<RegistryHostOptions> = {}): RegistryClient {
  return new RegistryClient(
    new RegistryHosts({
      allowed: [],
      denied: [],
      allowLoopback: true,
      allowPrivate: true,
      plainHttp: [],
      ...options,
    }),
  )
}

function image(domain: string, name = 'team/app:1'): RegistryImage {
  const none = { registryDomain: null, defaultRegistry: null }
  return imageSources(`${domain}/${name}`, 'p', none)?.remote ?? assert.fail('not an image')
}

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): void {
  response.writeHead(status, headers).end(body)
}

test('a manifest is asked for under its path and version, in every type there is', async () => {
  const asked: (string | undefined)[] = []
  const domain = await serve((request, response) => {
    asked.push(request.method, request.url, request.headers.accept)
    answer(response, 200)
  })
  assert.equal(await client().check(image(domain), null, { signal }), 'exists')
  assert.deepEqual(asked.slice(0, 2), ['HEAD', '/v2/team/app/manifests/1'])
  assert.match(asked[2] ?? '', /oci\.image\.index/)
})

test('what a status means', async () => {
  const rows = [
    [404, 'absent'],
    [401, 'denied'],
    [403, 'denied'],
    [500, 'unknown'],
    [429, 'unknown'],
    [302, 'unknown'],
  ] as const
  for (const [status, meaning] of rows) {
    const domain = await serve((_request, response) => answer(response, status))
    assert.equal(await client().check(image(domain), null, { signal }), meaning, String(status))
  }
  assert.equal(await client().check(image('127.0.0.1:1'), null, { signal }), 'unknown')
  assert.equal(await client().check(image('nowhere.invalid'), null, { signal }), 'unknown')
})

test('Basic credentials are sent when the registry asks for them, and only then', async () => {
  const sent: (string | undefined)[] = []
  const domain = await serve((request, response) => {
    sent.push(request.headers.authorization)
    if (request.headers.authorization === BASIC) answer(response, 200)
    else answer(response, 401, { 'WWW-Authenticate': 'Basic realm="r"' })
  })
  assert.equal(await client().check(image(domain), auth, { signal }), 'exists')
  assert.deepEqual(sent, [undefined, BASIC])
  assert.equal(await client().check(image(domain), { ...auth, password: 'wrong' }, { signal }), 'denied')
  assert.equal(await client().check(image(domain), null, { signal }), 'denied')
})

test('a token server is asked for a token, with the credentials if there are some', async () => {
  const seen: string[] = []
  const realm = await serve((request, response) => {
    seen.push(`${request.url} ${request.headers.authorization ?? '-'}`)
    const who = request.headers.authorization
    if (who !== undefined && who !== BASIC) answer(response, 401)
    else answer(response, 200, {}, JSON.stringify({ token: who === undefined ? 'anybody' : 'ann' }))
  })
  const domain = await serve((request, response) => {
    const { authorization } = request.headers
    const open = request.url?.includes('/open/') === true
    if (authorization === 'Bearer ann' || (open && authorization === 'Bearer anybody')) answer(response, 200)
    else {
      const challenge = `Bearer realm="http://${realm}/token",service="s",scope="repository:x:pull", Basic realm="b"`
      answer(response, 401, { 'WWW-Authenticate': challenge })
    }
  })
  assert.equal(await client().check(image(domain), auth, { signal }), 'exists')
  assert.equal(seen[0], `/token?service=s&scope=repository%3Ax%3Apull ${BASIC}`)
  assert.equal(await client().check(image(domain, 'open/app'), null, { signal }), 'exists')
  assert.equal(await client().check(image(domain), null, { signal }), 'denied')
  assert.equal(await client().check(image(domain), { ...auth, password: 'wrong' }, { signal }), 'denied')
})

test('a token server that misbehaves is no answer', async () => {
  const bodies = ['', '{}', '[1]', '{"token": 1}', JSON.stringify({ token: 'a\r\nX: y' }), 'x'.repeat(100_000)]
  for (const body of bodies) {
    const realm = await serve((_request, response) => answer(response, 200, {}, body))
    const domain = await serve((_request, response) =>
      answer(response, 401, { 'WWW-Authenticate': `Bearer realm="http://${realm}/"` }),
    )
    assert.equal(await client().check(image(domain), auth, { signal }), 'unknown', body.slice(0, 20))
  }
  for (const realm of ['', 'not a url', 'file:///etc/passwd', 'ftp://x/']) {
    const domain = await serve((_request, response) =>
      answer(response, 401, { 'WWW-Authenticate': `Bearer realm="${realm}"` }),
    )
    assert.equal(await client().check(image(domain), auth, { signal }), 'unknown', realm)
  }
})

test('redirects are followed a few times, and credentials do not go along to another host', async () => {
  const secrets: (string | undefined)[] = []
  const elsewhere = await serve((request, response) => {
    secrets.push(request.headers.authorization)
    answer(response, 200)
  })
  const domain = await serve((request, response) => {
    if (request.headers.authorization === undefined) answer(response, 401, { 'WWW-Authenticate': 'Basic' })
    else answer(response, 307, { Location: `http://${elsewhere}/x` })
  })
  assert.equal(await client().check(image(domain), auth, { signal }), 'exists')
  assert.deepEqual(secrets, [undefined])
  const circle = await serve((_request, response) => answer(response, 302, { Location: '/again' }))
  assert.equal(await client().check(image(circle), null, { signal }), 'unknown')
})

test('neither a redirect nor a token server leads to an address that is refused', async () => {
  const targets = ['http://169.254.169.254/latest', 'http://[fe80::1]/', 'http://0.0.0.0:1/', 'http://denied.example/']
  for (const target of targets) {
    const redirecting = await serve((_request, response) => answer(response, 302, { Location: target }))
    const challenging = await serve((_request, response) =>
      answer(response, 401, { 'WWW-Authenticate': `Bearer realm="${target}"` }),
    )
    const strict = client({ denied: ['denied.example'] })
    assert.equal(await strict.check(image(redirecting), null, { signal }), 'denied', target)
    assert.equal(await strict.check(image(challenging), null, { signal }), 'denied', target)
  }
})

test('without loopback registries nothing on this machine is asked, by whatever name', async () => {
  let asked = 0
  const domain = await serve((_request, response) => {
    asked += 1
    answer(response, 200)
  })
  const port = domain.split(':')[1] ?? ''
  const strict = client({ allowLoopback: false, plainHttp: [`localhost:${port}`, `2130706433:${port}`] })
  for (const name of [domain, `localhost:${port}`, `2130706433:${port}`]) {
    assert.equal(await strict.check(image(name), null, { signal }), 'denied', name)
  }
  assert.equal(asked, 0)
})

test('a registry that never answers is given up when the caller does', async () => {
  const domain = await serve((_request: IncomingMessage) => undefined)
  await assert.rejects(client().check(image(domain), null, { signal: AbortSignal.timeout(50) }), {
    name: 'TimeoutError',
  })
})

test('headers without end are no answer', async () => {
  const domain = await serve((_request, response) => answer(response, 200, { 'X-Long': 'x'.repeat(20_000) }))
  assert.equal(await client().check(image(domain), null, { signal }), 'unknown')
})
