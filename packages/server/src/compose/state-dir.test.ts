import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { StateDir, startTicksOf } from './state-dir.ts'

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

test('roles have the directory beside each other, each of them once, and all of them at once alone', (t) => {
  const path = mkdtempSync(join(tmpdir(), 'zund-lock-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  const [all, api, again, compute] = Array.from({ length: 4 }, () => new StateDir(path))
  assert.ok(all !== undefined && api !== undefined && again !== undefined && compute !== undefined)
  assert.equal(api.lockFor('api'), true)
  assert.equal(again.lockFor('api'), false)
  assert.equal(compute.lockFor('compute'), true)
  assert.equal(all.lock(), false)
  api.unlock()
  assert.equal(all.lock(), false)
  assert.equal(again.lockFor('api'), true)
  again.unlock()
  compute.unlock()
  assert.equal(all.lock(), true)
  assert.equal(again.lockFor('api'), false)
  all.unlock()
  assert.equal(again.lockFor('api'), true)
  again.unlock()
})
