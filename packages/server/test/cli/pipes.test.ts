/** Programs without a terminal, on a real engine: outputs apart, input to its end, logs that are followed. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ZundProcess } from '../support/zund-process.ts'
import { Home } from './command.ts'

let zund: ZundProcess
let home: Home

before(async () => {
  zund = await ZundProcess.start()
  home = new Home({ ZUND_STATE_DIR: zund.stateDir })
  await home.ok(['run', '-d', '--pull', 'never', '--name', 'box', 'busybox', 'sleep', '1000'])
})
after(async () => {
  home.remove()
  await zund.destroy()
})

const BOTH = ['sh', '-c', 'echo out; echo err >&2; exit 3']

test('exec keeps the outputs apart and ends as its command does', async () => {
  assert.deepEqual(await home.zund(['exec', 'box', ...BOTH]), { code: 3, out: 'out\n', err: 'err\n' })
})

test('exec -i hands on what is piped, and its end; -e sets environment', async () => {
  const input = 'x'.repeat(300_000)
  assert.equal(await home.ok(['exec', '-i', 'box', 'wc', '-c'], { input }), '300000\n')
  assert.equal(await home.ok(['exec', '-e', 'A=b c', 'box', 'sh', '-c', 'echo $A']), 'b c\n')
  const { code, err } = await home.zund(['exec', '-it', 'box', 'sh'])
  assert.deepEqual([code, err], [125, 'zund: standard input is no terminal; leave out -t\n'])
})

test('run shows what the program writes from its first byte on, outputs apart, also when it deletes itself', async () => {
  const kept = await home.zund(['run', '--pull', 'never', 'busybox', ...BOTH])
  assert.deepEqual(kept, { code: 3, out: 'out\n', err: 'err\n' })
  const gone = await home.zund(['run', '--rm', '--pull', 'never', 'busybox', 'sh', '-c', 'echo up; exit 6'])
  assert.deepEqual(gone, { code: 6, out: 'up\n', err: '' })
})

test('run -i hands on what is piped, and its end', async () => {
  const input = 'x'.repeat(300_000)
  const run = ['run', '-i', '--rm', '--pull', 'never', 'busybox']
  assert.equal(await home.ok([...run, 'wc', '-c'], { input }), '300000\n')
  assert.equal(await home.ok([...run, 'cat'], { input: '' }), '')
})

test('logs -f goes on until the container ends', async () => {
  await home.ok([
    'run',
    '-d',
    '--pull',
    'never',
    '--name',
    'talker',
    'busybox',
    'sh',
    '-c',
    'echo one; sleep 1; echo two',
  ])
  assert.equal(await home.ok(['logs', '-f', 'talker']), 'one\ntwo\n')
  assert.equal(await home.ok(['logs', '-n', '1', 'talker']), 'two\n')
})
