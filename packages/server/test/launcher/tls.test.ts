/** The API and the terminals with TLS, as an operator sets it. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import { parse } from 'yaml'
import { certificate, putCertificate, type CertificateName } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { Service } from './service.ts'

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

async function ask(url: string, agent: Agent, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  return await new Promise((answered, failed) => {
    const method = body === undefined ? 'GET' : 'POST'
    const request = httpsRequest(url, { method, agent, headers: { 'content-type': 'application/json', ...headers } })
    request.once('error', failed)
    request.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk))
      response.once('end', () => answered({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const trusting = (name: CertificateName): Agent =>
  new Agent({ ca: certificate(name).cert, keepAlive: true, maxSockets: 1 })

test('enable_ssl_api: everything is https, and a new certificate is taken up without a break', async (t) => {
  const service = await Service.prepare(t)
  mkdirSync(service.stateDir)
  const { cert, key } = putCertificate('one', service.stateDir)
  service.write(
    'zun.conf',
    `[api]\nenable_ssl_api = true\n[ssl]\ncert_file = ${cert}\nkey_file = ${key}\n[websocket_proxy]\ncert = ${cert}\nkey = ${key}\n`,
  )
  const up = await service.up()
  assert.equal(up.code, 0, up.complaints.join('\n'))
  const base = `https://127.0.0.1:${service.apiPort}`
  assert.ok(up.out.includes(`${base}/v1`), up.out)
  const status = await service.zund('status')
  assert.match(status.out, /^api +up$/m)

  const clouds = parse(service.read('clouds.yaml')) as {
    clouds: { zund: { cacert: string; auth: { auth_url: string; password: string } } }
  }
  const { cacert, auth } = clouds.clouds.zund
  assert.deepEqual([cacert, auth.auth_url], [cert, `${base}/identity`])

  const old = trusting('one')
  t.after(() => old.destroy())
  const user = { name: 'demo', domain: { id: 'default' }, password: auth.password }
  const scope = { project: { name: 'demo', domain: { id: 'default' } } }
  const login = await ask(`${base}/identity/v3/auth/tokens`, old, {
    auth: { identity: { methods: ['password'], password: { user } }, scope },
  })
  assert.equal(login.status, 201, login.body)
  const { token } = JSON.parse(login.body) as { token: { catalog: { endpoints: { url: string }[] }[] } }
  const urls = token.catalog.flatMap(({ endpoints }) => endpoints.map(({ url }) => url))
  assert.ok(urls.length > 0 && urls.every((url) => url.startsWith(base)), urls.join())
  assert.ok((await ask(`${base}/v1`, old)).body.includes(`"${base}/v1/`))

  putCertificate('two', service.stateDir)
  process.kill(service.pid, 'SIGHUP')
  const fresh = trusting('two')
  t.after(() => fresh.destroy())
  await until('new connections get the new certificate', async () => {
    return await ask(`${base}/healthcheck`, fresh).then(
      ({ status: code }) => code === 200,
      () => false,
    )
  })
  // The connection of before still stands, under the certificate it began with.
  const headers = { 'x-auth-token': String(login.headers['x-subject-token']) }
  assert.equal((await ask(`${base}/v1/containers`, old, undefined, headers)).status, 200)
})

test('ca_file: an API that asks clients for a certificate is shown as up', async (t) => {
  const service = await Service.prepare(t)
  mkdirSync(service.stateDir)
  const { cert, key } = putCertificate('one', service.stateDir)
  service.write(
    'zun.conf',
    `[api]\nenable_ssl_api = true\n[ssl]\ncert_file = ${cert}\nkey_file = ${key}\nca_file = ${cert}\n`,
  )
  const up = await service.up()
  assert.equal(up.code, 0, up.complaints.join('\n'))
  const without = trusting('one')
  t.after(() => without.destroy())
  await assert.rejects(ask(`https://127.0.0.1:${service.apiPort}/healthcheck`, without))
  const status = await service.zund('status')
  assert.match(status.out, /^api +up$/m)
  assert.equal(status.code, 0)
})

test('TLS that cannot be served stops the start with one line', async (t) => {
  const service = await Service.prepare(t)
  mkdirSync(service.stateDir)
  service.write('zun.conf', '[api]\nenable_ssl_api = true\n')
  const bare = await service.up()
  assert.deepEqual(
    [bare.code, bare.complaints],
    [1, ['zund up: option enable_ssl_api in [api] needs cert_file and key_file in [ssl]']],
  )
  service.write('zun.conf', '[websocket_proxy]\ncert = /nowhere/cert.pem\n')
  const gone = await service.up()
  assert.equal(gone.code, 1)
  assert.match(gone.complaints.join(), /^zund up: certificate and key of \[websocket_proxy\] cannot be used: ENOENT/)
})
