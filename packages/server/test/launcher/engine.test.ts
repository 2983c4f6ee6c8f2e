/** What `up` does about the container engine before the server starts. The engines are stand-ins that answer pings. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Checkout, said, SERVER } from './checkout.ts'

/** A checkout that is set up already and whose server only writes down how it was called. */
async function aCheckout(t: TestContext): Promise<Checkout> {
  const checkout = new Checkout(t)
  checkout.stubNode('24.21.0')
  checkout.stubNpm()
  await checkout.run(['status'])
  checkout.calls()
  return checkout
}

/** A unix socket at which `answer` is given to every request. */
async function listening(t: TestContext, answer: RequestListener): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'zund-socket-'))
  const path = join(directory, 'engine.sock')
  chmodSync(directory, 0o755)
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
    rmSync(directory, { recursive: true, force: true })
  })
  return path
}

const answersOk: RequestListener = (_request, response) => response.end('OK')

test('an engine that answers is used as it is, and the server gets the options as they were given', async (t) => {
  const checkout = await aCheckout(t)
  const socket = await listening(t, answersOk)
  const { code, complaints } = await checkout.run(['up', '--state-dir', '/a b', '--api-port=1', '--detach'], {
    env: { DOCKER_HOST: `unix://${socket}` },
  })
  assert.deepEqual({ code, complaints }, { code: 0, complaints: [] })
  assert.deepEqual(checkout.calls(), [`node ${SERVER} up --state-dir /a b --api-port=1 --detach`])
})

test('an engine on TCP is refused in one line', async (t) => {
  const checkout = await aCheckout(t)
  for (const host of ['tcp://127.0.0.1:2375', 'ssh://somewhere', '/var/run/docker.sock']) {
    const { code, complaints } = await checkout.run(['up'], { env: { DOCKER_HOST: host } })
    assert.equal(code, 1)
    assert.equal(complaints.length, 1)
    assert.ok(complaints[0]?.startsWith(`zund: DOCKER_HOST is ${host}, but only unix:// is accepted`), complaints[0])
  }
  assert.deepEqual(checkout.calls(), [])
})

test('a named socket without an engine is one line, whether or not installing is allowed', async (t) => {
  const checkout = await aCheckout(t)
  for (const more of [[], ['--no-install']]) {
    const { code, complaints } = await checkout.run(['up', ...more], { env: { DOCKER_HOST: 'unix:///nowhere.sock' } })
    assert.equal(code, 1)
    assert.deepEqual(complaints, [
      'zund: no container engine answers at /nowhere.sock (from DOCKER_HOST); start it, or unset DOCKER_HOST',
    ])
  }
})

test('something that is no engine is one line', async (t) => {
  const checkout = await aCheckout(t)
  const socket = await listening(t, (_request, response) => response.writeHead(500).end('no'))
  const { code, complaints } = await checkout.run(['up'], { env: { DOCKER_HOST: `unix://${socket}` } })
  assert.equal(code, 1)
  assert.deepEqual(complaints, [`zund: what listens at ${socket} does not answer as a container engine does`])
})

test('an engine that hangs is one line', async (t) => {
  const checkout = await aCheckout(t)
  const socket = await listening(t, () => undefined)
  const { code, complaints } = await checkout.run(['up'], { env: { DOCKER_HOST: `unix://${socket}` } })
  assert.equal(code, 1)
  assert.deepEqual(complaints, [
    `zund: the container engine at ${socket} takes connections but does not answer; see its log`,
  ])
})

test('a socket without permission is one line', async (t) => {
  const checkout = await aCheckout(t)
  const socket = await listening(t, answersOk)
  chmodSync(socket, 0o600)
  const { code, complaints } = await checkout.run(['up'], { env: { DOCKER_HOST: `unix://${socket}` }, uid: 65_534 })
  assert.equal(code, 1)
  assert.deepEqual(complaints, [
    `zund: no permission to use the container engine at ${socket}; run as root or join the group that owns it`,
  ])
})

test('without curl, Node asks the engine', async (t) => {
  const ping = join(import.meta.dirname, '../../../../tools/launcher/ping-engine.ts')
  const socket = await listening(t, answersOk)
  assert.deepEqual(await said(spawn(process.execPath, [ping, socket])), { code: 0, out: 'OK', complaints: [] })
  assert.deepEqual(await said(spawn(process.execPath, [ping, '/nowhere'])), { code: 7, out: '', complaints: [] })
})

test('a slip in the options is told before anything is set up', async (t) => {
  const checkout = new Checkout(t)
  checkout.stub('npm', 'exit 1')
  for (const [args, complaint] of [
    [['--prot', '1'], "up does not know '--prot'"],
    [['--api-port'], '--api-port needs a value'],
    [['please'], "up does not know 'please'"],
  ] as const) {
    const { code, complaints } = await checkout.run(['up', ...args])
    assert.equal(code, 2)
    assert.deepEqual(complaints, [`zund: ${complaint}; see ./zund --help`])
  }
})

// --- a machine without an engine ----------------------------------------------------------------------------------------

/** Runs the launcher where nothing of the machine's own engine is to be seen: in a mount namespace with an empty /run. */
function bareMachine(options: { dockerd: boolean }): string[] {
  const hide = 'if program=$(PATH=/usr/sbin:/usr/bin command -v dockerd); then mount --bind /run/nothing "$program"; fi'
  const script = `mount -t tmpfs none /run && touch /run/nothing && ${options.dockerd ? ':' : hide} && exec "$@"`
  return ['unshare', '--mount', '--', 'sh', '-c', script, 'sh']
}

