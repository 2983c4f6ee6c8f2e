import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMAND_NAMES, COMMANDS } from './commands.ts'
import { ClientRunner } from './openstack.ts'

const GROUP = 'openstack.container.v1'

test('the commands of the table are those that the client says it has', async (t) => {
  const runner = new ClientRunner()
  t.after(() => runner.close())
  const argv = ['command', 'list', '--group', GROUP, '-f', 'json']
  const { code, out } = await runner.run({ argv, env: { OS_CLOUD: '' } })
  assert.equal(code, 0, out)
  const [{ Commands: listed }] = JSON.parse(out) as [{ Commands: string[] | string }]
  const commands = typeof listed === 'string' ? listed.split('\n') : listed
  assert.deepEqual(commands.toSorted(), COMMAND_NAMES.toSorted())
})

test('each file that the table names exists', () => {
  for (const area of new Set(Object.values(COMMANDS))) {
    assert.ok(existsSync(join(import.meta.dirname, `${area}.test.ts`)), area)
  }
})
