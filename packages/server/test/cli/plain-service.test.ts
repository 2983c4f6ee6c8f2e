/** The command line with a service that has nothing beyond upstream's API, on a real engine. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { closeAll } from '../support/close-all.ts'
import { ZundProcess } from '../support/zund-process.ts'
import { Window } from '../client/window.ts'
import { Home, MAIN } from './command.ts'
import { PlainService } from './plain-service.ts'

type Clouds = Readonly<Record<string, object>>

let plain: PlainService
let zund: ZundProcess
let home: Home

before(async () => {
  plain = await PlainService.listen()
  zund = await ZundProcess.start({ conf: `[websocket_proxy]\nbase_url = ws://127.0.0.1:${plain.terminalPort}/\n` })
  plain.stands({ api: zund.apiPort, terminals: zund.terminalPort })
  home = new Home()
  const { clouds } = parse(readFileSync(join(zund.stateDir, 'clouds.yaml'), 'utf8')) as { clouds: Clouds }
  const cloud = { ...clouds['zund'], container_endpoint_override: `http://127.0.0.1:${plain.apiPort}` }
  home.env = {
    OS_CLIENT_CONFIG_FILE: home.write('clouds.yaml', JSON.stringify({ clouds: { plain: cloud } })),
    OS_CLOUD: 'plain',
  }
  await home.ok(['run', '-d', '--pull', 'never', '--name', 'box', 'busybox', 'sleep', '1000'])
})
after(() =>
  closeAll(
    () => home.remove(),
    () => zund.destroy(),
    () => plain.close(),
  ),
)

function open(...args: readonly string[]): Window {
  const pairs = Object.entries(home.environment()).map(([name, value]) => `${name}=${value}`)
  return new Window(['env', '-i', ...pairs, process.execPath, MAIN, ...args], {}, [30, 90])
}

test('a command is run to its end, and its exit status passed on', async () => {
  assert.equal(await home.ok(['exec', 'box', 'echo', 'two words']), 'two words\n')
  assert.equal((await home.zund(['exec', 'box', 'sh', '-c', 'exit 9'])).code, 9)
  const refused = await home.zund(['exec', '-i', 'box', 'cat'], { input: 'x' })
  assert.deepEqual(
    [refused.code, refused.err],
    [125, 'zund: this service cannot hand on standard input without a terminal; leave out -i, or add -t\n'],
  )
})

test('a terminal has keys and a size, as upstream’s protocol has them', async () => {
  const window = open('exec', '-it', 'box', 'sh')
  try {
    await window.see(/# /)
    window.type('until stty size | grep "30 90"; do sleep 1; done; echo grüße-$((6*7))\r')
    await window.see(/\r\n30 90\r\n[\s\S]*grüße-42/)
    window.type('exit\r')
    assert.equal(await window.ended(), 0)
  } finally {
    await window.close()
  }
})

test('run shows what was written and ends with the exit status; with a terminal, too', async () => {
  const said = await home.zund(['run', '--pull', 'never', 'busybox', 'sh', '-c', 'echo out; exit 4'])
  assert.deepEqual([said.code, said.out], [4, 'out\n'])
  const window = open('run', '-it', '--pull', 'never', 'busybox', 'sh')
  try {
    // The prompt may have been written before one could attach, and an engine logs no line that has not ended.
    window.type('echo it is $((6*7))\r')
    await window.see(/it is 42/)
    window.type('exit 5\r')
    assert.equal(await window.ended(), 5)
  } finally {
    await window.close()
  }
})

test('files are copied both ways, whole', async () => {
  const data = randomBytes(300_000)
  writeFileSync(home.file('some'), data)
  await home.ok(['cp', 'some', 'box:/tmp/there'])
  await home.ok(['cp', 'box:/tmp/there', 'back'])
  assert.ok(readFileSync(home.file('back')).equals(data))
})

test('logs and stats are there once; what only streams and events give is refused by name', async () => {
  await home.ok(['run', '-d', '--pull', 'never', '--name', 'wrote', 'busybox', 'echo', 'hello'])
  await home.ok(['wait', 'wrote'])
  assert.equal(await home.ok(['logs', 'wrote']), 'hello\n')
  assert.match(await home.ok(['stats', '--no-stream', 'box']), /box/)
  for (const [args, sentence] of [
    [['logs', '-f', 'box'], 'this service cannot follow what is written (no extension streams)'],
    [['events'], 'this service does not tell what happens (no extension events)'],
  ] as const) {
    const { code, err } = await home.zund(args)
    assert.deepEqual([code, err], [1, `zund: ${sentence}\n`])
  }
})

test('containers are stopped and removed, and nothing was ever asked for that upstream does not have', async () => {
  await home.ok(['stop', '-t', '0', 'box'])
  await home.ok(['start', 'box'])
  await home.ok(['rm', '-f', 'box', 'wrote'])
  assert.equal((await home.ok(['ps', '-a', '-o', 'name'])).includes('box'), false)
  assert.deepEqual(plain.wrong, [])
})
