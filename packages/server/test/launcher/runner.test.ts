/** `./zund test` on suites made for the purpose. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Checkout, processGone, said, type Said } from './checkout.ts'

const PASSING = `import { test } from 'node:test'
test('a', () => {})
test('b', async (t) => { await t.test('c', () => {}) })
`
const FAILING = `import { test } from 'node:test'
test('fine', () => {})
test('not fine', () => { throw new Error('no') })
`
const CRASHING = `import { test } from 'node:test'
test('fine', () => {})
test('crash', () => { process.kill(process.pid, 'SIGKILL') })
`
const BROKEN_HOOK = `import { after, describe, test } from 'node:test'
describe('hooked', () => { after(() => { throw new Error('hook') }); test('fine', () => {}) })
`
const SKIPPING = `import { test } from 'node:test'
test('fine', () => {})
test('left out', { skip: true }, () => {})
`

/** With the real Node, and these files. */
function aCheckout(t: TestContext, files: Readonly<Record<string, string>>): Checkout {
  const checkout = new Checkout(t)
  checkout.stubNpm()
  checkout.stub('node', `exec "${process.execPath}" "$@"`)
  for (const [path, text] of Object.entries(files)) checkout.write(path, text)
  return checkout
}

async function runs(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> {
  return await aCheckout(t, files).run(['test', ...args], { env })
}

/** What is said once all suites are through. */
function summaryOf({ out }: Said): string[] {
  const lines = out.trimEnd().split('\n')
  return lines.slice(lines.lastIndexOf('') + 1).map((line) => line.replace(/ \([\d.]+ s\)$/, ''))
}

function lastLine({ out }: Said): string | undefined {
  return out.trimEnd().split('\n').at(-1)
}

const UNIT = 'packages/server/src'
const API = 'packages/server/test/api'

test('tests that pass are counted, over all suites', async (t) => {
  const end = await runs(t, { [`${UNIT}/deep/a.test.ts`]: PASSING, [`${API}/b.test.ts`]: PASSING })
  assert.equal(lastLine(end), '6 passed, 0 failed')
  assert.match(end.out, /^unit +3 passed, 0 failed/m)
  assert.match(end.out, /^api +3 passed, 0 failed/m)
  assert.equal(end.code, 0)
})

test('only the named suites run', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: FAILING, [`${API}/b.test.ts`]: PASSING }, ['api'])
  assert.equal(lastLine(end), '3 passed, 0 failed')
  assert.equal(end.code, 0)
})

test('a failing test fails the run, and the other suites still run', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: FAILING, [`${API}/b.test.ts`]: PASSING })
  assert.equal(lastLine(end), '4 passed, 1 failed')
  assert.equal(end.code, 1)
})

test('a file that crashes counts as failed', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: PASSING, [`${UNIT}/b.test.ts`]: CRASHING })
  assert.equal(lastLine(end), '3 passed, 1 failed')
  assert.equal(end.code, 1)
})

test('a file that cannot be loaded counts as failed', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: "import './nothing.ts'\n" })
  assert.equal(lastLine(end), '0 passed, 1 failed')
  assert.equal(end.code, 1)
})

test('a hook that fails counts although every test passed', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: BROKEN_HOOK })
  assert.equal(lastLine(end), '1 passed, 1 failed')
  assert.equal(end.code, 1)
})

