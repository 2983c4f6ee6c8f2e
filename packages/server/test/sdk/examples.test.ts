/** The examples of the client's package do what they say. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { SimMachine } from '../support/sim-machine.ts'

const EXAMPLES = join(import.meta.dirname, '../../../client/examples')
const run = promisify(execFile)

test('run-command shows what its command writes, and leaves nothing behind', async (t) => {
  const machine = await SimMachine.start()
  t.after(() => machine.stop())
  const env = {
    ...process.env,
    OS_AUTH_URL: `http://127.0.0.1:${machine.port}/identity`,
    OS_USERNAME: 'alice',
    OS_PASSWORD: 'secret of alice',
    OS_PROJECT_NAME: 'red',
  }
  const command = [join(EXAMPLES, 'run-command.ts'), 'busybox', 'echo', 'hello']
  const { stdout } = await run(process.execPath, command, { env })
  assert.equal(stdout, 'hello\n')
  await machine.settled()
  assert.equal((await machine.rows())['container'], 0)
})
