/** Programs through the typed client's WebSocket, on a real engine. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ConnectionError, openProgram, type Program } from '@zund/client'
import type { ApiClient } from '../support/api-client.ts'
import { ZundProcess } from '../support/zund-process.ts'

let zund: ZundProcess
let client: ApiClient
let box = ''

before(async () => {
  zund = await ZundProcess.start({})
  client = await zund.client()
  box = (await client.run({ name: 'box', command: ['sleep', '1000'], nets: [] })).uuid
})
after(() => zund.destroy())

async function execution(command: readonly string[], tty = false): Promise<string> {
  const { proxy_url } = await client.expect<{ proxy_url: string }>(200, 'POST', `/v1/containers/${box}/execute`, {
    body: { command, run: false, interactive: true, tty },
  })
  return proxy_url
}

async function written(program: Program): Promise<{ stdout: string; stderr: string }> {
  const all = { stdout: '', stderr: '' }
  for await (const { stream, bytes } of program.output()) all[stream] += Buffer.from(bytes).toString('latin1')
  return all
}

test('outputs come apart, the input ends when it is told to, and the exit code is told', async () => {
  const program = await openProgram(await execution(['sh', '-c', 'cat; echo bad >&2; exit 7']))
  await program.write(Buffer.from('hello'))
  program.endInput()
  assert.deepEqual(await written(program), { stdout: 'hello', stderr: 'bad\n' })
  assert.deepEqual(await program.ended, { exitCode: 7, reason: null })
  await program.write(Buffer.from('nobody is there'))
})

test('what is much goes in and out whole, read late or at once', async () => {
  const sent = Buffer.alloc(6 * 1024 * 1024, 'zund')
  const program = await openProgram(await execution(['cat']))
  for (let at = 0; at < sent.length; at += 100_000) await program.write(sent.subarray(at, at + 100_000))
  program.endInput()
  assert.equal((await program.ended).exitCode, 0)
  assert.equal((await written(program)).stdout, sent.toString())
})

test('output that nobody reads ends the stream before it fills the memory', async () => {
  const program = await openProgram(await execution(['head', '-c', String(80 * 1024 * 1024), '/dev/zero']))
  assert.deepEqual(await program.ended, { exitCode: null, reason: 'nobody has read 67108864 bytes of output' })
})

test('a terminal takes a size', async () => {
  // The engine takes the size beside the stream: a moment later.
  const waits = 'until stty size 2>/dev/null | grep 101; do sleep 0.1; done'
  const program = await openProgram(await execution(['sh', '-c', waits], true))
  program.resize({ columns: 101, rows: 37 })
  assert.equal((await written(program)).stdout, '37 101\r\n')
})

test('it is left when the signal says so, and a URL is good once', async () => {
  const url = await execution(['sleep', '100'])
  const enough = new AbortController()
  const program = await openProgram(url, { signal: enough.signal })
  enough.abort()
  assert.deepEqual(await program.ended, { exitCode: null, reason: null })
  await assert.rejects(openProgram(url), ConnectionError)
  await assert.rejects(openProgram(url, { signal: enough.signal }), enough.signal.reason)
})
