/** `./zund test` with a suite that runs beside the others. */
import assert from 'node:assert/strict'
import { globSync, mkdirSync, readdirSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { until } from '../support/until.ts'
import { Checkout, processGone, said, type Said } from './checkout.ts'

const UNIT = 'packages/server/src/a.test.ts'
const BESIDE = 'packages/server/test/openstack/a.test.ts'
const PASSING = "import { test } from 'node:test'\ntest('fine', () => {})\n"
const FAILING = "import { test } from 'node:test'\ntest('not fine', () => { throw new Error('no') })\n"

/** One that says something, lets the other go on, and goes on when the other has said something. */
function talking(me: string, other: string): string {
  return `import { existsSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
for (const round of [1, 2, 3]) test('talks', async () => {
  console.log('${me} says ' + round)
  writeFileSync('${me}' + round, String(process.pid))
  while (!existsSync('${other}' + round)) await sleep(10)
})
`
}

/** Its cloud is a given one, so that nothing is started; nor is anything installed. */
function aCheckout(t: TestContext, files: Readonly<Record<string, string>>): Checkout {
  const checkout = new Checkout(t)
  checkout.stubNpm()
  checkout.stub('apt-get', 'exit 0')
  checkout.stub('node', `exec "${process.execPath}" "$@"`)
  for (const [path, text] of Object.entries(files)) checkout.write(path, text)
  mkdirSync(checkout.path('scratch'))
  return checkout
}

function environment(checkout: Checkout): Record<string, string> {
  return { ZUND_TEST_OPENSTACK: '/some/clouds.yaml', TMPDIR: checkout.path('scratch') }
}

async function runs(t: TestContext, files: Readonly<Record<string, string>>, ...args: string[]): Promise<Said> {
  const checkout = aCheckout(t, files)
  return await checkout.run(['test', ...args], { env: environment(checkout) })
}

/** What is held back of what was said. */
function kept(checkout: Checkout): string {
  return globSync('scratch/*/output', { cwd: checkout.root })
    .map((path) => checkout.read(path))
    .join('')
}

function lastLines({ out }: Said, count: number): string[] {
  const lines = out.trimEnd().split('\n').slice(-count)
  return lines.map((line) => line.replace(/ \([\d.]+ s\)$/, ''))
}

test('it runs at the same time, and what it says is told in one piece', async (t) => {
  const end = await runs(t, { [UNIT]: talking('first', 'beside'), [BESIDE]: talking('beside', 'first') })
  assert.equal(end.code, 0, end.out)
  const spoken = end.out.split('\n').filter((line) => /^\w+ says |^— /.test(line))
  const of = (who: string): string[] => [1, 2, 3].map((round) => `${who} says ${round}`)
  assert.deepEqual(
    spoken.map((line) => line.replace(/:.*/, '')),
    ['— unit', ...of('first'), '— openstack', ...of('beside')],
  )
  assert.deepEqual(lastLines(end, 3), [
    'unit      3 passed, 0 failed',
    'openstack 3 passed, 0 failed',
    '6 passed, 0 failed',
  ])
})

test('a failure of either fails the run', async (t) => {
  for (const [first, beside] of [
    [FAILING, PASSING],
    [PASSING, FAILING],
  ] as const) {
    const end = await runs(t, { [UNIT]: first, [BESIDE]: beside })
    assert.equal(end.code, 1)
    assert.deepEqual(lastLines(end, 1), ['1 passed, 1 failed'])
  }
})

/** What `beside` waits for is there as soon as this was said. */
async function runsUntil(t: TestContext, told: string, ...args: string[]): Promise<Said> {
  const checkout = aCheckout(t, { [UNIT]: PASSING, [BESIDE]: talking('beside', 'somebody') })
  const child = checkout.start(['test', ...args], { env: environment(checkout) })
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes(told)) for (const round of [1, 2, 3]) checkout.write(`somebody${round}`, '')
  })
  return await said(child)
}

test('it may outlast the others', async (t) => {
  const end = await runsUntil(t, 'pass 1')
  assert.equal(end.code, 0)
  assert.match(end.out, /^beside says 3$/m)
  assert.deepEqual(lastLines(end, 1), ['4 passed, 0 failed'])
})

test('alone it is told as it comes', async (t) => {
  const end = await runsUntil(t, 'beside says 1', 'openstack')
  assert.equal(end.code, 0)
  assert.deepEqual(lastLines(end, 1), ['3 passed, 0 failed'])
})

test('an interrupt ends both, shows what was said until then, and leaves nothing', async (t) => {
  const checkout = aCheckout(t, { [UNIT]: talking('first', 'nobody'), [BESIDE]: talking('beside', 'nobody') })
  const child = checkout.start(['test'], { env: environment(checkout) })
  const ended = said(child)
  for (const who of ['first1', 'beside1']) await checkout.appears(who)
  // What the test has written is not yet what the reporter has told.
  await until('it is told', async () => kept(checkout).includes('beside says 1'))
  child.kill('SIGINT')
  const end = await ended
  assert.equal(end.code, 130)
  assert.match(end.out, /^beside says 1$/m)
  // Whether the files, which the signal has ended as well, were still counted is a matter of luck.
  assert.match(lastLines(end, 1).join(), /^0 passed, [2-4] failed$/)
  for (const who of ['first1', 'beside1']) await processGone(Number(checkout.read(who)))
  assert.deepEqual(readdirSync(checkout.path('scratch')), [])
})
