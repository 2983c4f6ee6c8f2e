/** Commands for containers, on a simulated engine. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { parse } from 'yaml'
import { SimMachine } from '../support/sim-machine.ts'
import { Home, variables } from './command.ts'

let machine: SimMachine
let home: Home

before(async () => {
  machine = await SimMachine.start()
  home = new Home(variables(machine.port, 'alice', 'red'))
})
afterEach(() => machine.clear())
after(async () => {
  home.remove()
  await machine.stop()
})

test('run -d prints a uuid; ps shows what runs, by name, by filter and as data', async () => {
  const uuid = (
    await home.ok(['run', '-d', '--name', 'web', '-l', 'tier=front', '-e', 'A=b=c', 'busybox', 'serve'])
  ).trim()
  assert.match(uuid, /^[0-9a-f-]{36}$/)
  await home.ok([
    'create',
    '--name',
    'idle',
    '--memory',
    '1g',
    '--cpu',
    '0.5',
    '--restart',
    'on-failure:3',
    'busybox',
    'serve',
  ])
  assert.match(await home.ok(['ps']), /^UUID +NAME +STATUS[^\n]*\n[^\n]+ web +Running[^\n]* serve\n$/)
  assert.equal(await home.ok(['ps', '-q']), `${uuid}\n`)
  assert.deepEqual((await home.ok(['ls', '-a', '-o', 'name'])).trim().split('\n').toSorted(), ['idle', 'web'])
  assert.equal(await home.ok(['ps', '-a', '--filter', 'label=tier=front', '-o', 'name']), 'web\n')
  assert.equal(await home.ok(['ps', '--filter', 'status=Created', '-o', 'name']), 'idle\n')
  assert.equal((JSON.parse(await home.ok(['ps', '-o', 'json'])) as { name: string }[])[0]?.name, 'web')
  assert.equal((parse(await home.ok(['ps', '-o', 'yaml'])) as { name: string }[])[0]?.name, 'web')
  const [idle] = JSON.parse(await home.ok(['inspect', 'idle'])) as Record<string, unknown>[]
  assert.deepEqual([idle?.['memory'], idle?.['cpu']], ['1024', 0.5])
  assert.deepEqual(idle?.['restart_policy'], { Name: 'on-failure', MaximumRetryCount: '3' })
  const [web] = JSON.parse(await home.ok(['show', 'web'])) as Record<string, unknown>[]
  assert.deepEqual([web?.['environment'], web?.['labels']], [{ A: 'b=c' }, { tier: 'front' }])
})

test('a container is found by name, uuid or the beginning of its uuid, and a stranger is told in one line', async () => {
  const uuid = (await home.ok(['create', '--name', 'web', 'busybox', 'serve'])).trim()
  for (const ident of ['web', uuid, uuid.slice(0, 8)]) {
    assert.equal(await home.ok(['inspect', ident, '-o', 'name']), 'web\n')
  }
  const { code, err } = await home.zund(['inspect', 'nobody'])
  assert.equal(code, 1)
  assert.match(err, /^zund: [^\n]*nobody[^\n]*\n$/)
})

test('start, pause, unpause, restart, stop, kill, rename and rm act on several and wait for the outcome', async () => {
  await home.ok(['create', '--name', 'one', 'busybox', 'serve'])
  await home.ok(['create', '--name', 'two', 'busybox', 'serve'])
  const both = ['one', 'two']
  const status = async (): Promise<string[]> =>
    (JSON.parse(await home.ok(['inspect', ...both])) as { status: string }[]).map((container) => container.status)
  const steps: readonly (readonly [string[], string])[] = [
    [['start'], 'Running'],
    [['pause'], 'Paused'],
    [['unpause'], 'Running'],
    [['restart', '-t', '1'], 'Running'],
    [['stop', '--time=1'], 'Stopped'],
    [['start'], 'Running'],
    [['kill', '-s', 'SIGKILL'], 'Stopped'],
  ]
  for (const [words, expected] of steps) {
    assert.equal(await home.ok([...words, ...both]), 'one\ntwo\n')
    assert.deepEqual(await status(), [expected, expected], words.join(' '))
  }
  await home.ok(['start', 'one'])
  await home.ok(['rename', 'one', 'first'])
  const refused = await home.zund(['rm', 'first', 'two'])
  assert.deepEqual([refused.code, refused.out], [1, 'two\n'])
  assert.match(refused.err, /Running/)
  await home.ok(['rm', '-f', 'first'])
  assert.equal(await home.ok(['ps', '-aq']), '')
})

test('run shows what the program wrote and ends as it ends, with --rm and without; wait prints the same', async () => {
  const kept = await home.zund(['run', '--name', 'kept', 'busybox', 'sh', '-c', 'echo hello; exit 7'])
  assert.deepEqual([kept.code, kept.out], [7, 'hello\n'])
  assert.equal(await home.ok(['wait', 'kept']), '7\n')
  assert.equal(await home.ok(['logs', 'kept']), 'hello\n')
  assert.equal((await home.zund(['run', '--rm', 'busybox', 'sh', '-c', 'sleep 30; exit 3'])).code, 3)
  await machine.settled()
  assert.equal(await home.ok(['ps', '-a', '-o', 'name']), 'kept\n')
})

test('run and exec end with 125 when nothing was run, and exec with the exit status of its command', async () => {
  const absent = await home.zund(['run', 'no-such-image', 'serve'])
  assert.equal(absent.code, 125)
  assert.match(absent.err, /^zund: [^\n]*no-such-image[^\n]*\n$/)
  await home.ok(['run', '-d', '--name', 'web', 'busybox', 'serve'])
  const done = await home.zund(['exec', 'web', 'sh', '-c', 'echo out; exit 4'])
  assert.deepEqual([done.code, done.out], [4, 'out\n'])
  await home.ok(['stop', 'web'])
  assert.equal((await home.zund(['exec', 'web', 'true'])).code, 125)
})

test('top, stats, images, commit and login check speak of what is there', async () => {
  await home.ok(['run', '-d', '--name', 'web', 'busybox', 'serve'])
  assert.match(await home.ok(['top', 'web']), /PID[\s\S]*serve/)
  assert.match(await home.ok(['stats', '--no-stream']), /^NAME[^\n]*CPU %[^\n]*\nweb /)
  assert.equal(await home.ok(['stats', '--no-stream', '-o', 'name', 'web']), 'web\n')
  const env = variables(machine.port, 'admin', 'ops')
  await home.ok(['run', '-d', '--name', 'base', 'busybox', 'serve'], { env })
  const uuid = (await home.ok(['commit', 'base', 'mine:v1'], { env })).trim()
  await machine.settled()
  assert.match(await home.ok(['images'], { env }), /mine:v1/)
  assert.equal(await home.ok(['images', '-q'], { env }), `${uuid}\n`)
  assert.match(await home.ok(['login', 'check']), /user +alice\nproject +red\n/)
})

test('capsule apply makes a capsule once, says when the file has changed, and replaces only when told to', async () => {
  const file = (image: string): string =>
    home.write(
      'pair.yaml',
      `kind: capsule\nmetadata: {name: pair}\nspec:\n  containers:\n  - {image: ${image}, command: [serve]}\n`,
    )
  const path = file('busybox')
  assert.equal(await home.ok(['capsule', 'apply', '-f', path]), 'pair created\n')
  assert.equal(await home.ok(['capsule', 'apply', '-f', path]), 'pair unchanged\n')
  const uuid = await home.ok(['capsule', 'ls', '-q'])
  file('nginx')
  const refused = await home.zund(['capsule', 'apply', '-f', path])
  assert.deepEqual([refused.code, refused.out], [1, ''])
  assert.match(refused.err, /^zund: capsule pair is not as .*--replace/)
  assert.equal(await home.ok(['capsule', 'ls', '-q']), uuid)
  assert.equal(await home.ok(['capsule', 'apply', '--replace', '-f', path]), 'pair replaced\n')
  assert.notEqual(await home.ok(['capsule', 'ls', '-q']), uuid)
  assert.match(await home.ok(['capsule', 'show', 'pair', '-o', 'yaml']), /image: nginx/)
  assert.equal(await home.ok(['capsule', 'rm', 'pair']), 'pair\n')
  assert.equal(await home.ok(['capsule', 'ls', '-o', 'name']), '')
})
