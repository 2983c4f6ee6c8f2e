import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { Service } from './service.ts'

test('config check says what is wrong and what has no effect, and does nothing else', async (t) => {
  const service = await Service.prepare(t)
  mkdirSync(service.stateDir)
  service.write('zun.conf', 'capsule_driver = cri\n[api]\nport = many\n')
  const bad = await service.zund('config', ['check'])
  assert.equal(bad.code, 1)
  assert.deepEqual(bad.out.trimEnd().split('\n'), [
    `read: ${join(service.stateDir, 'zun.conf')}`,
    "error  option port in [api] is 'many': it is not a number",
    'warn   option capsule_driver in [DEFAULT] has no effect: capsules are made with Docker, not through CRI',
  ])
  const other = join(dirname(service.stateDir), 'other.conf')
  writeFileSync(other, '[api]\nport = 1\n')
  const good = await service.zund('config', ['check', '--config-file', other])
  assert.deepEqual([good.code, good.out], [0, `read: ${other}\nnothing to complain of\n`])
  const gone = await service.zund('config', ['check', '--config-file', join(service.stateDir, 'none.conf')])
  assert.equal(gone.code, 1)
  assert.match(gone.complaints.join(), /none\.conf: ENOENT/)
  assert.equal((await service.zund('config', ['reference', '--help'])).code, 0)
  assert.equal((await service.zund('config', ['reload'])).code, 2)
})

test('up takes the files it is given, and logs what has no effect', async (t) => {
  const service = await Service.prepare(t)
  const home = dirname(service.stateDir)
  mkdirSync(join(home, 'conf.d'))
  writeFileSync(join(home, 'zun.conf'), 'container_driver = lxc\n[zund]\ntoken_lifetime = 61\n[api]\nmax_limit = 1\n')
  writeFileSync(join(home, 'conf.d', 'more.conf'), '[api]\nmax_limit = 2\n')
  const up = await service.up('--config-file', join(home, 'zun.conf'), `--config-dir=${join(home, 'conf.d')}`)
  assert.equal(up.code, 0, up.complaints.join('\n'))
  const log = service.read('zund.log')
  assert.match(log, /option container_driver in \[DEFAULT\] has no effect: containers are those of Docker/)
  assert.equal(log.split('container_driver').length, 2)
})

test('the log goes where it is told, in the form of oslo.log, and after a SIGHUP to a new file', async (t) => {
  const service = await Service.prepare(t)
  const file = join(service.stateDir, 'logs', 'zun.log')
  mkdirSync(service.stateDir)
  service.write('zun.conf', `log_dir = ${join(service.stateDir, 'logs')}\nlog_file = zun.log\nuse_json = no\n`)
  assert.equal((await service.up()).code, 0)
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  for (const line of lines)
    assert.match(line, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \d+ (INFO|WARNING) zund \[-\] \S/)
  assert.ok(
    lines.some((line) => /\] ready endpoint=http:\S+ host=/.test(line)),
    lines.join('\n'),
  )
  renameSync(file, `${file}.1`)
  process.kill(service.pid, 'SIGHUP')
  await until('there is a new file', async () => existsSync(file))
  appendFileSync(join(service.stateDir, 'zun.conf'), 'debug = yes\n[api]\nmax_limit = 7\n')
  process.kill(service.pid, 'SIGHUP')
  await until('it tells what counts from now on, and what does not yet', async () => {
    const log = readFileSync(file, 'utf8')
    return (
      /option changed group=DEFAULT option=debug from=false to=true/.test(log) &&
      / counts after a restart .*max_limit/.test(log)
    )
  })
  await service.zund('down')
  assert.match(readFileSync(file, 'utf8'), / stopped code=0$/m)
  assert.ok(!readFileSync(`${file}.1`, 'utf8').includes('stopped'))
})
