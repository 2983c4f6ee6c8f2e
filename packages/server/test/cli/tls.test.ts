/** A service with TLS, as its users reach it: whom they trust is theirs to say. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { certificate, putCertificate } from '../support/certificates.ts'
import { ZundProcess } from '../support/zund-process.ts'
import { Home } from './command.ts'

const directory = mkdtempSync(join(tmpdir(), 'zund-tls-'))
let zund: ZundProcess
let home: Home
let clouds: { clouds: { zund: { auth: Record<string, string> } } }

before(async () => {
  const { cert, key } = putCertificate('one', directory)
  zund = await ZundProcess.start({
    conf: `[api]\nenable_ssl_api = true\n[ssl]\ncert_file = ${cert}\nkey_file = ${key}\n[websocket_proxy]\ncert = ${cert}\nkey = ${key}\n`,
  })
  clouds = parse(readFileSync(join(zund.stateDir, 'clouds.yaml'), 'utf8')) as typeof clouds
  home = new Home({ ZUND_STATE_DIR: zund.stateDir })
})
after(async () => {
  home.remove()
  await zund.destroy()
  rmSync(directory, { recursive: true, force: true })
})

function variables(more: Readonly<Record<string, string>>): Record<string, string> {
  const { auth } = clouds.clouds.zund
  const names = ['auth_url', 'username', 'password', 'project_name'].map((name) => [
    `OS_${name.toUpperCase()}`,
    auth[name] ?? '',
  ])
  return { ...(Object.fromEntries(names) as Record<string, string>), ...more }
}

test('requests and programs go over TLS, with the authority that clouds.yaml names', async () => {
  await home.ok(['run', '-d', '--pull', 'never', '--name', 'box', 'busybox', 'sleep', '1000'])
  assert.equal(await home.ok(['exec', '-i', 'box', 'cat'], { input: 'through TLS' }), 'through TLS')
  assert.equal(await home.ok(['ps', '-o', 'name']), 'box\n')
})

test('a certificate is trusted by OS_CACERT alone, or not looked at with OS_INSECURE', async () => {
  const bare = await home.zund(['ps'], { env: variables({}) })
  assert.equal(bare.code, 1)
  assert.match(bare.err, /^zund: https:[^\n]* cannot be reached: its certificate is signed by itself; see OS_CACERT\n$/)
  const file = home.write('authority.pem', certificate('two').cert.toString())
  const env = variables({ OS_CACERT: file })
  assert.equal((await home.zund(['ps'], { env })).code, 1)
  home.write('authority.pem', certificate('one').cert.toString())
  await home.ok(['ps'], { env })
  // The session is kept; what the file says is not.
  home.write('authority.pem', certificate('two').cert.toString())
  assert.match((await home.zund(['ps'], { env })).err, /cannot be reached/)
  await home.ok(['ps'], { env: variables({ OS_INSECURE: 'true' }) })
  const gone = await home.zund(['ps'], { env: variables({ OS_CACERT: home.file('nowhere.pem') }) })
  assert.equal(gone.code, 1)
  assert.match(gone.err, /^zund: the certificates of OS_CACERT, [^\n]*nowhere\.pem, cannot be read: ENOENT\n$/)
})

test('verify: false of a cloud does so, too', async () => {
  const { auth } = clouds.clouds.zund
  const file = home.write('careless.yaml', stringify({ clouds: { careless: { auth, verify: false } } }))
  await home.ok(['ps'], { env: { OS_CLIENT_CONFIG_FILE: file } })
})
