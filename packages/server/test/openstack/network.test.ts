/** Containers on ports of the real Neutron, with a real engine and the Linux bridge agent. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { UNTIL_TERM } from '../support/api-client.ts'
import { knocking } from './support/knocking.ts'
import { NetworkStage, type Group, type Network } from './support/network-stage.ts'

describe('containers on ports of Neutron', () => {
  const stage = new NetworkStage()
  before(async () => stage.open())
  after(async () => stage.close())

  it('two containers on one network reach each other, with the addresses that the API shows', async () => {
    const { name } = await stage.network({ cidr: '10.60.0.0/24' })
    const on = { nets: [{ network: name }] }
    const [one, two] = [await stage.run(on), await stage.run(on)]
    const [first, second] = [stage.addressOf(one), stage.addressOf(two)]
    const port = await stage.port(first.port)
    assert.equal(port.device_id, one.uuid)
    assert.equal(port.device_owner, 'compute:kuryr')
    assert.equal(port.fixed_ips[0]?.ip_address, first.addr)
    const { output } = await stage.sh(one.uuid, 'ip link show dev eth0; ip route')
    assert.match(output, new RegExp(`ether ${port.mac_address}`))
    assert.match(output, /mtu 1450/)
    await stage.untilReached(one.uuid, second.addr)
    await stage.untilActive(first.port)
    await stage.remove(one.uuid, two.uuid)
    assert.equal(await stage.findPort(first.port), undefined)
  })

  it('a security group blocks, and lets through once it is given', async () => {
    const shut = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-shut` })
    const open = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-open` })
    await stage.users.demo.post('network', '/v2.0/security-group-rules', {
      security_group_rule: { security_group_id: open.id, direction: 'ingress', protocol: 'icmp' },
    })
    // By name and by id, which are one.
    const guarded = await stage.run({ security_groups: [shut.name, shut.id] })
    assert.deepEqual(guarded.security_groups, [shut.id])
    const other = await stage.run({ security_groups: [open.name] })
    const { addr } = stage.addressOf(guarded)
    // The other way is open, so packets do pass between the two.
    await stage.untilReached(guarded.uuid, stage.addressOf(other).addr)
    assert.equal(await stage.reaches(other.uuid, addr), false)

    // The rules of a group that it has already change what reaches it.
    const { security_group_rule: rule } = await stage.users.demo.post<{ security_group_rule: Group }>(
      'network',
      '/v2.0/security-group-rules',
      { security_group_rule: { security_group_id: shut.id, direction: 'ingress', protocol: 'icmp' } },
    )
    await stage.untilReached(other.uuid, addr)
    await stage.users.demo.delete('network', `/v2.0/security-group-rules/${rule.id}`)
    await stage.untilNotReached(other.uuid, addr)
    await stage.remove(guarded.uuid, other.uuid)
  })

  it('no packet passes that its group does not let in, not even in its first moments, nor when it is started again', async () => {
    const { name } = await stage.network({ cidr: '10.69.0.0/24' })
    const shut = await stage.make<Group>('security-groups', 'security_group', {
      name: `${stage.prefix}-from-the-first`,
    })
    const open = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-lets-ping` })
    await stage.users.demo.post('network', '/v2.0/security-group-rules', {
      security_group_rule: { security_group_id: open.id, direction: 'ingress', protocol: 'icmp' },
    })
    const addr = '10.69.0.77'
    const asking = await stage.run({
      nets: [{ network: name }],
      security_groups: [open.name],
      command: ['sh', '-c', knocking(addr)],
    })
    const heard = async (): Promise<string> => (await stage.sh(asking.uuid, 'cat /tmp/heard')).output
    const knocked = async (): Promise<number> => Number((await stage.sh(asking.uuid, 'wc -l < /tmp/knocked')).output)
    const knockedMore = async (): Promise<void> => {
      const earlier = await knocked()
      await stage.until('there were more knocks', async () => (await knocked()) > earlier + 2)
    }
    const nets = [{ network: name, 'v4-fixed-ip': addr }]
    const guarded = await stage.run({ nets, security_groups: [shut.name] })
    await stage.untilReached(guarded.uuid, stage.addressOf(asking).addr)
    await knockedMore()
    const path = `/v1/containers/${guarded.uuid}`
    await stage.api.expect(202, 'POST', `${path}/stop?timeout=1`)
    await stage.api.waitFor(guarded.uuid, ({ status }) => status === 'Stopped')
    await stage.api.expect(202, 'POST', `${path}/start`)
    await stage.api.waitFor(guarded.uuid, ({ status }) => status === 'Running')
    assert.equal((await stage.port(stage.addressOf(guarded).port)).status, 'ACTIVE')
    await knockedMore()
    assert.equal(await heard(), '')
    await stage.remove(asking.uuid, guarded.uuid)
  })

  it('groups are given and taken, each once, also while it is stopped', async () => {
    const group = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-given` })
    const container = await stage.run()
    const path = `/v1/containers/${container.uuid}`
    const { port } = stage.addressOf(container)
    const usual = (await stage.port(port)).security_groups
    await stage.api.expect(202, 'POST', `${path}/stop?timeout=1`)
    await stage.api.waitFor(container.uuid, ({ status }) => status === 'Stopped')
    const old = { version: '1.14' }
    await stage.api.expect(202, 'POST', `${path}/add_security_group?name=${group.name}`, old)
    const given = await stage.api.waitFor(container.uuid, (now) => (now.security_groups as string[]).includes(group.id))
    assert.deepEqual(given.security_groups, [group.id])
    assert.deepEqual([...(await stage.port(port)).security_groups].sort(), [...usual, group.id].sort())
    await stage.api.expect(400, 'POST', `${path}/add_security_group?name=${group.name}`, old)
    await stage.api.expect(202, 'POST', `${path}/remove_security_group?name=${group.id}`, old)
    await stage.api.waitFor(container.uuid, (now) => (now.security_groups as string[]).length === 0)
    assert.deepEqual((await stage.port(port)).security_groups, usual)
    await stage.api.expect(400, 'POST', `${path}/remove_security_group?name=${group.name}`, old)
    await stage.api.expect(400, 'POST', `${path}/add_security_group?name=${stage.prefix}-nobody`, old)
    await stage.remove(container.uuid)
  })

  it('groups are given and taken while it runs, and Neutron follows at once', async () => {
    const { name } = await stage.network({ cidr: '10.68.0.0/24' })
    const shut = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-closed` })
    const open = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-icmp` })
    await stage.users.demo.post('network', '/v2.0/security-group-rules', {
      security_group_rule: { security_group_id: open.id, direction: 'ingress', protocol: 'icmp' },
    })
    const nets = [{ network: name }]
    const guarded = await stage.run({ nets, security_groups: [shut.id] })
    const other = await stage.run({ nets, security_groups: [open.id] })
    const { addr } = stage.addressOf(guarded)
    await stage.untilReached(guarded.uuid, stage.addressOf(other).addr)
    assert.equal(await stage.reaches(other.uuid, addr), false)
    const path = `/v1/containers/${guarded.uuid}`
    await stage.api.expect(202, 'POST', `${path}/add_security_group?name=${open.name}`, { version: '1.14' })
    await stage.untilReached(other.uuid, addr)
    await stage.api.expect(202, 'POST', `${path}/remove_security_group?name=${open.name}`, { version: '1.14' })
    await stage.untilNotReached(other.uuid, addr)
    await stage.remove(guarded.uuid, other.uuid)
  })

  it('exposed ports are open, others are not, and their group goes with the container', async () => {
    const serving = ['sh', '-c', `echo yes > /tmp/id; httpd -p 80 -h /tmp; httpd -p 81 -h /tmp; ${UNTIL_TERM}`]
    const server = await stage.run({ exposed_ports: { '80/tcp': {} }, command: serving })
    const group = await stage.groupNamed(`zun-${server.uuid}`)
    assert.ok(group)
    assert.deepEqual(server.security_groups, [group.id])
    const { addr, port } = stage.addressOf(server)
    assert.deepEqual((await stage.port(port)).security_groups, [group.id])
    const client = await stage.run()
    const got = async (number: number): Promise<boolean> =>
      (await stage.sh(client.uuid, `timeout 3 wget -q -O - http://${addr}:${number}/id`)).exit_code === 0
    await stage.until('port 80 answers', async () => await got(80))
    assert.equal(await got(81), false)
    await stage.remove(client.uuid, server.uuid)
    assert.equal(await stage.groupNamed(`zun-${server.uuid}`), undefined)
  })

  it('networks are attached and detached while it runs, and several are joined from the start', async () => {
    const network = await stage.network({ cidr: '10.61.0.0/24' })
    const container = await stage.run({
      nets: [{ network: 'demo-net' }, { network: network.name, 'v4-fixed-ip': '10.61.0.44' }],
    })
    assert.equal(container.addresses[network.id]?.[0]?.addr, '10.61.0.44')
    assert.match((await stage.sh(container.uuid, 'ip addr')).output, /inet 10\.61\.0\.44\/24/)
    const added = stage.addressOf(container, 4, network.id)
    const path = `/v1/containers/${container.uuid}`
    assert.match(await stage.attachRefused(container.uuid, `network=${network.id}`), /already attached/)

    await stage.api.expect(202, 'POST', `${path}/network_detach?port=${added.port}`)
    await stage.api.waitFor(container.uuid, (now) => now.addresses[network.id] === undefined)
    assert.equal(await stage.findPort(added.port), undefined)
    assert.doesNotMatch((await stage.sh(container.uuid, 'ip addr')).output, /10\.61\.0\.44/)

    await stage.api.expect(200, 'POST', `${path}/network_attach?network=${network.name}&fixed_ip=10.61.0.45`)
    await stage.api.waitFor(container.uuid, (now) => now.addresses[network.id]?.[0]?.addr === '10.61.0.45')
    const { networks } = await stage.api.expect<{ networks: { net_id: string; port_id: string }[] }>(
      200,
      'GET',
      `${path}/network_list`,
    )
    const port = networks.find(({ net_id: id }) => id === network.id)?.port_id ?? ''
    await stage.until('the interface has the MAC address of its port', async () => {
      const { mac_address: mac } = await stage.port(port)
      return (await stage.sh(container.uuid, 'ip link')).output.includes(mac)
    })
    await stage.remove(container.uuid)
    assert.equal(await stage.findPort(port), undefined)
  })

  it('two families, no gateway, routes and name servers come from the subnets', async () => {
    const network = await stage.network({
      cidr: '10.62.0.0/24',
      gateway_ip: null,
      dns_nameservers: ['10.62.0.53'],
      host_routes: [{ destination: '192.0.2.0/24', nexthop: '10.62.0.254' }],
    })
    await stage.make('subnets', 'subnet', {
      network_id: network.id,
      ip_version: 6,
      cidr: 'fd62::/64',
      enable_dhcp: false,
    })
    const one = await stage.run({ nets: [{ network: network.id, 'v4-fixed-ip': '10.62.0.20' }] })
    const two = await stage.run({ nets: [{ network: network.id, 'v6-fixed-ip': 'fd62::77' }] })
    assert.equal(stage.addressOf(one).addr, '10.62.0.20')
    assert.equal(stage.addressOf(two, 6).addr, 'fd62::77')
    await stage.untilReached(one.uuid, 'fd62::77')
    await stage.untilReached(one.uuid, stage.addressOf(two).addr)
    const { output } = await stage.sh(one.uuid, 'ip route; cat /etc/resolv.conf; ip -6 route')
    assert.doesNotMatch(output, /default via 10/)
    assert.match(output, /192\.0\.2\.0\/24 via 10\.62\.0\.254/)
    assert.match(output, /default via fd62::/)
    const { HostConfig } = await stage.zund.engine.api<{ HostConfig: { Dns: string[] } }>(
      'GET',
      `/containers/zun-${one.uuid}/json`,
    )
    assert.deepEqual(HostConfig.Dns, ['10.62.0.53'])
    await stage.remove(one.uuid, two.uuid)
  })

  it('a capsule has one port, and its exposed ports are open', async () => {
    const { uuid } = await stage.capsule()
    const port = await stage.portOf(uuid)
    const group = await stage.groupNamed(`zun-${uuid}`)
    assert.deepEqual(port.security_groups, [group?.id])
    const other = await stage.run()
    await stage.until('the capsule answers', async () => {
      const line = `timeout 3 wget -q -O - http://${port.fixed_ips[0]?.ip_address}:8080/id`
      return (await stage.sh(other.uuid, line)).exit_code === 0
    })
    await stage.removeCapsule(uuid)
    await stage.remove(other.uuid)
    assert.equal(await stage.findPort(port.id), undefined)
    assert.equal(await stage.groupNamed(`zun-${uuid}`), undefined)
  })

  it('a network of the engine stays as long as a port of it is on the host', async () => {
    const network: Network = await stage.network({ cidr: '10.63.0.0/24' })
    const one = await stage.run({ nets: [{ network: network.id }] })
    assert.ok((await stage.engineNetworks()).includes(network.id))
    await stage.api.expect(202, 'POST', `/v1/containers/${one.uuid}/stop?timeout=1`)
    await stage.api.waitFor(one.uuid, ({ status }) => status === 'Stopped')
    const two = await stage.run({ nets: [{ network: network.id }] })
    await stage.remove(two.uuid)
    assert.ok((await stage.engineNetworks()).includes(network.id))
    await stage.api.expect(202, 'POST', `/v1/containers/${one.uuid}/start`)
    const again = await stage.api.waitFor(one.uuid, ({ status }) => status === 'Running')
    assert.deepEqual(again.addresses, one.addresses)
    await stage.remove(one.uuid)
    assert.ok(!(await stage.engineNetworks()).includes(network.id))
  })

  it('nothing is left behind', async () => stage.assertNothingLeft())
})
