/** What deploy/ gives to operators is what the program takes. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '../../../..')
const LAUNCHER = join(ROOT, 'zund')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

test('every example of a configuration is taken without a word', () => {
  const files = globSync('deploy/example/*/zun.conf', { cwd: ROOT })
  assert.deepEqual(
    files.toSorted(),
    ['compute1', 'compute2', 'controller'].map((name) => `deploy/example/${name}/zun.conf`),
  )
  for (const file of files) {
    const path = join(ROOT, file)
    const out = execFileSync(LAUNCHER, ['config', 'check', '--config-file', path], { encoding: 'utf8' })
    assert.equal(out, `read: ${path}\nnothing to complain of\n`)
  }
})

test('hosts ask where the controller listens, and the controller dials where hosts listen', () => {
  const value = (file: string, option: string): string =>
    new RegExp(`^${option} = (.*)$`, 'm').exec(read(file))?.[1] ?? ''
  const controller = 'deploy/example/controller/zun.conf'
  const link = `${value(controller, 'link_host_ip')}:${value(controller, 'link_port')}`
  for (const name of ['compute1', 'compute2']) {
    const file = `deploy/example/${name}/zun.conf`
    assert.equal(value(file, 'control_plane'), link)
    assert.equal(value(file, 'host'), name)
    assert.equal(value(file, 'host_listen_ip'), value(file, 'my_ip'))
  }
  for (const proxy of ['haproxy.cfg', 'nginx.conf']) {
    for (const [host, port] of [
      ['host_ip', 'port'],
      ['wsproxy_host', 'wsproxy_port'],
    ] as const) {
      const listens = `${value(controller, host)}:${value(controller, port)}`
      assert.ok(read(`deploy/example/${proxy}`).includes(listens), `${proxy}: ${listens}`)
    }
  }
})

test('there is a unit for each role, which tells systemd of itself', () => {
  const units = globSync('deploy/systemd/*.service', { cwd: ROOT }).toSorted()
  assert.deepEqual(
    units.map((unit) => basename(unit)),
    ['api', 'compute', 'conductor', 'wsproxy'].map((role) => `zun-${role}.service`),
  )
  for (const unit of units) {
    const role = /zun-(\w+)\.service$/.exec(unit)?.[1] ?? ''
    const text = read(unit)
    assert.match(text, new RegExp(`^ExecStart=/usr/bin/zund ${role} --config-file /etc/zun/zun\\.conf$`, 'm'))
    for (const line of ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=60', 'Restart=on-failure']) {
      assert.match(text, new RegExp(`^${line}$`, 'm'), unit)
    }
    const help = execFileSync(LAUNCHER, [role, '--help'], { encoding: 'utf8' })
    assert.match(help, new RegExp(`^Usage: \\./zund ${role}`))
  }
})

test('the unit of a host keeps the privileges of root, and starts before the engine; the others have none', () => {
  for (const role of ['api', 'compute', 'conductor', 'wsproxy']) {
    const text = read(`deploy/systemd/zun-${role}.service`)
    const isHost = role === 'compute'
    assert.equal(
      /^(CapabilityBoundingSet|AmbientCapabilities|User|NoNewPrivileges|PrivateMounts)=/m.test(text),
      !isHost,
      role,
    )
    assert.equal(/^CapabilityBoundingSet=$/m.test(text), !isHost, role)
    assert.equal(/^Before=docker\.service$/m.test(text), isHost, role)
  }
})

test('status upgrade check ends with 0, 1 or 2, as what it finds is', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'zund-upgrade-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const zund = (...args: readonly string[]) => {
    const { status, stdout } = spawnSync(LAUNCHER, [...args, '--state-dir', home], { encoding: 'utf8' })
    return { code: status, out: stdout }
  }
  const check = (...more: readonly string[]) => zund('status', 'upgrade', 'check', ...more)
  const fresh = check()
  assert.equal(fresh.code, 1)
  assert.match(
    fresh.out,
    /\| Check: Database Schema +\|\n\| Result: Warning +\|\n\| Details: there is no .*zund\.sqlite/,
  )
  assert.equal(zund('db', 'sync').code, 0)
  assert.deepEqual(
    check().out.match(/Result: \w+/g),
    Array.from({ length: 4 }, () => 'Result: Success'),
  )
  assert.equal(check().code, 0)
  const compute = join(ROOT, 'deploy/example/compute1/zun.conf')
  assert.equal(check('--config-file', compute).code, 0)
  assert.equal(zund('status', 'upgrade', 'now').code, 2)
})

test('what pages show of zun.conf has comments only where they are comments', () => {
  const shown = globSync('docs/**/*.md', { cwd: ROOT }).flatMap((page) =>
    [...read(page).matchAll(/(?:^ {4}.*\n)*^ {4}\[\w+\](?:.*\n)(?:^ {4}.*\n|\n(?= {4}))*/gm)].map(([block]) => ({
      page,
      block,
    })),
  )
  assert.ok(shown.length > 3)
  const wrong = shown.flatMap(({ page, block }) =>
    block
      .split('\n')
      .flatMap((line) => (/^ {4}(\[\w+\]|[\w-]+ = ).*\s#/.test(line) ? [`${page}: ${line.trim()}`] : [])),
  )
  assert.deepEqual(wrong, [])
})