test('the end of a run tells of every failure why and where', async (t) => {
  const end = await runs(t, {
    [`${UNIT}/a.test.ts`]: `import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { compare, mixed } from './shared.ts'
test('compares', async () => {
  await compare()
})
describe('hooked', () => {
  after(() => { throw new Error('not closed', { cause: new Error('still in use') }) })
  test('fine', () => {})
})
mixed()
after(() => { throw new Error('last of all') })
`,
    [`${UNIT}/b.test.ts`]: "import './nothing.ts'\n",
    [`${UNIT}/shared.ts`]: `import assert from 'node:assert/strict'
import { test } from 'node:test'
const row = (n) => Array.from({ length: 20 }, (_, i) => i === n ? -1 : i)
export async function compare() { assert.deepEqual(row(3), row(5)) }
export function mixed() { test('from elsewhere', () => { throw new Error('elsewhere') }) }
`,
  })
  const told = summaryOf(end)
  assert.deepEqual(told.slice(0, 19), [
    'unit      1 passed, 5 failed',
    '  ✖ packages/server/src/a.test.ts: compares',
    '      Expected values to be strictly deep-equal:',
    '      + actual - expected',
    '      +   -1,',
    '      -   3,',
    '      +   5,',
    '      -   -1, …',
    '      at packages/server/src/a.test.ts:5:9',
    '  ✖ packages/server/src/a.test.ts: hooked',
    '      failed running after hook: not closed: still in use',
    '      at packages/server/src/a.test.ts:8:56',
    '  ✖ packages/server/src/a.test.ts: from elsewhere',
    '      elsewhere',
    '      at packages/server/src/shared.ts:5:64',
    '  ✖ packages/server/src/a.test.ts: a hook of the file',
    '      last of all',
    '      at packages/server/src/a.test.ts:12:21',
    '  ✖ packages/server/src/b.test.ts: the file',
  ])
  assert.match(told.slice(19).join('\n'), /^ {6}it ended with \d+\n {6}Error .*Cannot find module '.*nothing\.ts'/)
  assert.equal(told.at(-1), '1 passed, 5 failed')
})

test('a file that leaves something open is ended and is one failure, after its hooks had their time', async (t) => {
  const files = {
    [`${UNIT}/a.test.ts`]: `import { createServer } from 'node:net'
import { test } from 'node:test'
test('fine', () => { createServer().listen(0) })
`,
    [`${UNIT}/b.test.ts`]: `import { after, test } from 'node:test'
test('fine', () => {})
after(async () => { await new Promise((resolve) => setTimeout(resolve, 3_000)) })
`,
  }
  const end = await runs(t, files, [], { ZUND_TEST_LINGER_MS: '1500' })
  assert.deepEqual(summaryOf(end), [
    'unit      2 passed, 1 failed',
    '  ✖ packages/server/src/a.test.ts: the file does not end',
    '      1.5 s after its last test it still had PipeWrap, PipeWrap, TCPServerWrap',
    '2 passed, 1 failed',
  ])
  assert.equal(end.code, 1)
})

test('so it is when a test or a hook has failed, too', async (t) => {
  const files = {
    [`${UNIT}/a.test.ts`]: `import { createServer } from 'node:net'
import { test } from 'node:test'
test('not fine', () => { createServer().listen(0); throw new Error('no') })
`,
    [`${UNIT}/b.test.ts`]: `import { createServer } from 'node:net'
import { after, test } from 'node:test'
test('fine', () => { createServer().listen(0) })
after(() => { throw new Error('no') })
`,
  }
  const end = await runs(t, files, [], { ZUND_TEST_LINGER_MS: '500' })
  const failures = summaryOf(end).filter((line) => line.includes('✖'))
  assert.deepEqual(failures, [
    '  ✖ packages/server/src/a.test.ts: not fine',
    '  ✖ packages/server/src/b.test.ts: a hook of the file',
    '  ✖ packages/server/src/a.test.ts: the file does not end',
    '  ✖ packages/server/src/b.test.ts: the file does not end',
  ])
})

test('a file that is in a loop is ended, and the other files run', async (t) => {
  const files = {
    [`${UNIT}/a.test.ts`]: "import { test } from 'node:test'\ntest('loops', () => { for (;;); })\n",
    [`${UNIT}/b.test.ts`]: PASSING,
  }
  const end = await runs(t, files, [], { ZUND_TEST_FILE_MS: '6000' })
  assert.deepEqual(summaryOf(end), [
    'unit      3 passed, 1 failed',
    '  ✖ packages/server/src/a.test.ts: the file does not end',
    '      it was not through after 6 s',
    '3 passed, 1 failed',
  ])
})

test('a file without a test counts as failed', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: PASSING, [`${UNIT}/b.test.ts`]: 'export {}\n' })
  assert.equal(lastLine(end), '3 passed, 1 failed')
  assert.equal(end.code, 1)
})

