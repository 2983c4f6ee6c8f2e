/** What services of a cloud are shown, and by whom they are judged: files, which an operator replaces while the service runs. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { composeCloud, type Cloud } from '../../src/compose/cloud.ts'
import { ConfigError } from '../../src/compose/config/config-error.ts'
import { loadConfig } from '../../src/compose/config/load.ts'
import { Lifetime } from '../../src/compose/lifetime.ts'
import { certificate, putCertificate, type CertificateName } from '../support/certificates.ts'
import { until } from '../support/until.ts'

const directory = mkdtempSync(join(tmpdir(), 'zund-client-tls-'))
const said: string[] = []
const note = (_: unknown, text: string): void => void said.push(text)
const log = { debug: () => undefined, info: note, warn: note, error: note }
let life: Lifetime
const signal = AbortSignal.timeout(60_000)
/** Of who asked for the image, and who for a token. */
const shown = { image: '', token: '' }
let server: Server
let cloud: Cloud | undefined

const nameOf = (socket: unknown): string => {
  if (!(socket instanceof TLSSocket)) return ''
  const { raw } = socket.getPeerCertificate()
  const pem = raw === undefined ? '' : raw.toString('base64')
  const of = (name: CertificateName): string =>
    certificate(name)
      .cert.toString()
      .replaceAll(/-----[^-]+-----|\s/g, '')
  return pem === '' ? '' : of('one') === pem ? 'one' : of('two') === pem ? 'two' : pem
}

before(async () => {
  server = createServer(
    { ...certificate('one'), requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      if (request.method === 'POST') {
        shown.token = nameOf(request.socket)
        const { port } = server.address() as AddressInfo
        const endpoints = [{ interface: 'public', region: 'RegionOne', url: `https://127.0.0.1:${port}/image` }]
        const catalog = [{ type: 'image', endpoints }]
        const token = {
          catalog,
          issued_at: '2019-01-01T00:00:00Z',
          expires_at: '2119-01-01T00:00:00Z',
          project: { id: 'p' },
          user: { id: 'u' },
          roles: [],
        }
        response.writeHead(201, { 'X-Subject-Token': 't' }).end(JSON.stringify({ token }))
      } else {
        shown.image = nameOf(request.socket)
        response.writeHead(200).end('{}')
      }
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

after(async () => {
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true })
})

const file = (name: string): string => join(directory, name)
const put = (name: string, text: string | Buffer): void => writeFileSync(file(name), text)

function compose(more = ''): Cloud | undefined {
  const { port } = server.address() as AddressInfo
  put(
    'zun.conf',
    `[keystone_auth]
auth_url = https://127.0.0.1:${port}
username = zun
password = secret
project_name = service
cafile = ${file('ca.pem')}
certfile = ${file('tls.pem')}
keyfile = ${file('tls.key.pem')}
[zund]
placement = off
${more}`,
  )
  const config = loadConfig({ files: [file('zun.conf')], environment: {}, overrides: {} })
  return composeCloud(config, life, log)
}

const ask = async (): Promise<unknown> =>
  cloud?.session.json({ service: 'image', method: 'GET', path: '/v2/images', signal })

afterEach(async () => {
  cloud?.close()
  await life.stop()
})

beforeEach(() => {
  life = new Lifetime(log)
  said.length = 0
  put('ca.pem', certificate('one').cert)
  putCertificate('one', directory)
  server.setSecureContext(certificate('one'))
})

test('a certificate that is renewed is shown from then on, without a restart', async () => {
  cloud = compose()
  await ask()
  assert.deepEqual(shown, { token: 'one', image: 'one' })
  putCertificate('two', directory)
  await until('the new one is shown', async () => {
    await ask()
    return shown.image === 'two'
  })
  assert.deepEqual(said, ['the certificate was read again'])
})

test('an authority that is replaced counts at the next connection, at once after a reload', async () => {
  cloud = compose()
  await ask()
  server.setSecureContext(certificate('two'))
  server.closeAllConnections()
  await assert.rejects(ask(), /self.signed|unable to verify/i)
  put('ca.pem', certificate('two').cert)
  life.reload()
  await ask()
})

test('files that cannot be used leave the last good ones in force', async () => {
  cloud = compose()
  put('ca.pem', '')
  life.reload()
  put('ca.pem', certificate('one').cert)
  put('tls.key.pem', certificate('two').key)
  life.reload()
  const refusal = 'a new certificate cannot be used; the last good one stays'
  assert.deepEqual(said, [refusal, refusal])
  await ask()
  assert.equal(shown.image, 'one')
})

test('a service with a certificate of its own is shown that, and its group is watched, too', async () => {
  put('image.pem', certificate('two').cert)
  put('image.key', certificate('two').key)
  cloud = compose(`[glance_client]\ncert_file = ${file('image.pem')}\nkey_file = ${file('image.key')}\n`)
  await ask()
  assert.deepEqual(shown, { token: 'one', image: 'two' })
  put('image.pem', certificate('one').cert)
  put('image.key', certificate('one').key)
  life.reload()
  await ask()
  assert.deepEqual(shown, { token: 'one', image: 'one' })
})

test('what cannot be used is one line at the start', () => {
  const refused = (more: string, words: RegExp): void => {
    assert.throws(
      () => compose(more),
      (error: Error) => error instanceof ConfigError && words.test(error.message),
    )
  }
  refused(`[neutron_client]\nca_file = ${file('nowhere.pem')}\n`, /^option ca_file in \[neutron_client\]: ENOENT/)
  put('tls.key.pem', certificate('two').key)
  refused('', /^certificates of \[keystone_auth\] cannot be used: .*key values mismatch/)
})
