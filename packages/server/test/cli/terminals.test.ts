/** Terminals on a real engine, in a window as people have one. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test, type TestContext } from 'node:test'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'
import { Window } from '../client/window.ts'
import { Home, MAIN } from './command.ts'

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

const pairs = (): string[] => Object.entries(home.environment()).map(([name, value]) => `${name}=${value}`)

/** What the terminal is like is said before and after the command, by a shell that outlives it. */
function open(t: TestContext, ...args: readonly string[]): Window {
  const line =
    'stty -g >"$HOME/before"; "$@"; code=$?; stty -g >"$HOME/after"; echo "ended with $code"; cmp "$HOME/before" "$HOME/after" && echo restored'
  const window = new Window(
    ['env', '-i', ...pairs(), 'sh', '-c', `trap : INT; ${line}`, 'sh', process.execPath, MAIN, ...args],
    {},
    [30, 90],
  )
  t.after(() => window.close())
  return window
}

async function endsWith(window: Window, code: number): Promise<void> {
  await window.see(new RegExp(`ended with ${code}\\r\\nrestored`))
  await window.ended()
}

test('exec -it: keys, control characters, UTF-8, the size of the window, and the exit status', async (t) => {
  const window = open(t, 'exec', '-it', 'box', 'sh')
  await window.see(/# /)
  window.type('stty size; echo grüße-$((6*7))\r')
  await window.see(/\r\n30 90\r\n[\s\S]*grüße-42/)
  const mark = window.text.length
  window.resize(20, 61)
  await until('the new size is there', async () => {
    window.type('stty size\r')
    return window.text.slice(mark).includes('20 61')
  })
  window.type('stty raw -echo; echo go; dd bs=1 count=4 2>/dev/null | od -An -tx1\r')
  await window.see(/\ngo/)
  window.type('\u0001\u001A\u001C\u007F')
  await window.see(/01 1a 1c 7f/)
  window.type('stty sane\rexit 42\r')
  await endsWith(window, 42)
})

test('Ctrl-C is a key of the program', async (t) => {
  const window = open(
    t,
    'exec',
    '-it',
    'box',
    'sh',
    '-c',
    'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.1; done',
  )
  await window.see(/ready/)
  window.type('\u0003')
  await window.see(/caught/)
  await endsWith(window, 9)
})

test('run -it talks to the program; Ctrl-P Ctrl-Q leaves it, and attach finds it as it was', async (t) => {
  const first = open(t, 'run', '-it', '--pull', 'never', '--name', 'shell', 'busybox', 'sh')
  await until('the shell answers', async () => {
    first.type('\r')
    return /# /.test(first.text)
  })
  first.type('X=remembered\r')
  await until('the size is there', async () => {
    first.type('stty size\r')
    return first.text.includes('30 90')
  })
  first.type('\u0010\u0011')
  await endsWith(first, 0)
  const second = open(t, 'attach', 'shell')
  await until('the shell answers', async () => {
    second.type('\r')
    return /# /.test(second.text)
  })
  second.type('echo it is $X; exit 5\r')
  await second.see(/\nit is remembered/)
  await endsWith(second, 5)
  assert.equal(await home.ok(['wait', 'shell']), '5\n')
})

test('run -it shows what the program wrote before one could attach, once and in order', async (t) => {
  const script = 'seq 1 200 | sed "s/^/line /"; read x; echo "got $x"; exit 3'
  const window = open(t, 'run', '-it', '--pull', 'never', 'busybox', 'sh', '-c', script)
  await window.see(/line 200\r\n/)
  window.type('word\r')
  await window.see(/got word/)
  await endsWith(window, 3)
  const shown = [...window.text.matchAll(/line (\d+)\r\n/g)].map(([, n]) => Number(n))
  assert.deepEqual(
    shown,
    Array.from({ length: 200 }, (_, i) => i + 1),
  )
})

test('the terminal is restored when the container is killed, when the command is, and when it is refused', async (t) => {
  await home.ok(['run', '-d', '--pull', 'never', '--name', 'victim', 'busybox', 'sleep', '1000'])
  const killed = open(t, 'exec', '-it', 'victim', 'sh')
  await killed.see(/# /)
  await home.ok(['kill', 'victim'])
  await killed.see(/ended with \d+\r\nrestored/)

  const ended = open(t, 'exec', '-it', 'box', 'sh', '-c', 'echo up; exec sleep 1001')
  await ended.see(/up/)
  const found = spawnSync(
    'sh',
    [
      '-c',
      'for p in /proc/[0-9]*; do tr "\\0" " " <$p/cmdline 2>/dev/null | grep -q "^$1 $2 exec -it box sh -c echo up" && echo ${p#/proc/}; done',
      'sh',
      process.execPath,
      MAIN,
    ],
    { encoding: 'utf8' },
  )
  process.kill(Number(found.stdout.trim()), 'SIGTERM')
  await endsWith(ended, 143)

  const refused = open(t, 'exec', '-it', 'nobody', 'sh')
  await refused.see(/zund: [^\r]*nobody/)
  await endsWith(refused, 125)
})

test('a program that is not there ends with 127 or 126, as the engine has it', async (t) => {
  const window = open(t, 'exec', '-it', 'box', 'no-such-program')
  await window.see(/ended with 12[67]\r\nrestored/)
})
