import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SERVICE_COMMANDS } from '../../../cli/src/commands/service-commands.ts'
import { Checkout } from './checkout.ts'

const ROLES = ['api', 'conductor', 'compute', 'wsproxy', 'db', 'certificates']
const COMMANDS = ['up', 'down', 'status', 'policy', 'config', ...ROLES, 'test', 'bench', 'env']

test('help is there for the launcher and each of its commands, and sets nothing up', async (t) => {
  const checkout = new Checkout(t)
  checkout.stub('node', 'exit 1')
  checkout.stub('npm', 'exit 1')
  for (const args of [[], ['--help'], ['-h'], ['help']]) {
    const { code, out, complaints } = await checkout.run(args)
    assert.deepEqual({ code, complaints }, { code: 0, complaints: [] })
    assert.match(out, /^Usage: \.\/zund COMMAND/)
    for (const command of COMMANDS) assert.match(out, new RegExp(`^ {2}${command} `, 'm'))
  }
  for (const command of COMMANDS) {
    const { code, out, complaints } = await checkout.run([command, '--help'])
    assert.deepEqual({ code, complaints }, { code: 0, complaints: [] })
    assert.ok(out.startsWith(`Usage: ./zund ${command}`), out)
    assert.equal((await checkout.run(['help', command])).out, out)
  }
  assert.equal(checkout.read('.zund/runtime'), '')
})

test('help of `up` names all of its options', async (t) => {
  const { out } = await new Checkout(t).run(['up', '--state-dir', '/nowhere', '--help'])
  for (const option of [
    '--state-dir',
    '--api-port',
    '--wsproxy-port',
    '--bind',
    '--config-file',
    '--detach',
    '--no-install',
  ]) {
    assert.ok(out.includes(option), option)
  }
})

test('what completion offers of the commands of the service is what their help tells of', async (t) => {
  const checkout = new Checkout(t)
  const offered = Object.groupBy(SERVICE_COMMANDS, ({ name }) => name.split(' ')[0] ?? '')
  const own = ['test', 'bench', 'env']
  assert.deepEqual(Object.keys(offered).toSorted(), COMMANDS.filter((name) => !own.includes(name)).toSorted())
  for (const [word, commands = []] of Object.entries(offered)) {
    const { out } = await checkout.run([word, '--help'])
    for (const { name, options } of commands) {
      assert.ok(
        name.split(' ').every((part) => out.includes(part)),
        name,
      )
      for (const option of options) if (option !== '--help') assert.ok(out.includes(option), `${name} ${option}`)
    }
  }
})

test('help about something unknown is one line and exit status 2', async (t) => {
  const { code, complaints } = await new Checkout(t).run(['help', 'weather'])
  assert.equal(code, 2)
  assert.deepEqual(complaints, ["zund: there is no help about 'weather'; see ./zund --help"])
})

test('--version says the version of the project', async (t) => {
  const { code, out } = await new Checkout(t).run(['--version'])
  assert.equal(code, 0)
  assert.match(out, /^zund \d+\.\d+\.\d+\n$/)
})
