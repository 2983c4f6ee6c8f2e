/** Images that are brought to a host for themselves. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SimMachine } from '../support/sim-machine.ts'
import { Window } from '../client/window.ts'
import { Home, MAIN, variables } from './command.ts'

let machine: SimMachine
let home: Home

before(async () => {
  machine = await SimMachine.start()
  machine.engine.images.publish('docker.io/library/nginx:latest', { layers: 3 })
  home = new Home(variables(machine.port, 'admin', 'ops'))
})
after(async () => {
  home.remove()
  await machine.stop()
})

test('a pull ends when the image is there, and prints its uuid', async () => {
  const printed = await home.ok(['pull', 'nginx'])
  assert.equal(printed, await home.ok(['images', '-q']))
})

test('a pull that fails says why, and does not wait for what will never come', async () => {
  const { code, out, err } = await home.zund(['pull', 'no/such'])
  assert.equal(code, 1)
  assert.match(err, /no\/such.* was not found/)
  assert.equal(out, '')
  // Refused before anything is pulled: it is there already.
  assert.match((await home.zund(['pull', 'nginx'])).err, /exists on host/)
})

test('a pull in a terminal shows how far it is', async () => {
  machine.engine.images.publish('docker.io/library/busybox:1', { layers: 4 })
  const env = Object.entries(home.environment()).map(([name, value]) => `${name}=${value}`)
  const window = new Window(['env', '-i', ...env, process.execPath, MAIN, 'pull', 'busybox:1'], {}, [24, 100])
  assert.equal(await window.ended(), 0)
  assert.match(window.text, /pulling busybox:1 · layer \d of 4/)
})
