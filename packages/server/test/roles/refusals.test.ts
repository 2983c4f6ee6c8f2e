/** What keeps a role from starting, each with one line that says why; and what may be changed while it runs. */
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { RoleDeployment, type Conf } from '../support/role-deployment.ts'
import type { RoleName } from '../support/role-process.ts'
import { until } from '../support/until.ts'

let on: RoleDeployment
let config: string

before(async () => {
  on = await RoleDeployment.make()
  config = on.configure('controller')
})
after(() => on.destroy())

async function refusal(role: RoleName, conf: Conf): Promise<string> {
  const { code, err } = await on.zund(role, '--config-file', on.configure(`refused-${role}`, conf))
  assert.equal(code, 1, err)
  const [line = ''] = err.split('\n').filter((one) => one.startsWith(`zund ${role}: `))
  return line
}

test('a role without what it needs ends with a line that names it', async () => {
  assert.match(await refusal('compute', {}), /option control_plane in \[zund\] is not set/)
  const there = { control_plane: '127.0.0.1:1' }
  assert.match(await refusal('compute', { DEFAULT: { host: 'nobody' }, zund: there }), /hosts\/nobody\.pem/)
  assert.match(
    await refusal('api', { DEFAULT: { state_path: on.path('empty') } }),
    /there is no database .*zund db sync/,
  )
  const mysql = { database: { connection: 'mysql+pymysql://zun:secret@ctl/zun' } }
  const line = await refusal('api', mysql)
  assert.match(line, /option connection in \[database\] names mysql: only sqlite/)
  assert.ok(!line.includes('secret'))
  assert.match(await refusal('wsproxy', { zund: { tls_directory: on.path('none') } }), /control-plane\.pem/)
})

test('a certificate of another host, or of a stranger, is refused', async () => {
  await on.must('certificates', '--directory', on.path('tls'), '--host', 'a b/c', '--host', 'other')
  const base = {
    DEFAULT: { host: 'mine', state_path: on.path('mine') },
    zund: { control_plane: `127.0.0.1:${on.linkPort}`, host_port: 1 },
  }
  for (const ending of ['pem', 'key']) {
    writeFileSync(on.path('tls', 'hosts', `mine.${ending}`), readFileSync(on.path('tls', 'hosts', `other.${ending}`)))
  }
  assert.match(await refusal('compute', base), /mine\.pem is not that of urn:zund:host:mine/)

  const api = on.role('api', config)
  await api.start()
  await on.must('certificates', '--directory', on.path('strange'), '--host', 'mine')
  const strange = { ...base, zund: { ...base.zund, tls_directory: on.path('strange') } }
  const stranger = on.role('compute', on.configure('stranger', strange))
  await stranger.start()
  await stranger.says(/the control plane cannot be reached.*certificate/)
  await api.says(/a connection to the link was refused/)
  assert.equal(await stranger.stop(), 0)
  assert.equal(await api.stop(), 0)
})

test('one state directory has each role once', async () => {
  const api = on.role('api', config)
  await api.start()
  assert.match((await on.zund('api', '--config-file', config)).err, /is in use: 'zund api' or 'zund up' runs on it/)
  const up = await on.zund('up', '--no-install', '--state-dir', on.path('state'), '--config-file', config)
  assert.match(up.out, /runs already in/)
  const status = await on.zund('status', '--state-dir', on.path('state'))
  assert.equal(status.code, 0)
  assert.match(status.out, /^zund +running$/m)
  assert.match(status.out, /^api +up$/m)
  assert.doesNotMatch(status.out, /^compute/m)
  assert.equal(await api.stop(), 0)
})

test('without a role that runs, status says so', async () => {
  assert.equal((await on.zund('status', '--state-dir', on.path('state'))).code, 3)
})

test('SIGHUP counts for what may change, and says what needs a restart', async () => {
  const api = on.role('api', config)
  await api.start()
  on.configure('controller', { DEFAULT: { debug: true }, api: { max_limit: 7 } })
  api.signal('SIGHUP')
  await api.says(/option changed group=DEFAULT option=debug from=false to=true/)
  await api.says(/option changed in the file; it counts after a restart group=api option=max_limit from=1000 to=7/)
  writeFileSync(config, '[api]\nport = many\n')
  api.signal('SIGHUP')
  await api.says(/the configuration cannot be used; what was read before stays/)
  on.configure('controller')
  assert.equal(await api.stop(), 0)
})

test('log_dir has a file for each program, and JSON by a switch', async () => {
  const file = on.configure('logged', { DEFAULT: { log_dir: on.path('log'), use_json: true } })
  const api = on.role('api', file)
  api.launch()
  const entries = await until('it is ready', async () => {
    try {
      const lines = readFileSync(on.path('log', 'zun-api.log'), 'utf8').trim().split('\n')
      return lines.some((line) => line.includes('"ready"')) ? lines : undefined
    } catch {
      return undefined
    }
  })
  assert.ok(entries.every((line) => typeof JSON.parse(line) === 'object'))
  assert.equal(await api.stop(), 0)
  assert.equal(api.said, '')
})

test('the database is made once, and said to be at its version', async () => {
  const file = on.configure('fresh', { DEFAULT: { state_path: on.path('fresh') } })
  assert.equal((await on.zund('db', 'version', '--config-file', file)).code, 3)
  const first = await on.must('db', 'sync', '--config-file', file)
  assert.equal(await on.must('db', 'sync', '--config-file', file), first)
  assert.equal(await on.must('db', 'version', '--config-file', file), first)
  assert.equal((await on.zund('db', 'drop', '--config-file', file)).code, 2)
})

test('certificates are never overwritten unasked, and keys are their owner’s alone', async () => {
  const at = on.path('made')
  const make = async (...args: readonly string[]) => (await on.must('certificates', ...args, '--directory', at)).trim()
  assert.match(await make(), /^made .*ca\.pem\nmade .*control-plane\.pem$/)
  const read = (name: string) => readFileSync(`${at}/${name}`, 'utf8')
  const earlier = [read('ca.pem'), read('control-plane.pem')]
  assert.match(await make(), /^kept .*control-plane\.pem$/)
  assert.deepEqual([read('ca.pem'), read('control-plane.pem')], earlier)
  assert.match(await make('--host', 'x', '--host', 'ü/..'), /made .*x\.pem\nmade .*%C3%BC%2F\.\.\.pem$/)
  assert.match(await make('renew', '--days', '3'), /^anew .*control-plane\.pem$/)
  assert.equal(read('ca.pem'), earlier[0])
  assert.notEqual(read('control-plane.pem'), earlier[1])
  for (const key of ['ca.key', 'control-plane.key', 'hosts/x.key']) {
    assert.equal(statSync(`${at}/${key}`).mode & 0o777, 0o600, key)
  }
  assert.equal((await on.zund('certificates', 'renew', '--directory', on.path('nowhere'))).code, 1)
  assert.equal((await on.zund('certificates', '--days', '0', '--directory', at)).code, 2)
  assert.equal((await on.zund('certificates', '--host', '', '--directory', at)).code, 2)
})
