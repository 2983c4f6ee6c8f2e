/** docs/roles.md, followed by somebody who types what is there, in a cloud: one controller and two hosts, under systemd. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { after, before, describe, it } from 'node:test'
import { until } from '../support/until.ts'
import { account, cloudsYaml } from './support/accounts.ts'
import { forgetHost } from './support/cloud-stage.ts'
import { CloudUser } from './support/cloud-user.ts'
import { lendEndpoint } from './support/lent-endpoint.ts'
import { Machine } from './support/machine.ts'
import { blockOf, reworded } from './support/page.ts'
import { openPublicAddress } from './support/public-address.ts'
import { secondNode } from './support/second-node.ts'

const SECTION = 'From nothing to one controller and two hosts'
/** An init system starts what it has to start one after the other, on a machine that does other things as well. */
const START_MS = 60_000

describe('docs/roles.md, with one controller and two hosts in a cloud', () => {
  const first = hostname()
  const second = secondNode()
  let admin: CloudUser
  let controller: Machine
  let hosts: ReadonlyMap<string, Machine>
  let giveBack: () => Promise<void>

  /** What a reader has otherwise: where Keystone is, passwords, names of hosts. */
  const keystone = account('admin').authUrl.replace(/\/v3$/, '')
  const own = {
    'https://cloud.example:5000': keystone,
    'http://192.0.2.10:5000': keystone,
    SECRET: account('zun').password,
    compute1: first,
    compute2: second.name,
  }
  const as = (cloud: string): { env: Readonly<Record<string, string>> } => ({
    env: { OS_CLIENT_CONFIG_FILE: cloudsYaml(), OS_CLOUD: cloud },
  })
  const block = (about: RegExp, section = SECTION): string => blockOf('roles.md', section, about)

  before(async () => {
    admin = await CloudUser.login('admin')
    for (const name of [first, second.name]) await forgetHost(admin, name)
    giveBack = await lendEndpoint(admin, 'container', 'https://cloud.example:9517/v1')
    controller = await Machine.make('controller')
    hosts = new Map([
      [first, await Machine.make(first)],
      [second.name, await Machine.make(second.name, second.enter)],
    ])
    await controller.addAddress('192.0.2.10/24', 'cable0')
    await hosts.get(first)?.addAddress('192.0.2.21/24', 'cable0')
    await hosts.get(second.name)?.addAddress('192.0.2.22/24', 'cable0')
    for (const machine of [controller, ...hosts.values()]) await machine.startInit()
    await openPublicAddress(controller)
  })

  after(async () => {
    try {
      for (const name of hosts.keys())
        await controller.run(`openstack appcontainer delete --stop on-${name}`, as('admin'))
      for (const machine of [...hosts.values(), controller]) await machine.stop()
    } finally {
      await giveBack()
      for (const name of [first, second.name]) await forgetHost(admin, name)
    }
  })

  it('installs on each machine what is for it', async () => {
    const cloud = blockOf('openstack.md', '2.', /^\[keystone_auth\]/m)
    const logins = /^\[keystone_authtoken\][^]*?(?=^\[oslo_middleware\])/m.exec(cloud)?.[0] ?? ''
    const machines = [
      ['controller', controller],
      ['compute1', hosts.get(first)],
      ['compute2', hosts.get(second.name)],
    ] as const
    for (const [name, machine] of machines) {
      assert.ok(machine)
      await machine.must(block(/systemd-sysusers/).replace('THIS-MACHINE', name))
      const file = machine.path('/etc/zun/zun.conf')
      const conf = `${readFileSync(file, 'utf8')}\n${logins}`
      await machine.must('cat >/etc/zun/zun.conf', { input: reworded(conf, own) })
      assert.match(await machine.must('zund config check'), /^nothing to complain of$/m)
      const verified = await machine.run('systemd-analyze verify /etc/systemd/system/zun-*.service')
      assert.deepEqual(verified, { code: 0, out: '', err: '' })
    }
  })

  it('starts the controller, with certificates and a database', async () => {
    await controller.must(reworded(block(/zund certificates/), own))
    for (const unit of ['zun-api', 'zun-wsproxy']) await isActive(controller, unit)
  })

  it('starts the hosts', async () => {
    for (const [name, machine] of hosts) {
      const lines = reworded(block(/^ssh /m), { ...own, compute1: name })
        .trim()
        .split('\n')
      for (const line of lines) await overSsh(line, controller, machine)
      await isActive(machine, 'zun-compute')
    }
    await until(
      'both are shown as up',
      async () => {
        const said = await controller.run('openstack appcontainer service list -f json', as('admin'))
        if (said.code !== 0) return false
        const rows = JSON.parse(said.out) as { Host: string; State: string }[]
        return rows.filter(({ State }) => State === 'up').length === hosts.size
      },
      START_MS,
    )
  })

  it('runs a container on each, and they reach each other over a network of the cloud', async () => {
    await controller.must('openstack volume create --size 1 diary', as('admin'))
    const addresses: string[] = []
    for (const [name, mount] of [
      [first, ''],
      [second.name, '--mount source=diary,destination=/data'],
    ] as const) {
      const options = `--host ${name} --image-driver glance --net network=demo-net ${mount}`
      await controller.must(
        `openstack appcontainer run --wait --name on-${name} ${options} busybox sleep 1000`,
        as('admin'),
      )
      const shown = await controller.must(`openstack appcontainer show -f json on-${name}`, as('admin'))
      const { status, status_reason: reason, addresses: address } = JSON.parse(shown) as Record<string, string>
      assert.equal(status, 'Running', reason)
      addresses.push(address ?? '')
    }
    const [here, there] = addresses
    const inside = async (host: string, line: string): Promise<boolean> =>
      (await controller.run(`openstack appcontainer exec on-${host} ${line}`, as('admin'))).code === 0
    await until('there is reached from here', async () => inside(first, `ping -c 1 -W 2 ${there}`), START_MS)
    await until('here is reached from there', async () => inside(second.name, `ping -c 1 -W 2 ${here}`), START_MS)
    assert.ok(await inside(second.name, 'grep /data.ext4 /proc/mounts'))
    for (const name of hosts.keys()) {
      await controller.must(`openstack appcontainer delete --stop on-${name}`, as('admin'))
    }
    await until('the volume can be deleted', async () => {
      return (await controller.run('openstack volume delete diary', as('admin'))).code === 0
    })
  })

  it('writes logs that are rotated, is upgraded as the page tells, and ends when it is told to', async () => {
    const log = '/var/log/zun/zun-api.log'
    await controller.must("sed -i 's/^.DEFAULT.$/&\\ndebug = true/' /etc/zun/zun.conf")
    await controller.must('logrotate --force /etc/logrotate.d/zun')
    await until('it writes to a new file what it has read anew', async () => {
      return / option changed group=DEFAULT option=debug /.test(readFileSync(controller.path(log), 'utf8'))
    })
    const said = await controller.run(block(/upgrade check/, 'Upgrades').replace(/ +#.*/, ''))
    assert.equal(said.code, 0, `${said.out}${said.err}`)
    for (const unit of ['zun-api', 'zun-wsproxy']) await isActive(controller, unit)
    for (const [machine, units] of [
      [controller, ['zun-api', 'zun-wsproxy']],
      ...[...hosts.values()].map((host) => [host, ['zun-compute']] as const),
    ] as const) {
      await machine.must(`systemctl stop ${units.join(' ')}`)
      for (const unit of units) {
        assert.equal(
          (await machine.must(`systemctl show -p ActiveState,Result ${unit}`)).trim(),
          'Result=success\nActiveState=inactive',
        )
      }
    }
  })
})

/** No machine of a test has a server of SSH: what is to be done on another machine is done there. */
async function overSsh(line: string, from: Machine, to: Machine): Promise<void> {
  const order = /^ssh \S+ (?<command>.*)$/.exec(line)?.groups
  const copy = /^scp (?:-p )?(?<files>\S+) \S+:(?<directory>\S+)$/.exec(line)?.groups
  if (order !== undefined) await to.must(order['command'] ?? '')
  else if (copy === undefined) throw new Error(`neither ssh nor scp: ${line}`)
  else execFileSync('sh', ['-c', `cp -p ${from.path(copy['files'] ?? '')} ${to.path(copy['directory'] ?? '')}`])
}

async function isActive(machine: Machine, unit: string): Promise<void> {
  const shown = await machine.must(`systemctl show -p ActiveState -p SubState -p NRestarts ${unit}`)
  assert.deepEqual(shown.trim().split('\n').toSorted(), ['ActiveState=active', 'NRestarts=0', 'SubState=running'])
}
