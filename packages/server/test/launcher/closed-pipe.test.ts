import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

test('a reader that leaves before the end, as head does, ends no command with a stack trace', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'zund-main-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const main = join(import.meta.dirname, '../../src/main.ts')
  const child = spawn(process.execPath, [main, 'status', '--state-dir', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  await once(child, 'close')
  // What it has to say by its exit status is said all the same.
  assert.deepEqual({ code: child.exitCode, complaints }, { code: 3, complaints: '' })
})