test('no suite at all, and a suite without files, are failures', async (t) => {
  const none = await runs(t, {})
  assert.equal(lastLine(none), '0 passed, 0 failed')
  assert.equal(none.code, 1)
  const empty = await runs(t, { [`${UNIT}/a.test.ts`]: PASSING }, ['api'])
  assert.equal(lastLine(empty), '0 passed, 1 failed')
  assert.equal(empty.code, 1)
})

test('a skipped test is said and counts as neither', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: SKIPPING })
  assert.match(end.out, /^unit +1 passed, 0 failed, 1 skipped/m)
  assert.equal(lastLine(end), '1 passed, 0 failed')
})

test('what stands behind -- selects tests and files', async (t) => {
  const files = { [`${UNIT}/a.test.ts`]: FAILING, [`${UNIT}/b.test.ts`]: PASSING }
  const named = await runs(t, files, ['unit', '--', '--test-name-pattern=^fine$'])
  assert.equal(lastLine(named), '1 passed, 0 failed')
  assert.equal(named.code, 0)
  const file = await runs(t, files, ['unit', '--', `${UNIT}/b.test.ts`])
  assert.equal(lastLine(file), '3 passed, 0 failed')
  const nothing = await runs(t, files, ['unit', '--', '--test-name-pattern=^absent$'])
  assert.equal(lastLine(nothing), '0 passed, 1 failed')
  assert.equal(nothing.code, 1)
})

test('--list names the suites that exist and needs no packages', async (t) => {
  const checkout = aCheckout(t, { [`${UNIT}/a.test.ts`]: PASSING, 'packages/server/test/kill/a.test.ts': PASSING })
  checkout.stub('npm', 'exit 1')
  const { code, out } = await checkout.run(['test', '--list'])
  assert.equal(code, 0)
  assert.deepEqual(
    out
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    ['unit', 'kill'],
  )
})

test('an unknown suite or option is one line and exit status 2', async (t) => {
  const checkout = aCheckout(t, { [`${UNIT}/a.test.ts`]: PASSING })
  for (const [word, complaint] of [
    ['nope', "zund: there is no suite 'nope'; see ./zund test --list"],
    ['--nope', "zund: test does not know '--nope'; see ./zund test --help"],
  ] as const) {
    const { code, complaints } = await checkout.run(['test', word])
    assert.equal(code, 2)
    assert.equal(complaints.at(-1), complaint)
  }
})

test('a directory of tests that no suite covers is an error', async (t) => {
  const end = await runs(t, { [`${UNIT}/a.test.ts`]: PASSING, 'packages/server/test/novel/a.test.ts': PASSING })
  assert.equal(end.code, 1)
  assert.equal(end.complaints.at(-1), 'zund: packages/server/test/novel has no entry in tools/test/suites.ts')
})

test('a suite that uses an engine is given the one that is named', async (t) => {
  const checkout = aCheckout(t, {
    'packages/server/test/host/a.test.ts': `import { test } from 'node:test'
test('a', () => { if (process.env['ZUND_TEST_ENGINE'] !== '/some/engine.sock') throw new Error('another') })
`,
  })
  const end = await checkout.run(['test'], {
    env: { ZUND_TEST_ENGINE: '/some/engine.sock', PATH: `${checkout.searchPath()}:${dirname(process.execPath)}` },
  })
  assert.equal(lastLine(end), '1 passed, 0 failed')
})

test('Ctrl-C ends the tests and fails', async (t) => {
  const checkout = aCheckout(t, {
    [`${UNIT}/a.test.ts`]: `import { test } from 'node:test'
import { writeFileSync } from 'node:fs'
test('fine', () => {})
test('long', async () => {
  writeFileSync('running', String(process.pid))
  await new Promise((resolve) => setTimeout(resolve, 60_000))
})
`,
  })
  const child = checkout.start(['test'])
  const end = said(child)
  await checkout.appears('running')
  child.kill('SIGINT')
  const result = await end
  assert.equal(result.code, 130)
  // Whether the first one and the file, which the signal has ended as well, were still counted is a matter of luck.
  assert.match(lastLine(result) ?? '', /^[01] passed, [12] failed$/)
  await processGone(Number(checkout.read('running')))
})
