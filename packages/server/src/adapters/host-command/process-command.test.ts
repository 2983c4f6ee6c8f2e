import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retryable, SystemFault } from '../../domain/errors.ts'
import { ProcessCommand } from './process-command.ts'

const signal = AbortSignal.timeout(20_000)
const command = new ProcessCommand()

test('a program gets its arguments and input as they are, and its exit code is no exception', async () => {
  const echoed = await command.run('cat', ['-'], { signal, input: 'one\ntwo' })
  assert.deepEqual(echoed, { exitCode: 0, stdout: 'one\ntwo', stderr: '' })
  const quoted = await command.run('printf', ['%s|', '$HOME; `id`', 'a b'], { signal })
  assert.equal(quoted.stdout, '$HOME; `id`|a b|')
  const failed = await command.run('ls', ['/nowhere/at/all'], { signal })
  assert.equal(failed.exitCode, 2)
  assert.match(failed.stderr, /No such file/)
})

test('a program that does not read its input still gives its result', async () => {
  const result = await command.run('true', [], { signal, input: 'x'.repeat(1_000_000) })
  assert.equal(result.exitCode, 0)
})

test('a program that is not installed is named in the error', async () => {
  const bare = new ProcessCommand({ searchPath: '/nowhere' })
  await assert.rejects(
    bare.run('mount', [], { signal }),
    (error: unknown) =>
      error instanceof SystemFault && error.code === 'command.not_found' && error.message.includes('mount'),
  )
})

test('a program that overruns its deadline is killed and may be tried again', async () => {
  await assert.rejects(
    command.run('sleep', ['60'], { signal, timeoutMs: 50 }),
    (error: unknown) => error instanceof Retryable && error.code === 'command.timeout',
  )
})

test('an abort ends the program and gives its own reason', async () => {
  const stop = new AbortController()
  const reason = new Error('enough')
  const running = command.run('sleep', ['60'], { signal: stop.signal })
  stop.abort(reason)
  await assert.rejects(running, (error) => error === reason)
})
