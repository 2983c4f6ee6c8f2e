/** Forms of clouds.yaml and of the variables, and the session that is kept. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { stringify } from 'yaml'
import { SimMachine } from '../support/sim-machine.ts'
import { Home, variables } from './command.ts'

let machine: SimMachine
let home: Home

before(async () => void (machine = await SimMachine.start()))
after(() => machine.stop())
beforeEach(() => void (home = new Home()))
afterEach(() => home.remove())

const auth = (more: object = {}): object => ({
  auth_url: `http://127.0.0.1:${machine.port}/identity/v3`,
  username: 'alice',
  password: 'secret of alice',
  project_name: 'red',
  user_domain_name: 'Default',
  project_domain_name: 'Default',
  ...more,
})

function clouds(sections: Readonly<Record<string, object>>): string {
  return stringify({ clouds: sections })
}

async function user(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const facts: unknown = JSON.parse(await home.ok(['login', 'check', '-o', 'json', ...args], { env }))
  return Reflect.get(Object(facts), 'user')
}

test('clouds.yaml is found where other clients look, and by its variable', async () => {
  const text = clouds({ one: { auth: auth() } })
  const config = home.file('.config/openstack')
  mkdirSync(config, { recursive: true })
  writeFileSync(join(config, 'clouds.yaml'), text)
  assert.equal(await user(['--os-cloud', 'one']), 'alice')
  assert.equal(await user([], { OS_CLOUD: 'one' }), 'alice')
  home.write('clouds.yaml', clouds({ here: { auth: auth() } }))
  assert.equal(await user(['--os-cloud=here']), 'alice')
  const other = home.write('elsewhere.yaml', clouds({ there: { auth: auth() } }))
  assert.equal(await user(['--os-cloud', 'there'], { OS_CLIENT_CONFIG_FILE: other }), 'alice')
  const { code, err } = await home.zund(['ps', '--os-cloud', 'nowhere'])
  assert.equal(code, 1)
  assert.match(err, /^zund: there is no cloud 'nowhere': .*clouds\.yaml has here\n$/)
})

test('secure.yaml completes it; region, interface and an endpoint of one’s own are honoured', async () => {
  home.write(
    'clouds.yaml',
    clouds({ one: { auth: auth({ password: undefined }), region_name: 'RegionOne', interface: 'internal' } }),
  )
  home.write('secure.yaml', clouds({ one: { auth: { password: 'secret of alice' } } }))
  assert.equal(await user(), 'alice')
  home.write('clouds.yaml', clouds({ one: { auth: auth(), region_name: 'Atlantis' } }))
  assert.match((await home.zund(['ps'])).err, /no public endpoint of the Containers service in region Atlantis/)
  const endpoint = `http://127.0.0.1:${machine.port}/v1`
  home.write(
    'clouds.yaml',
    clouds({ one: { auth: auth(), region_name: 'Atlantis', container_endpoint_override: endpoint } }),
  )
  assert.equal(await user(), 'alice')
})

test('variables do it alone: password, token', async () => {
  assert.equal(await user([], variables(machine.port, 'alice', 'red')), 'alice')
  const { OS_AUTH_URL = '' } = variables(machine.port, 'alice', 'red')
  const env = { OS_AUTH_URL, OS_AUTH_TYPE: 'v3token', OS_TOKEN: machine.token('bob'), OS_PROJECT_NAME: 'blue' }
  assert.equal(await user([], env), 'bob')
})

test('an application credential logs in, by clouds.yaml and by variables', async () => {
  const { id: userId } = await machine.identity.ensureUser('alice', 'secret of alice')
  const { id, secret } = await machine.identity.createApplicationCredential('cli', userId, machine.projectId('red'))
  const auth_url = `http://127.0.0.1:${machine.port}/identity`
  const credential = { auth_url, application_credential_id: id, application_credential_secret: secret }
  home.write('clouds.yaml', clouds({ one: { auth_type: 'v3applicationcredential', auth: credential } }))
  assert.equal(await user(), 'alice')
  const env = {
    OS_AUTH_URL: auth_url,
    OS_APPLICATION_CREDENTIAL_ID: id,
    OS_APPLICATION_CREDENTIAL_SECRET: secret,
  }
  assert.equal(await user([], { ...env, OS_AUTH_TYPE: 'v3applicationcredential' }), 'alice')
  // The type is known by what there is; a project that is set beside it is not asked for.
  assert.equal(await user([], { ...env, OS_PROJECT_NAME: 'blue' }), 'alice')
  const wrong = await home.zund(['ps'], { env: { ...env, OS_APPLICATION_CREDENTIAL_SECRET: 'wrong' } })
  assert.equal(wrong.code, 1)
  assert.match(wrong.err, /^zund: the variables OS_\*: the login was refused \(HTTP 401\)[^\n]*\n$/)
})

test('what is wrong with a cloud is told by name', async () => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ auth: auth({ auth_url: undefined }) }, /cloud one: auth_url is missing/],
    [{ auth: auth({ auth_url: 'nonsense' }) }, /cloud one: auth_url 'nonsense' is no URL/],
    [{ auth: auth({ password: undefined }) }, /cloud one: password is missing/],
    [{ auth: auth(), auth_type: 'v3kerberos' }, /cloud one: auth_type 'v3kerberos' is not one of/],
    [{ auth: auth({ password: 'wrong' }) }, /cloud one: the login was refused \(HTTP 401\)/],
    [{ auth_type: 'v3applicationcredential', auth: auth() }, /cloud one: application_credential_secret is missing/],
  ]
  for (const [section, message] of wrong) {
    home.write('clouds.yaml', clouds({ one: section }))
    const { code, err } = await home.zund(['ps'])
    assert.equal(code, 1)
    assert.match(err, message)
    assert.equal(err.split('\n').length, 2)
  }
  home.write('clouds.yaml', 'clouds: [')
  assert.match((await home.zund(['ps'])).err, /^zund: [^\n]*clouds\.yaml cannot be read: [^\n]*\n$/)
})

test('the clouds.yaml of a service started here is used when nothing else is set', async () => {
  mkdirSync(home.file('state'))
  home.write(
    'state/clouds.yaml',
    clouds({ zund: { auth: auth() }, 'zund-admin': { auth: auth({ username: 'admin' }) } }),
  )
  assert.equal(await user(), 'alice')
})

test('the session is kept for this user alone, is used again, and is not used by others or past its time', async () => {
  const env = variables(machine.port, 'alice', 'red')
  await home.ok(['ps'], { env })
  const directory = home.file('.cache/zund/tokens')
  const [file = '', ...more] = readdirSync(directory)
  assert.equal(more.length, 0)
  const path = join(directory, file)
  assert.deepEqual([statSync(directory).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600])
  const session = (): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  const { token } = session()
  await home.ok(['ps'], { env })
  assert.equal(session()['token'], token)
  await home.ok(['ps'], { env: variables(machine.port, 'bob', 'blue') })
  assert.equal(readdirSync(directory).length, 2)
  // Past its time, or taken back: one logs in again.
  writeFileSync(path, JSON.stringify({ ...session(), expiresAt: Date.now() - 1 }))
  await home.ok(['ps'], { env })
  assert.notEqual(session()['token'], token)
  writeFileSync(path, JSON.stringify({ ...session(), token: 'forged' }))
  await home.ok(['ps'], { env })
  assert.notEqual(session()['token'], 'forged')
  // A wrong password does not get in with the token of the right one.
  assert.equal((await home.zund(['ps'], { env: { ...env, OS_PASSWORD: 'wrong' } })).code, 1)
})
