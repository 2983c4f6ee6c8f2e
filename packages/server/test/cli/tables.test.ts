/** Tables in windows of several widths, and colours. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SimMachine } from '../support/sim-machine.ts'
import { until } from '../support/until.ts'
import { Window } from '../client/window.ts'
import { Home, MAIN, variables } from './command.ts'

const UMLAUTS = 'größe'
const ESCAPE = '\u001B'

let machine: SimMachine
let home: Home

before(async () => {
  machine = await SimMachine.start()
  home = new Home(variables(machine.port, 'alice', 'red'))
  await home.ok([
    'run',
    '-d',
    '--name',
    'a-container-with-a-rather-long-name',
    'busybox',
    'serve',
    UMLAUTS,
    'x'.repeat(200),
  ])
  await home.ok(['run', '-d', '--name', 'web', 'busybox', 'serve'])
})
after(async () => {
  await machine.clear()
  home.remove()
  await machine.stop()
})

async function shown(
  columns: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const window = new Window(
    ['env', '-i', ...pairs({ ...home.environment(), ...env }), process.execPath, MAIN, ...args],
    {},
    [24, columns],
  )
  assert.equal(await window.ended(), 0)
  return window.text
}

function pairs(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`)
}

for (const columns of [20, 40, 80, 200]) {
  test(`in ${columns} columns no line of a table is longer, and what matters most is there`, async () => {
    const text = await shown(columns, ['ps'], { NO_COLOR: '1' })
    assert.ok(!text.includes(ESCAPE))
    const lines = text.trimEnd().split('\r\n')
    assert.equal(lines.length, 3)
    for (const line of lines) assert.ok(line.length <= columns, `${line.length}: ${line}`)
    assert.match(text, /^UUID/)
    if (columns >= 40) assert.match(text, /NAME +STATUS[\s\S]*Running/)
    assert.equal(text.includes('a-container-with-a-rather-long-name'), columns === 200)
  })
}

test('through a pipe nothing is cut or coloured; on a terminal the status has a colour', async () => {
  const whole = await home.ok(['ps'])
  assert.ok(whole.includes(`${UMLAUTS} ${'x'.repeat(200)}`))
  assert.ok(!whole.includes(ESCAPE))
  assert.ok((await shown(120, ['ps'])).includes(`${ESCAPE}[32mRunning${ESCAPE}[0m`))
  assert.ok(!(await shown(120, ['ps'], { TERM: 'dumb' })).includes(ESCAPE))
  assert.ok((await shown(80, ['ps', '--no-trunc'], { NO_COLOR: '1' })).includes('x'.repeat(200)))
})

test('a name or command cannot move the cursor of whoever looks at it', async () => {
  await home.ok(['create', '--name', 'odd', 'busybox', 'serve', '\u001B[2Jgone\r\n'])
  assert.match(await home.ok(['ps', '-a']), /serve +\[2Jgone *\n/)
})

test('stats on a terminal is a table that is drawn anew until Ctrl-C', async () => {
  const window = new Window(['env', '-i', ...pairs(home.environment()), process.execPath, MAIN, 'stats'], {}, [24, 80])
  await window.see(/NAME[\s\S]*web +\d+\.\d\d [\s\S]*NAME[\s\S]*web +\d+\.\d\d /)
  window.type('\u0003')
  assert.equal(await window.ended(), 130)
})

test('events are told as they happen until Ctrl-C', async () => {
  const window = new Window(
    ['env', '-i', ...pairs(home.environment()), process.execPath, MAIN, 'events'],
    {},
    [24, 200],
  )
  await until('an event is shown', async () => {
    await home.ok(['restart', '-t', '1', 'web'])
    return /container\.status_changed web [^\n]*status=Running/.test(window.text)
  })
  window.type('\u0003')
  assert.equal(await window.ended(), 130)
})
