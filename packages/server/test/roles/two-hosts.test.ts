/** Two hosts, each with an engine in a network of its own, and one control plane that reaches both over a wire. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { importBusybox } from '../../../../tools/test/busybox-image.ts'
import { PrivateEngine } from '../../../../tools/test/private-engine.ts'
import { OBEDIENT, type ApiClient } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import { RoleDeployment } from '../support/role-deployment.ts'
import type { RoleProcess } from '../support/role-process.ts'
import { deploymentOf, TestEngine } from '../support/test-engine.ts'
import { Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

const run = promisify(execFile)
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(100_000) })

let on: RoleDeployment
let second: PrivateEngine
let hosts: { readonly a: RoleProcess; readonly b: RoleProcess }
let admin: ApiClient

/** A wire between this network and that of the second engine; gives both of its addresses. */
async function wire(engine: PrivateEngine): Promise<{ readonly here: string; readonly there: string }> {
  const { pid } = engine
  const net = `198.19.${pid % 251}.${4 * (pid % 61)}`
  const address = (n: number): string => net.replace(/\d+$/, (last) => String(Number(last) + n))
  const [here, there] = [address(1), address(2)]
  await run('ip', ['link', 'add', `zr${pid}`, 'type', 'veth', 'peer', 'name', `zp${pid}`, 'netns', String(pid)])
  await run('ip', ['address', 'add', `${here}/30`, 'dev', `zr${pid}`])
  await run('ip', ['link', 'set', `zr${pid}`, 'up'])
  const [enter = '', ...rest] = engine.enter
  await run(enter, [...rest, 'ip', 'address', 'add', `${there}/30`, 'dev', `zp${pid}`])
  await run(enter, [...rest, 'ip', 'link', 'set', `zp${pid}`, 'up'])
  return { here, there }
}

before(async () => {
  on = await RoleDeployment.make()
  second = await PrivateEngine.start(soon())
  await importBusybox(second.socketPath, soon())
  const { here, there } = await wire(second)
  const config = on.configure('controller', { zund: { link_host_ip: '0.0.0.0' } })
  const zone = (name: string) => ({ DEFAULT: { default_availability_zone: name } })
  const a = await on.host('host-a', { conf: zone('zone-a') })
  const b = await on.host('host-b', {
    conf: {
      DEFAULT: { ...zone('zone-b').DEFAULT, my_ip: there },
      // The first cannot be reached from there: the next is tried.
      zund: { control_plane: `127.0.0.1:${on.linkPort},${here}:${on.linkPort}` },
    },
    engine: new TestEngine(second.socketPath),
    wrap: second.enter,
  })
  hosts = { a: a.process, b: b.process }
  const roles = [on.role('api', config), on.role('wsproxy', config), hosts.a, hosts.b]
  await Promise.all(roles.map((role) => role.start()))
  for (const host of [hosts.a, hosts.b]) await host.says(/ working /)
  admin = await on.client('zund-admin')
})
after(() =>
  closeAll(
    () => on.destroy(),
    () => second.stop(),
  ),
)

async function runIn(zone: string, name: string): Promise<string> {
  return (await admin.run({ name, availability_zone: zone })).uuid
}

async function onEngine(engine: TestEngine): Promise<string[]> {
  return (await engine.containers(deploymentOf(on.database))).map(({ name }) => name)
}

test('each host has its container, and both are talked to', async () => {
  const [a, b] = await Promise.all([runIn('zone-a', 'on-a'), runIn('zone-b', 'on-b')])
  assert.deepEqual([(await admin.show(a))['host'], (await admin.show(b))['host']], ['host-a', 'host-b'])
  assert.deepEqual(await onEngine(new TestEngine()), [`zun-${a}`])
  assert.deepEqual(await onEngine(new TestEngine(second.socketPath)), [`zun-${b}`])
  for (const uuid of [a, b]) {
    const path = `/v1/containers/${uuid}/execute?command=hostname&run=true&interactive=false`
    const { output } = await admin.expect<{ output: string }>(200, 'POST', path)
    assert.match(output, /./)
  }
  const { hosts: listed } = await admin.expect<{ hosts: { hostname: string }[] }>(200, 'GET', '/v1/hosts')
  assert.deepEqual(listed.map(({ hostname }) => hostname).toSorted(), ['host-a', 'host-b'])
  for (const uuid of [a, b]) await admin.delete(uuid)
})

test('a terminal to a host elsewhere', async () => {
  const { uuid } = await admin.run({ availability_zone: 'zone-b', interactive: true, tty: true, command: ['sh'] })
  const terminal = await Terminal.open(await admin.expect<string>(200, 'GET', `/v1/containers/${uuid}/attach`))
  terminal.type('echo $((6*7))\n')
  await terminal.see(/42/)
  terminal.type('exit\n')
  assert.equal((await terminal.closed).code, 1000)
  await admin.delete(uuid)
})

test('a host that dies keeps its containers; the other one goes on, and it comes back to its own', async () => {
  const [a, b] = [await runIn('zone-a', 'stays'), await runIn('zone-b', 'waits')]
  await hosts.b.kill()
  const { uuid: late } = await admin.expect<{ uuid: string }>(202, 'POST', '/v1/containers?run=true', {
    body: {
      name: 'late',
      image: 'busybox',
      image_pull_policy: 'never',
      command: OBEDIENT,
      availability_zone: 'zone-b',
    },
  })
  const { status } = await admin.call('GET', `/v1/containers/${b}/top`)
  assert.equal(status, 503)
  await admin.expect(200, 'GET', `/v1/containers/${a}/top`)
  await hosts.b.start()
  await admin.waitFor(late, (container) => container.status === 'Running')
  await until('it is reached again', async () => (await admin.call('GET', `/v1/containers/${b}/top`)).status === 200)
  assert.deepEqual(
    (await onEngine(new TestEngine(second.socketPath))).toSorted(),
    [b, late].map((uuid) => `zun-${uuid}`).toSorted(),
  )
  for (const uuid of [a, b, late]) await admin.delete(uuid)
})
