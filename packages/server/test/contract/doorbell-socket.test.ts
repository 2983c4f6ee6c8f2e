/** Rings between processes of one machine. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { SocketDoorbell } from '../../src/adapters/doorbell/socket.ts'
import { quietLog } from '../support/quiet-log.ts'
import { until } from '../support/until.ts'

class Listener {
  readonly heard: string[] = []
  readonly leave = new AbortController()
  readonly bell: SocketDoorbell

  constructor(directory: string, name: string) {
    this.bell = new SocketDoorbell({ directory, name, log: quietLog })
    for (const lane of ['host:a', 'host:b']) this.bell.listen(lane, () => this.heard.push(lane), this.leave.signal)
  }

  async hears(...lanes: readonly string[]): Promise<void> {
    await until(`it hears ${lanes.join()}`, async () => this.heard.length >= lanes.length)
    assert.deepEqual(this.heard.splice(0), lanes)
  }
}

function directoryOf(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'zund-bell-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  return join(home, 'bells')
}

test('a ring is heard in all processes, by whoever listens for its lane', async (t) => {
  const directory = directoryOf(t)
  const [one, two, three] = ['api', 'conductor', 'api2'].map((name) => new Listener(directory, name))
  assert.ok(one !== undefined && two !== undefined && three !== undefined)
  for (const { bell } of [one, two, three]) await bell.start()
  one.bell.ring('host:a')
  for (const listener of [one, two, three]) await listener.hears('host:a')
  three.leave.abort()
  two.bell.ring('host:b')
  two.bell.ring('host:none')
  two.bell.ring('host:a')
  for (const listener of [one, two]) await listener.hears('host:b', 'host:a')
  for (const { bell } of [one, two, three]) await bell.stop()
  assert.deepEqual(three.heard, [])
})

test('a process that ended keeps nobody from ringing, and is heard again when it comes back', async (t) => {
  const directory = directoryOf(t)
  const [one, before] = [new Listener(directory, 'api'), new Listener(directory, 'conductor')]
  await one.bell.start()
  await before.bell.start()
  one.bell.ring('host:a')
  await before.hears('host:a')
  await before.bell.stop()
  one.bell.ring('host:a')
  await one.hears('host:a', 'host:a')
  const after = new Listener(directory, 'conductor')
  await after.bell.start()
  await until('it is rung again', async () => {
    one.bell.ring('host:b')
    return after.heard.length > 0
  })
  await one.bell.stop()
  await after.bell.stop()
})
