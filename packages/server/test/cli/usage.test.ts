/** What is wrong on the command line or around it is told in one line, with the right exit status. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { COMMANDS } from '../../../cli/src/commands.ts'
import { freePort } from '../support/zund-process.ts'
import { Home } from './command.ts'

const ROOT = join(import.meta.dirname, '../../../..')

let home: Home

before(() => void (home = new Home()))
after(() => home.remove())

const WRONG: readonly (readonly [words: string, named: RegExp])[] = [
  ['ps --colour', /ps has no option --colour/],
  ['ps -x', /ps has no option -x/],
  ['ps --all=yes', /--all takes no value/],
  ['ps --filter', /--filter needs a value/],
  ['ps --filter name', /--filter is 'name', and must be KEY=VALUE/],
  ['ps --filter size=1', /--filter has no key 'size'; there are name/],
  ['ps -o xml', /--output is 'xml', and may be table, json, yaml, name/],
  ['ps web', /ps does not know what to do with 'web'/],
  ['inspect', /inspect needs CONTAINER/],
  ['run', /run needs IMAGE/],
  ['run --memory lots busybox', /--memory is 'lots'/],
  ['run --cpu -1 busybox', /--cpu is '-1'/],
  ['run --restart maybe busybox', /--restart is 'maybe'/],
  ['run --pull perhaps busybox', /--pull is 'perhaps', and may be always/],
  ['run -p 80:80 busybox', /--publish is '80:80': containers have addresses of their own/],
  ['run -v data busybox', /--volume is 'data'/],
  ['run --net colour=red busybox', /--net has no key 'colour'/],
  ['run --rm --restart always busybox', /--rm and --restart do not go together/],
  ['stop -t soon web', /--time is 'soon', and must be a whole number/],
  ['logs --tail few web', /--tail is 'few'/],
  ['logs --since yesterday web', /--since is 'yesterday'/],
  ['exec web', /exec needs COMMAND/],
  ['cp a b', /cp needs CONTAINER:\/PATH on exactly one side/],
  ['capsule apply', /capsule apply needs --file/],
  ['capsule fly', /there is no command 'capsule fly'/],
  ['completion tcsh', /there is no completion for 'tcsh'; there is for bash, zsh, fish/],
  ['fly', /there is no command 'fly'; see zund help/],
]

for (const [words, named] of WRONG) {
  test(`zund ${words}: exit status 2 and a line that names it`, async () => {
    const { code, out, err } = await home.zund(words.split(' '))
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /^zund: [^\n]+\n$/)
    assert.match(err, named)
  })
}

test('help is there for every command, in the list, and in the documentation', async () => {
  const overview = await home.ok(['help'])
  const document = readFileSync(join(ROOT, 'docs/cli.md'), 'utf8')
  for (const [name, { load, aliases = [] }] of Object.entries(COMMANDS)) {
    const command = await load()
    assert.equal(command.name, name)
    assert.deepEqual(command.aliases ?? [], aliases)
    assert.match(overview, new RegExp(`^ {2}${name} `, 'm'))
    assert.match(document, new RegExp(`\`zund ${name}[ \`]`), name)
    for (const option of Object.keys(command.options))
      assert.ok(document.includes(`--${option}`), `${name} --${option}`)
  }
  assert.match(
    await home.ok(['run', '--help']),
    /^Usage: zund run \[OPTIONS\] IMAGE \[COMMAND\.\.\.\]\n[\s\S]*-e, --env NAME/,
  )
  assert.equal(await home.ok(['help', 'capsule', 'apply']), await home.ok(['capsule', 'apply', '-h']))
})

test('the launcher knows every command', () => {
  const script = '. "$1/tools/launcher/help.sh"; shift; for word; do is_client_command "$word" || echo "$word"; done'
  const words = Object.entries(COMMANDS).flatMap(([name, { aliases = [] }]) => [name.split(' ')[0] ?? '', ...aliases])
  assert.equal(execFileSync('sh', ['-c', script, 'sh', ROOT, ...words], { encoding: 'utf8' }), '')
  assert.equal(execFileSync('sh', ['-c', script, 'sh', ROOT, 'up', 'status'], { encoding: 'utf8' }), 'up\nstatus\n')
})

test('without anything to log in with, and without a service, there is a plain sentence', async () => {
  const nothing = await home.zund(['ps'])
  assert.equal(nothing.code, 1)
  assert.match(nothing.err, /^zund: there is nothing to log in with: [^\n]*\n$/)
  const url = `http://127.0.0.1:${await freePort()}`
  const env = { OS_AUTH_URL: url, OS_USERNAME: 'a', OS_PASSWORD: 'b', OS_PROJECT_NAME: 'c' }
  const nobody = await home.zund(['ps'], { env })
  assert.deepEqual([nobody.code, nobody.err], [1, `zund: ${url} cannot be reached: nobody listens there\n`])
})
