import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from './load.ts'
import type { Config, OptionName } from './options.ts'

function withOption(name: OptionName, text: string): Config {
  return loadConfig({ files: [], environment: {}, overrides: { [name]: text } })
}

test('addresses of the control plane have a port of their own', () => {
  const of = (text: string) => withOption('controlPlane', text).controlPlane
  assert.deepEqual(of(''), [])
  assert.deepEqual(of('ctl1, ctl2:443,192.0.2.1:9000, [2001:db8::1],[2001:db8::1]:1'), [
    'https://ctl1:9518',
    'https://ctl2:443',
    'https://192.0.2.1:9000',
    'https://[2001:db8::1]:9518',
    'https://[2001:db8::1]:1',
  ])
  for (const bad of ['https://ctl', 'ctl/path', 'ctl:99999', 'user@ctl', 'a b', ':9518']) {
    assert.throws(() => of(bad), /option control_plane in \[zund\] is .* is not a host with or without a port/, bad)
  }
})

test('the database is a file, as SQLAlchemy writes it', () => {
  const of = (text: string) => withOption('databaseConnection', text).databaseConnection
  assert.equal(of(''), null)
  assert.deepEqual(of('sqlite:////var/lib/zun/zun.db'), { kind: 'sqlite', file: '/var/lib/zun/zun.db' })
  assert.deepEqual(of('sqlite:///zun.db?timeout=3'), { kind: 'sqlite', file: 'zun.db' })
  assert.deepEqual(of('mysql+pymysql://zun:secret@ctl/zun'), { kind: 'other', scheme: 'mysql' })
  for (const bad of ['/var/lib/zun.db', 'sqlite://', 'sqlite:///', 'sqlite:///:memory:']) {
    assert.throws(() => of(bad), /^Error: option connection in \[database\] is '\[redacted\]': it /, bad)
  }
})

test('addresses of a host follow my_ip, and nothing says how to log unless somebody does', () => {
  const { linkHostIp, hostListenIp, hostAddress, useJson, statePath } = withOption('myIp', '192.0.2.7')
  assert.deepEqual([linkHostIp, hostListenIp, hostAddress], ['192.0.2.7', '192.0.2.7', '192.0.2.7'])
  assert.deepEqual([useJson, statePath], [null, null])
  assert.equal(withOption('useJson', 'yes').useJson, true)
})
