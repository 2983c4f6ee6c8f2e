/** Ports of Neutron while the service, the engine or the network service go away and come back. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { killDaemon, startAgain } from '../../../../tools/openstack/kill-daemon.ts'
import { Places } from '../../../../tools/openstack/places.ts'
import { cloudsYaml } from './support/accounts.ts'
import { knocking } from './support/knocking.ts'
import { NetworkStage, type Group, type Network } from './support/network-stage.ts'

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(120_000) })

const AGENT = 'linuxbridge-node-1'

describe('ports of Neutron through restarts', () => {
  const stage = new NetworkStage()
  let on: { nets: { network: string }[] }
  let network: Network
  before(async () => {
    await stage.open('[zund]\nport_active_required = true')
    network = await stage.network({ cidr: '10.67.0.0/24' })
    on = { nets: [{ network: network.id }] }
  })
  after(async () => stage.close())

  it('a container keeps its network while the service is away, and stops and starts when it is back', async () => {
    const [one, two] = [await stage.run(on), await stage.run(on)]
    const { addr } = stage.addressOf(two)
    await stage.untilReached(one.uuid, addr)
    await stage.zund.kill()
    await stage.untilReachedDirectly(one.uuid, addr)
    await stage.zund.up()
    const path = `/v1/containers/${one.uuid}`
    await stage.api.expect(202, 'POST', `${path}/reboot?timeout=1`)
    await stage.api.waitFor(one.uuid, ({ status, task_state: task }) => status === 'Running' && task === null)
    await stage.untilReached(one.uuid, addr)
    await stage.remove(one.uuid, two.uuid)
  })

  it('an engine that was restarted starts its containers on their ports again', async () => {
    const policy = { restart_policy: { Name: 'always', MaximumRetryCount: '0' } }
    const [one, two] = [await stage.run({ ...on, ...policy }), await stage.run({ ...on, ...policy })]
    const { addr } = stage.addressOf(two)
    await stage.untilReached(one.uuid, addr)
    await stage.engine.end()
    await stage.engine.begin(soon())
    await stage.until('both run again', async () => {
      const states = await Promise.all([one, two].map(async ({ uuid }) => (await stage.api.show(uuid)).status))
      return states.every((status) => status === 'Running')
    })
    await stage.untilReachedAgain(one.uuid, addr)
    assert.deepEqual((await stage.api.show(one.uuid)).addresses, one.addresses)
    await stage.remove(one.uuid, two.uuid)
  })

  it('after a boot nothing passes before the filters are there again', async () => {
    const places = new Places(dirname(cloudsYaml()))
    const group = async (name: string): Promise<string> =>
      (await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-${name}` })).id
    const [open, shut] = [await group('open'), await group('shut')]
    await stage.users.demo.post('network', '/v2.0/security-group-rules', {
      security_group_rule: { security_group_id: open, direction: 'ingress', protocol: 'icmp' },
    })
    const policy = { restart_policy: { Name: 'always', MaximumRetryCount: '0' } }
    const guarded = await stage.run({ ...on, ...policy, security_groups: [shut] })
    const asking = await stage.run({
      ...on,
      ...policy,
      security_groups: [open],
      command: ['sh', '-c', knocking(stage.addressOf(guarded).addr)],
    })
    const { addr } = stage.addressOf(asking)
    await stage.untilReached(guarded.uuid, addr)

    // The agent is not there yet, and its rules are not in the kernel.
    await killDaemon(places, AGENT)
    for (const program of ['iptables', 'ip6tables']) execFileSync(program, ['--flush'])
    await stage.engine.end()
    await stage.engine.begin(soon())
    const knocked = async (): Promise<number> =>
      Number((await stage.sh(asking.uuid, 'wc -l < /tmp/knocked').catch(() => ({ output: '' }))).output)
    let earlier = 0
    await stage.until('it knocks again', async () => (earlier = await knocked()) > 0)
    await stage.until('it has knocked for a while', async () => (await knocked()) > earlier + 5)
    startAgain(places, AGENT)
    await stage.untilReachedAgain(guarded.uuid, addr)
    assert.equal((await stage.sh(asking.uuid, 'cat /tmp/heard')).output, '')
    await stage.remove(asking.uuid, guarded.uuid)
  })

  it('nothing is left behind', async () => stage.assertNothingLeft())
})
