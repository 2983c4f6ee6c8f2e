import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { pauseProgram } from '../../src/adapters/image/pause-program.ts'

const MACHINE: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

test('the program waits, and ends with the number of the signal that ends it', async () => {
  const program = pauseProgram(MACHINE[arch()] ?? '')
  assert.ok(program, 'this machine has one')
  const directory = await mkdtemp(join(tmpdir(), 'zund-pause-'))
  try {
    const path = join(directory, 'pause')
    await writeFile(path, program, { mode: 0o755 })
    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const child = spawn(path)
      const ended = once(child, 'exit')
      await once(child, 'spawn')
      // A signal that it has not blocked yet would kill it: it is asked for once it waits.
      await until('the program waits', () => waits(child.pid ?? 0))
      child.kill('SIGSTOP')
      child.kill('SIGCONT')
      child.kill(signal)
      assert.deepEqual(await ended, [code, null])
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('it is there for the machines that engines run on, and for no other', () => {
  for (const architecture of ['x86_64', 'aarch64']) {
    const program = pauseProgram(architecture)
    assert.ok(program)
    assert.equal(program.subarray(0, 4).toString('latin1'), '\x7fELF')
    assert.equal(Number(program.readBigUInt64LE(64 + 32)), program.length, 'the segment is the whole file')
  }
  for (const architecture of ['', 'riscv64', 'constructor']) assert.equal(pauseProgram(architecture), undefined)
})

/** There is nothing else that it sleeps for. */
async function waits(pid: number): Promise<boolean> {
  return /^State:\s*S/m.test(await readFile(`/proc/${pid}/status`, 'utf8'))
}
