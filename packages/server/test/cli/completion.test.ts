/** Completion in the shells themselves. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { SimMachine } from '../support/sim-machine.ts'
import { Window } from '../client/window.ts'
import { Home, MAIN, variables } from './command.ts'

const run = promisify(execFile)

let machine: SimMachine
let home: Home

before(async () => {
  machine = await SimMachine.start()
  home = new Home(variables(machine.port, 'alice', 'red'))
  await home.ok(['run', '-d', '--name', 'a-long-name', 'busybox', 'serve'])
  await home.ok(['run', '-d', '--name', 'web', 'busybox', 'serve'])
  home.write('zund', `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`)
  chmodSync(home.file('zund'), 0o755)
})
after(async () => {
  home.remove()
  await machine.clear()
  await machine.stop()
})

function environment(): Record<string, string> {
  const env = home.environment()
  return { ...env, PATH: `${home.path}:${env['PATH'] ?? ''}` }
}

test('bash offers commands, options and names of containers', async () => {
  const script = home.write('completion.bash', await home.ok(['completion', 'bash']))
  const offered = async (...words: string[]): Promise<string[]> => {
    const ask = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _zund; printf "%s\\n" "${COMPREPLY[@]}"'
    const { stdout } = await run('bash', ['-c', ask, 'bash', script, home.file('zund'), ...words], {
      env: environment(),
    })
    return stdout.split('\n').filter((word) => word !== '')
  }
  assert.deepEqual(await offered('ins'), ['inspect'])
  assert.deepEqual(await offered('capsule', 'a'), ['apply'])
  assert.deepEqual(await offered('login', ''), ['check'])
  assert.deepEqual(await offered('cert'), ['certificates'])
  assert.deepEqual(await offered('db', 's'), ['sync'])
  assert.deepEqual(await offered('compute', '--config-'), ['--config-file', '--config-dir'])
  assert.deepEqual(await offered('ps', '--q'), ['--quiet'])
  assert.deepEqual(await offered('capsule', 'apply', '--re'), ['--replace'])
  assert.deepEqual(await offered('stop', 'we'), ['web'])
  assert.deepEqual(await offered('exec', 'a-'), ['a-long-name'])
})

test('fish offers the same', async () => {
  const script = home.write('completion.fish', await home.ok(['completion', 'fish']))
  const offered = async (line: string): Promise<string[]> => {
    const { stdout } = await run('fish', ['-c', `source ${script}; complete -C '${line}'`], { env: environment() })
    return stdout.split('\n').flatMap((word) => (word === '' ? [] : [word.split('\t')[0] ?? '']))
  }
  assert.deepEqual(await offered('zund ins'), ['inspect'])
  assert.deepEqual(await offered('zund capsule a'), ['apply'])
  assert.deepEqual(await offered('zund ps --q'), ['--quiet'])
  assert.deepEqual(await offered('zund stop we'), ['web'])
})

test('zsh offers the same, also to whoever has not set up its own completion', async () => {
  const script = home.write('completion.zsh', await home.ok(['completion', 'zsh']))
  const env = Object.entries({ ...environment(), PS1: 'ready> ', TERM: 'dumb' }).map(
    ([name, value]) => `${name}=${value}`,
  )
  const window = new Window(['env', '-i', ...env, 'zsh', '-f', '-i'], {}, [24, 80])
  try {
    await window.see(/ready> /)
    window.type(`source ${script}; echo it is re""ad\n`)
    await window.see(/it is read\r\n[^]*ready> /)
    for (const [typed, line] of [
      ['zund ins', /zund inspect/],
      ['zund capsule ap', /zund capsule apply/],
      ['zund ps --qu', /zund ps --quiet/],
      ['zund stop we', /zund stop web/],
    ] as const) {
      const mark = window.text.length
      window.type(`${typed}\t`)
      await window.see(line, mark)
      // Away with the line, to the next.
      window.type('\u0003')
      await window.see(/\n[^\n]*ready> /, mark)
    }
  } finally {
    await window.close()
  }
})
