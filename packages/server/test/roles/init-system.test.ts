/** What the init system is told, by the program that comes with systemd. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { RoleDeployment } from '../support/role-deployment.ts'
import { until } from '../support/until.ts'

let on: RoleDeployment
before(async () => {
  on = await RoleDeployment.make()
})
after(() => on.destroy())

test('ready, alive while it runs, stopping', async () => {
  const told = on.path('told')
  const program = on.path('systemd-notify')
  writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >>"${told}"\n`)
  chmodSync(program, 0o755)
  const env = { PATH: `${on.directory}:${process.env['PATH']}`, NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '200000' }
  const api = on.role('api', on.configure('controller'), { env })
  await api.start()
  const lines = (): string[] => readFileSync(told, 'utf8').trim().split('\n')
  await until('it has said twice that it is alive', async () => {
    try {
      return lines().filter((line) => line.endsWith('WATCHDOG=1')).length > 1
    } catch {
      return false
    }
  })
  assert.equal(lines()[0], '/run/notify READY=1')
  assert.equal(await api.stop(), 0)
  assert.ok(lines().includes('/run/notify STOPPING=1'))
})

test('a program that is missing keeps nobody from serving', async () => {
  const conductor = on.role('conductor', on.configure('controller'), {
    // Node is found by the launcher, and nothing else is there.
    env: { PATH: `${process.execPath.replace(/\/[^/]*$/, '')}:/usr/bin:/bin`, NOTIFY_SOCKET: on.path('none') },
  })
  await conductor.start()
  await conductor.says(/the init system could not be told/)
  assert.equal(await conductor.stop(), 0)
})
