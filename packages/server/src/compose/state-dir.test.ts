import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { startTicksOf } from './state-dir.ts'

test('a process that has ended has no start time, even while its parent does not ask about it', async (t) => {
  // The program that takes the place of the shell knows nothing of the child it has inherited.
  const parent = spawn('sh', ['-c', 'sh -c "echo $$; exit 0" & exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => parent.kill())
  await once(parent.stdout, 'data')
  const { pid } = parent
  assert.ok(pid !== undefined)
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  assert.ok(child !== undefined)
  const hasEnded = (): boolean => /^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, 'utf8'))
  const deadline = Date.now() + 10_000
  while (!hasEnded()) {
    assert.ok(Date.now() < deadline, 'it does not end')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(startTicksOf(Number(child)), undefined)
  assert.match(startTicksOf(pid) ?? '', /^[0-9]+$/)
})