/** Text of a dockerd that only answers pings, and not for ever. */
const DOCKERD = `echo "dockerd speaks"
exec "${process.execPath}" -e "
require('node:http').createServer((q, a) => a.end('OK')).listen('/var/run/docker.sock')
setTimeout(() => process.exit(), 30000)"`

/** Ends the stand-in after the test. */
function endsWith(t: TestContext, checkout: Checkout): void {
  const pid = Number(checkout.read('state/engine.pid'))
  assert.ok(pid > 1)
  t.after(() => process.kill(pid))
}

test('--no-install on a machine without an engine is one line that says what to do', async (t) => {
  const checkout = await aCheckout(t)
  checkout.stub('apt-get', `echo "apt-get $*" >>"${checkout.path('calls')}"; exit 1`)
  const { code, complaints } = await checkout.run(['up', '--no-install'], { wrap: bareMachine({ dockerd: false }) })
  assert.equal(code, 1)
  assert.deepEqual(complaints, [
    'zund: no container engine answers at /var/run/docker.sock; install and start one ' +
      '(on Debian: apt-get install docker.io), or set DOCKER_HOST=unix://PATH',
  ])
  assert.deepEqual(checkout.calls(), [])
})

test('an engine that is installed is started where there is no systemd, its log in the state directory', async (t) => {
  const checkout = await aCheckout(t)
  checkout.stub('dockerd', DOCKERD)
  const state = checkout.path('state')
  const up = ['up', '--state-dir', state]
  const { code, complaints } = await checkout.run(up, { wrap: bareMachine({ dockerd: true }) })
  endsWith(t, checkout)
  assert.equal(code, 0)
  assert.deepEqual(complaints, [`zund: starting the container engine (its log: ${state}/engine.log)`])
  assert.equal(checkout.read('state/engine.log'), 'dockerd speaks\n')
  assert.deepEqual(checkout.calls(), [`node ${SERVER} up --state-dir ./state`])
})

test('an engine that ends at once is told with the end of its log', async (t) => {
  const checkout = await aCheckout(t)
  checkout.stub('dockerd', 'echo "no cgroups here"; exit 1')
  const state = checkout.path('state')
  const { code, complaints } = await checkout.run(['up', '--state-dir', state], {
    wrap: bareMachine({ dockerd: true }),
  })
  assert.equal(code, 1)
  assert.deepEqual(complaints.slice(1), [
    'no cgroups here',
    `zund: the container engine ended at once; see ${state}/engine.log`,
  ])
})

test('a missing engine is installed, with new package lists if the old ones do not help, and started', async (t) => {
  const checkout = await aCheckout(t)
  const installed = checkout.stubPath('dockerd')
  checkout.stub(
    'apt-get',
    `echo "apt-get $*" >>"${checkout.path('calls')}"
case $* in
  update*) touch "${checkout.path('lists')}" ;;
  *) [ -e "${checkout.path('lists')}" ] || exit 100
    cat >"${installed}" <<'TEXT'
#!/bin/sh
${DOCKERD}
TEXT
    chmod +x "${installed}" ;;
esac`,
  )
  const state = checkout.path('state')
  const up = ['up', '--state-dir', state]
  const { code, complaints } = await checkout.run(up, { wrap: bareMachine({ dockerd: false }) })
  assert.equal(code, 0)
  endsWith(t, checkout)
  assert.deepEqual(complaints, [
    'zund: installing the container engine (docker.io iptables e2fsprogs ca-certificates)',
    `zund: starting the container engine (its log: ${state}/engine.log)`,
  ])
  const install =
    'apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 docker.io iptables e2fsprogs ca-certificates'
  assert.deepEqual(checkout.calls(), [
    install,
    'apt-get update -q -o DPkg::Lock::Timeout=300',
    install,
    `node ${SERVER} up --state-dir ./state`,
  ])
})

test('an engine that cannot be installed is told with the end of what apt-get said', async (t) => {
  const checkout = await aCheckout(t)
  checkout.stub('apt-get', 'echo "E: no such package"; exit 100')
  const { code, complaints } = await checkout.run(['up'], { wrap: bareMachine({ dockerd: false }) })
  assert.equal(code, 1)
  assert.equal(complaints.at(-2), 'E: no such package')
  assert.match(complaints.at(-1) ?? '', /^zund: installing the container engine failed; all it said is in /)
})

test('somebody who is not root is told what to do and gets nothing installed', async (t) => {
  const checkout = await aCheckout(t)
  checkout.stub('apt-get', `echo "apt-get $*" >>"${checkout.path('calls')}"`)
  const wrap = [...bareMachine({ dockerd: false }), 'setpriv', '--reuid=65534', '--clear-groups', '--']
  const { code, complaints } = await checkout.run(['up'], { wrap })
  assert.equal(code, 1)
  assert.match(complaints.join('\n'), /^zund: no container engine answers at .*, or run as root to have it done$/)
  assert.deepEqual(checkout.calls(), [])
})

test('a state directory that cannot be made is one line', async (t) => {
  const checkout = await aCheckout(t)
  checkout.stub('dockerd', 'exit 1')
  const up = ['up', '--state-dir', '/proc/zund']
  const { code, complaints } = await checkout.run(up, { wrap: bareMachine({ dockerd: true }) })
  assert.equal(code, 1)
  assert.deepEqual(complaints, ['zund: cannot make the directory /proc/zund'])
})
