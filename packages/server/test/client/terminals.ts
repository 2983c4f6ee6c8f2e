/** The client's own program in a terminal window: attach, and interactive run and exec. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { TestContext } from 'node:test'
import { until } from '../support/until.ts'
import type { Stage } from './stage.ts'
import type { Window } from './window.ts'

const SHELL = ['sh', '-c', 'export PS1="ready> "; exec sh'] as const

const PROMPT = /ready> /

export function terminalsTests(stage: Stage): void {
  const open = (t: TestContext, line: string, ...rest: readonly string[]): Window => {
    const window = stage.demo.window(line, ...rest)
    t.after(() => window.close())
    return window
  }

  /** Once connected the client throws away what was typed before, at a moment that is not seen. */
  const enter = async (window: Window, connected: RegExp, prompt: RegExp): Promise<void> => {
    await window.see(connected)
    const mark = window.text.length
    await until('the shell answers', async () => {
      window.type('\r')
      return prompt.test(window.text.slice(mark))
    })
  }

  it('exec --interactive is a shell of its own, in a terminal of the window’s size, until it is left', async (t) => {
    await stage.running('box')
    const window = open(t, 'appcontainer exec --interactive box sh')
    await enter(window, /connected to box, press Enter to continue/, /# /)
    window.type('stty size; echo $((6*7))\r')
    await window.see(/31 97[\s\S]*42/)
    const mark = window.text.length
    window.resize(24, 60)
    await until('the new size is there', async () => {
      window.type('stty size\r')
      return window.text.slice(mark).includes('24 60')
    })
    window.type('echo grüße | cat; exit\r')
    await window.see(/\ngrüße/)
    assert.equal(await window.ended(), 0)
    assert.equal((await stage.settled('box', 'Running')).status, 'Running')
  })

  it('attach talks to the program itself, and leaving does not end it', async (t) => {
    await stage.demo.ok(`appcontainer create --interactive --name tty ${stage.busybox}`, ...SHELL)
    await stage.settled('tty', 'Created')
    await stage.demo.ok('appcontainer start tty')
    await stage.settled('tty', 'Running')
    const first = open(t, 'appcontainer attach tty')
    await enter(first, /connected to tty, press Enter to continue/, PROMPT)
    first.type('stty size; X=remembered\r')
    await first.see(/31 97/)
    await first.close()
    const second = open(t, 'appcontainer attach tty')
    await enter(second, /connected/, PROMPT)
    second.type('echo it is $X\r')
    await second.see(/\nit is remembered/)
    second.type('exit 4\r')
    assert.equal(await second.ended(), 0)
    assert.match(String((await stage.settled('tty', 'Stopped')).status_detail), /^Exited\(4\)/)
  })

  it('run --interactive waits for the start and attaches', async (t) => {
    const window = open(t, `appcontainer run --interactive --name direct ${stage.busybox}`, ...SHELL)
    await enter(window, /connected to/, PROMPT)
    window.type('echo $((41+1)); exit\r')
    await window.see(/\r\n42\r\n/)
    assert.equal(await window.ended(), 0)
    await stage.settled('direct', 'Stopped')
  })

  it('control characters reach the program: an interrupt ends the command and not the shell, the end of input the shell', async (t) => {
    const window = open(t, 'appcontainer exec --interactive box sh')
    await enter(window, /connected to box/, /# /)
    window.type('sleep 1000 || echo "ended by $?"\r')
    await window.see(/echo "ended by/)
    window.type('\u0003')
    const mark = window.text.length
    await until('the shell goes on', async () => {
      window.type('echo still $((40+2))\r')
      return window.text.slice(mark).includes('still 42')
    })
    window.type('\u0004')
    assert.equal(await window.ended(), 0)
  })

  it('a service that stops ends the window at once, and not with an error', async (t) => {
    const window = open(t, 'appcontainer exec --interactive box sh')
    await enter(window, /connected to box/, /# /)
    const mark = window.text.length
    await stage.zund.stop()
    assert.equal(await window.ended(), 0)
    assert.doesNotMatch(window.text.slice(mark), /Traceback|Error|failed/)
    await stage.zund.up()
    assert.equal((await stage.settled('box', 'Running')).status, 'Running')
  })

  it('attach is refused where there is no terminal to attach to', async () => {
    const { demo } = stage
    assert.match(await demo.refused('appcontainer attach box'), /interactive flag.*\(HTTP 400\)/)
    assert.match(await demo.refused('appcontainer attach tty'), /in Stopped state.*\(HTTP 409\)/)
    assert.match(await demo.refused('appcontainer exec --interactive tty sh'), /in Stopped state.*\(HTTP 409\)/)
    assert.match(await demo.refused('appcontainer attach nobody'), /Container nobody could not be found/)
  })
}
