import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { clientTlsPlaces, credentialsOf, loginTls } from '../login.ts'
import { usesKeystone } from './check-logins.ts'
import { loadConfig, readConfig } from './load.ts'

const directory = mkdtempSync(join(tmpdir(), 'zund-logins-'))
after(() => rmSync(directory, { recursive: true }))

function fileOf(content: string): string {
  const file = join(directory, 'zun.conf')
  writeFileSync(file, content)
  return file
}

const load = (content: string) => loadConfig({ files: [fileOf(content)], environment: {}, overrides: {} })
const mistakes = (content: string): string[] =>
  readConfig({ files: [fileOf(content)], environment: {}, overrides: {} })
    .findings.filter(({ level }) => level === 'error')
    .map(({ text }) => text)

const LOGIN = 'auth_url = http://keystone:5000\nusername = zun\npassword = secret\nproject_name = service\n'

test('without a login there is no cloud, and identity is built in', () => {
  const config = load('')
  assert.equal(config.serviceLoginAuthUrl, null)
  assert.equal(usesKeystone(config), false)
  assert.deepEqual([config.networksFrom, config.volumesFrom, config.placementUse], ['auto', 'auto', 'auto'])
})

test('a login by password is to a project, a domain, the cloud or a trust; what names no domain is of the default', () => {
  const usual = { id: 'default', name: null }
  const user = { kind: 'password', userId: null, userName: 'zun', userDomain: usual, password: 'secret' }
  const of = (more: string) => credentialsOf(load(`[keystone_auth]\n${LOGIN}${more}`), 'serviceLogin')
  assert.deepEqual(of(''), { ...user, scope: { kind: 'project', id: null, name: 'service', domain: usual } })
  assert.deepEqual(of('user_domain_name = Blue\nproject_domain_id = d1\nproject_id = p1\n'), {
    ...user,
    userDomain: { id: null, name: 'Blue' },
    scope: { kind: 'project', id: 'p1', name: 'service', domain: { id: 'd1', name: null } },
  })
  assert.deepEqual(of('default_domain_name = Red\n'), {
    ...user,
    userDomain: { id: null, name: 'Red' },
    scope: { kind: 'project', id: null, name: 'service', domain: { id: null, name: 'Red' } },
  })
  assert.deepEqual(of('trust_id = t1\n'), { ...user, scope: { kind: 'trust', id: 't1' } })
  assert.deepEqual(of('project_name =\ndomain_name = Blue\n'), {
    ...user,
    scope: { kind: 'domain', domain: { id: null, name: 'Blue' } },
  })
  assert.deepEqual(of('project_name =\nsystem_scope = all\n'), { ...user, scope: { kind: 'system' } })
})

test('a login by application credential', () => {
  const config = load(`[keystone_authtoken]
auth_type = v3applicationcredential
auth_url = http://keystone:5000/v3
application_credential_id = a1
application_credential_secret = s1
`)
  assert.ok(usesKeystone(config))
  assert.deepEqual(credentialsOf(config, 'tokens'), {
    kind: 'application_credential',
    id: 'a1',
    name: null,
    userId: null,
    userName: null,
    userDomain: { id: 'default', name: null },
    secret: 's1',
  })
})

test('each login that cannot work is a line that names what is missing, and never a secret', () => {
  const of = (content: string): string[] => mistakes(content)
  assert.deepEqual(of('[keystone_auth]\nauth_url = http://keystone:5000\n'), [
    'option auth_url in [keystone_auth] needs username',
    'option auth_url in [keystone_auth] needs password',
    'option auth_url in [keystone_auth] needs project_name',
  ])
  assert.deepEqual(
    of('[keystone_authtoken]\nauth_url = http://k:5000\nauth_type = v3applicationcredential\nusername = a\n'),
    [
      'option auth_url in [keystone_authtoken] needs application_credential_secret',
      'option auth_url in [keystone_authtoken] needs application_credential_id',
    ],
  )
  assert.deepEqual(of('[keystone_authtoken]\nwww_authenticate_uri = http://keystone:5000\n'), [
    'option www_authenticate_uri in [keystone_authtoken] needs auth_url and a login, with which tokens are looked at',
  ])
  assert.deepEqual(of(`[keystone_auth]\n${LOGIN}certfile = /c.pem\n`), [
    'options certfile and keyfile in [keystone_auth] need each other',
  ])
  for (const [line, why] of [
    ['auth_type = v2password', /auth_type in \[keystone_auth\] .*not one of password, v3password/],
    ['auth_url = keystone', /not an http or https address/],
    ['auth_url = ftp://keystone', /not an http or https address/],
    ['auth_url = http://zun:secret@keystone', /may not have a password in it/],
  ] as const) {
    const [found = ''] = of(`[keystone_auth]\n${LOGIN}${line}\n`)
    assert.match(found, why)
  }
})

