/** Terminals at the API's own address: the URL that is given, and what happens there. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { SpecApi, type SpecApiOptions } from '../support/spec-api.ts'

async function started(
  t: TestContext,
  overrides: NonNullable<SpecApiOptions['overrides']> = {},
): Promise<{ api: SpecApi; attach: (headers?: Record<string, string>) => Promise<URL> }> {
  const api = await SpecApi.start({ quietHost: false, overrides })
  t.after(() => api.stop())
  const made = await api.ask('POST /v1/containers?run=true', {
    body: { image: 'busybox', memory: 64, command: ['serve'], interactive: true },
  })
  const { uuid } = made.body as { uuid: string }
  await api.machine.settled()
  const attach = async (headers: Record<string, string> = {}): Promise<URL> => {
    const answer = await api.ask(`GET /v1/containers/${uuid}/attach`, { headers })
    assert.equal(answer.status, 200, answer.text)
    return new URL(answer.body as string)
  }
  return { api, attach }
}

const PROXIED = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'cloud.example' }
const BEHIND = { enableProxyHeaders: 'true' }

/** As if the proxy before the API had passed it on. */
function dial(api: SpecApi, url: URL, options: { path?: string; headers?: Record<string, string> } = {}): WebSocket {
  const { path = url.pathname, headers = {} } = options
  return new WebSocket(`ws://127.0.0.1:${api.machine.port}${path}${url.search}`, ['binary', 'base64'], { headers })
}

async function refusedWith(ws: WebSocket): Promise<number | undefined> {
  ws.on('error', () => undefined)
  const [, answer] = (await once(ws, 'unexpected-response')) as [unknown, { statusCode?: number }]
  ws.terminate()
  return answer.statusCode
}

async function echoes(ws: WebSocket): Promise<void> {
  await once(ws, 'open')
  assert.equal(ws.protocol, 'binary')
  ws.send(Buffer.from('typed'))
  const [said] = (await once(ws, 'message')) as [Buffer]
  assert.equal(said.toString(), 'typed')
  ws.close()
  await once(ws, 'close')
}

test('who reaches the API directly is sent to the port of the terminals, and may use that of the API', async (t) => {
  const { api, attach } = await started(t)
  const url = await attach(PROXIED)
  assert.deepEqual([url.protocol, url.pathname], ['ws:', '/'], 'headers that nobody was told to believe change nothing')
  await echoes(dial(api, url, { path: '/console' }))
})

test('who reaches it behind a proxy, under TLS, is sent to the same address, under TLS', async (t) => {
  const { api, attach } = await started(t, BEHIND)
  for (const path of ['/console', '/container/console', '//console/']) {
    const url = await attach(PROXIED)
    assert.deepEqual([url.protocol, url.host, url.pathname], ['wss:', 'cloud.example', '/console'])
    await echoes(dial(api, url, { path, headers: { ...PROXIED, origin: 'https://cloud.example' } }))
  }
})

test('the public endpoint counts, with its prefix', async (t) => {
  const { attach } = await started(t, { publicEndpoint: 'https://cloud.example:8443/container' })
  const url = await attach()
  assert.deepEqual([url.protocol, url.host, url.pathname], ['wss:', 'cloud.example:8443', '/container/console'])
})

test('a base URL that the operator has set is what users get', async (t) => {
  const { attach } = await started(t, { ...BEHIND, wsproxyBaseUrl: 'wss://terminals.example/t/' })
  const url = await attach(PROXIED)
  assert.deepEqual([url.protocol, url.host, url.pathname], ['wss:', 'terminals.example', '/t/'])
})

test('pages of other sites and pages without TLS are refused there, and so is a ticket that was used', async (t) => {
  const { api, attach } = await started(t, BEHIND)
  const url = await attach(PROXIED)
  for (const origin of ['https://evil.example', 'http://cloud.example', 'null']) {
    assert.equal(await refusedWith(dial(api, url, { headers: { ...PROXIED, origin } })), 403, origin)
  }
  await echoes(dial(api, url, { headers: PROXIED }))
  assert.equal(await refusedWith(dial(api, url, { headers: PROXIED })), 403)
  const broken = dial(api, url, { headers: { host: 'a b/c?d' } })
  assert.equal(await refusedWith(broken), 403)
})

test('other upgrades, and other paths, are answered as the requests they are', async (t) => {
  const { api } = await started(t)
  const rows: readonly [path: string, upgrade: string, status: number][] = [
    ['/', 'h2c', 200],
    ['/', 'websocket', 200],
    ['/v1/containers', 'websocket', 401],
    ['/console', 'h2c', 401],
    ['/consoles', 'websocket', 401],
  ]
  for (const [path, upgrade, status] of rows) {
    const socket = connect(api.machine.port, '127.0.0.1')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), new RegExp(`^HTTP/1.1 ${status} `), `${path} ${upgrade}`)
    socket.destroy()
  }
})
