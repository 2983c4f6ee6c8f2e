/** docs/openstack.md, followed by somebody who types what is there: from an existing cloud to containers on one machine. */
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { until } from '../support/until.ts'
import { Window } from '../client/window.ts'
import { withoutService } from './support/absent-service.ts'
import { account, cloudsYaml } from './support/accounts.ts'
import { forgetHost } from './support/cloud-stage.ts'
import { assertUnchanged, cloudState, type CloudState } from './support/cloud-state.ts'
import { CloudUser } from './support/cloud-user.ts'
import { Machine } from './support/machine.ts'
import { blockOf, reworded } from './support/page.ts'
import { openPublicAddress } from './support/public-address.ts'

const PAGE = 'openstack.md'

describe('docs/openstack.md, with one machine that does all', () => {
  let admin: CloudUser
  let demo: CloudUser
  let machine: Machine
  let putBack: () => Promise<void>
  let earlier: CloudState

  /** What a reader has otherwise: where Keystone is, passwords, the name of the machine, that of an image. */
  const keystone = account('admin').authUrl.replace(/\/v3$/, '')
  const own = {
    'https://cloud.example:5000': keystone,
    'http://192.0.2.10:5000': keystone,
    SECRET: account('zun').password,
    compute1: hostname(),
    busybox: 'page-busybox',
  }
  const block = (section: string, about: RegExp): string => reworded(blockOf(PAGE, section, about), own)
  const as = (cloud: string): { env: Readonly<Record<string, string>> } => ({
    env: { OS_CLIENT_CONFIG_FILE: cloudsYaml(), OS_CLOUD: cloud },
  })
  const state = async (): Promise<CloudState> =>
    cloudState({ admin, engine: machine.engine, directory: '/var/lib/zund' })

  before(async () => {
    admin = await CloudUser.login('admin')
    demo = await CloudUser.login('demo')
    await forgetHost(admin)
    putBack = await withoutService(admin)
    machine = await Machine.make('machine')
    await machine.addAddress('192.0.2.10/24', 'cable0')
    await openPublicAddress(machine)
    await machine.must(`docker tag busybox ${own.busybox}`)
    earlier = await state()
  })

  after(async () => {
    try {
      await machine.run('openstack appcontainer delete --stop hello', as('demo'))
      await machine.stop()
    } finally {
      await putBack()
      await forgetHost(admin)
    }
  })

  it('1. makes the user, its roles and the catalogue', async () => {
    const window = new Window(machine.inside('sh', '-e', '-c', block('1.', /user create/)), as('admin').env, [24, 80])
    for (const prompt of [/User Password:/, /Repeat User Password:/]) {
      await window.see(prompt)
      window.type(`${own.SECRET}\r`)
    }
    assert.equal(await window.ended(), 0, window.text)
    const zun = await CloudUser.login('zun')
    for (const role of ['admin', 'service']) assert.ok(zun.roles.includes(role), role)
  })

  it('2. starts with the configuration and the command of the page', async () => {
    await machine.must('mkdir /etc/zun; cat >/etc/zun/zun.conf', { input: block('2.', /^\[keystone_auth\]/m) })
    const said = await machine.run(block('2.', /zund up/))
    assert.equal(said.code, 0, said.err)
    assert.match(said.out, /^zund is ready on /)
  })

  it('4. is known to everybody who must know it', async () => {
    const lines = block('4.', /config check/).split('\n')
    const [check = '', services = '', agents = '', providers = ''] = lines.map((line) => line.replace(/ *#.*/, ''))
    assert.match(await machine.must(check), /^nothing to complain of$/m)
    const rows = async (line: string): Promise<Record<string, unknown>[]> =>
      JSON.parse(await machine.must(`${line} -f json`, as('admin'))) as Record<string, unknown>[]
    await until('the proxy has found out that there is a service now', async () => {
      return (await machine.run(services, as('admin'))).code === 0
    })
    assert.deepEqual(
      (await rows(services)).map(({ Host, State }) => [Host, State]),
      [[own.compute1, 'up']],
    )
    const alive = (await rows(agents)).filter(({ Host, Alive }) => Host === own.compute1 && Alive === true)
    assert.notEqual(alive.length, 0)
    assert.equal((await rows(providers)).filter(({ name }) => name === own.compute1).length, 1)
  })

  it('4. runs a container of an image, on a network, with a volume, for a user', async () => {
    const lines = block('4.', /docker save/)
      .trim()
      .split('\n')
    const gone = lines.findIndex((line) => line.includes(' delete '))
    const said = await machine.run(lines.slice(0, gone).join('\n'), as('demo'))
    assert.equal(said.code, 0, said.err)
    const shown = await machine.must('openstack appcontainer show hello -f json', as('demo'))
    const { status, addresses } = JSON.parse(shown) as { status: string; addresses: string }
    assert.equal(status, 'Running')
    assert.match(addresses, /^10\.20\.0\.\d+$/)
    assert.ok(said.out.includes(`inet ${addresses}/24`), said.out)
    assert.deepEqual(await volumes(), ['in-use'])
    await until('the port is ACTIVE', async () => (await ports()).join() === 'ACTIVE')

    const terminal = new Window(
      machine.inside('openstack', 'appcontainer', 'exec', '--interactive', 'hello', 'sh'),
      as('demo').env,
      [24, 80],
    )
    await terminal.see(/connected to hello/)
    await until('the shell answers', async () => {
      terminal.type('\r')
      return /# /.test(terminal.text)
    })
    terminal.type('exit\r')
    assert.equal(await terminal.ended(), 0)

    await machine.must(lines.slice(gone).join('\n'), as('demo'))
    await until('the volume is available', async () => (await volumes()).join() === 'available')
    assert.deepEqual(await ports(), [])
  })

  it('leaves nothing behind', async () => {
    await machine.must(`openstack volume delete diary; openstack image delete ${own.busybox}`, as('demo'))
    await assertUnchanged(earlier, state)
    assert.match(await machine.must('zund down'), /stopped/)
  })

  const volumes = async (): Promise<string[]> =>
    (await demo.get<{ volumes: { status: string }[] }>('volumev3', '/volumes/detail?name=diary')).volumes.map(
      ({ status }) => status,
    )

  const ports = async (): Promise<string[]> =>
    (await demo.get<{ ports: { status: string; device_owner: string }[] }>('network', '/v2.0/ports')).ports.flatMap(
      ({ status, device_owner: owner }) => (owner === 'compute:kuryr' ? [status] : []),
    )
})