test('older names of options are read, and told', () => {
  const { config, findings } = readConfig({
    files: [
      fileOf(`[keystone_authtoken]
auth_uri = http://old:5000
auth_url = http://keystone:5000
auth_plugin = v3password
user-name = zun
password = secret
tenant_name = old
project_name = service
`),
    ],
    environment: {},
    overrides: {},
  })
  assert.equal(config?.tokensAuthenticateUri, 'http://old:5000')
  assert.deepEqual([config.tokensUsername, config.tokensProjectName], ['zun', 'service'])
  assert.deepEqual(
    findings.map(({ level, text }) => `${level} ${text}`),
    [
      'warn option auth_uri in [keystone_authtoken] is called www_authenticate_uri now',
      'warn option auth_plugin in [keystone_authtoken] is called auth_type now',
      'warn option user_name in [keystone_authtoken] is called username now',
      'warn option tenant_name in [keystone_authtoken] is called project_name now',
    ],
  )
})

test('a login may stand in a group of its own, or be that of the other one; a certificate stays where it is', () => {
  const { config, findings } = readConfig({
    files: [
      fileOf(`[keystone_authtoken]
auth_section = login
username = another
insecure = true
[keystone_auth]
auth_section = keystone_authtoken
cafile = /etc/ssl/own.pem
[login]
${LOGIN}tenant_name = old
`),
    ],
    environment: {},
    overrides: {},
  })
  assert.deepEqual(
    [config?.tokensAuthUrl, config?.tokensUsername, config?.tokensPassword, config?.tokensInsecure],
    ['http://keystone:5000', 'zun', 'secret', true],
  )
  // What is written in a group counts, and not what its own auth_section brings.
  assert.deepEqual([config?.serviceLoginUsername, config?.serviceLoginCafile], ['another', '/etc/ssl/own.pem'])
  assert.deepEqual(
    findings.filter(({ level }) => level !== 'error').map(({ text }) => text),
    [
      'option username in [keystone_authtoken] has no effect: the login is that of [login]',
      'option tenant_name in [keystone_authtoken] is called project_name now',
    ],
  )
})

test('a cloud whose users are not those of Keystone is told', () => {
  const warnings = (content: string): string[] =>
    readConfig({ files: [fileOf(content)], environment: {}, overrides: {} }).findings.map(({ text }) => text)
  const [warning = ''] = warnings(`[keystone_auth]\n${LOGIN}`)
  assert.match(warning, /do not know the users of the built-in identity/)
  assert.deepEqual(warnings(`[keystone_auth]\n${LOGIN}[keystone_authtoken]\n${LOGIN}`), [])
})

test('endpoints are chosen as every client writes it, and certificates are as for the login unless said otherwise', () => {
  const config = load(`[keystone_auth]
${LOGIN}cafile = /ca.pem
[neutron_client]
endpoint_type = internalURL
region_name = two
[glance_client]
endpoint_type = admin
ca_file = /other.pem
[placement_client]
insecure = true
`)
  const { neutronEndpointType, neutronRegionName, glanceEndpointType, glanceRegionName } = config
  assert.deepEqual([neutronEndpointType, neutronRegionName], ['internal', 'two'])
  assert.deepEqual([glanceEndpointType, glanceRegionName], ['admin', null])
  const usual = loginTls(config, 'serviceLogin')
  const ca = { group: 'keystone_auth', option: 'cafile', file: '/ca.pem' }
  assert.deepEqual(usual, { group: 'keystone_auth', insecure: false, ca, cert: null, key: null })
  assert.equal(clientTlsPlaces(config, 'neutron', usual), undefined)
  assert.deepEqual(clientTlsPlaces(config, 'glance', usual), {
    ...usual,
    group: 'glance_client',
    ca: { group: 'glance_client', option: 'ca_file', file: '/other.pem' },
  })
  assert.deepEqual(clientTlsPlaces(config, 'placement', usual), {
    ...usual,
    group: 'placement_client',
    insecure: true,
  })
})
