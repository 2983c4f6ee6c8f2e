/** What may be asked of networks and ports of Neutron, and what becomes of ports that a user has brought. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { NeutronClient } from '../../src/adapters/network/neutron/neutron-client.ts'
import { OBEDIENT, type ContainerBody } from '../support/api-client.ts'
import { ownSession } from './support/own-session.ts'
import { NetworkStage, type Group, type Network, type Port } from './support/network-stage.ts'

describe('ports and networks that are asked for', () => {
  const stage = new NetworkStage()
  let network: Network
  before(async () => {
    await stage.open()
    network = await stage.network({ cidr: '10.64.0.0/24' })
  })
  after(async () => stage.close())

  const aPort = async (fields: object = {}, owner = stage.users.demo): Promise<Port> =>
    await stage.make<Port>('ports', 'port', { network_id: network.id, ...fields }, owner)

  it('a port that was brought is used as it is, and given back exactly as it was', async () => {
    const name = `${stage.prefix}-mine`
    const port = await aPort({ name, fixed_ips: [{ ip_address: '10.64.0.30' }], device_owner: 'zund:test' })
    const earlier = await stage.port(port.id)
    const container = await stage.run({ nets: [{ port: name }] })
    const address = stage.addressOf(container)
    assert.deepEqual([address.addr, address.port], ['10.64.0.30', port.id])
    assert.deepEqual(container.addresses[network.id]?.[0], {
      addr: '10.64.0.30',
      version: 4,
      port: port.id,
      subnet_id: port.fixed_ips[0]?.subnet_id,
      preserve_on_delete: true,
    })
    const { output } = await stage.sh(container.uuid, 'ip link show dev eth0')
    assert.match(output, new RegExp(`ether ${port.mac_address}`))
    const used = await stage.port(port.id)
    assert.deepEqual([used.device_id, used.device_owner], [container.uuid, 'compute:kuryr'])
    assert.match(await stage.refused(400, { nets: [{ port: port.id }] }), /port-in-use/)
    await stage.remove(container.uuid)
    const now = await stage.port(port.id)
    for (const [field, value] of Object.entries(earlier)) {
      // These tell how often it was written.
      if (field === 'updated_at' || field === 'revision_number') continue
      assert.deepEqual(now[field as keyof Port], value, field)
    }
  })

  it('one port for two requests at the same time is had by one of them', async () => {
    const port = await aPort()
    const body = { image: 'busybox', image_driver: 'glance', command: OBEDIENT, nets: [{ port: port.id }] }
    const answers = await Promise.all(
      [1, 2].map(async () => await stage.api.call('POST', '/v1/containers?run=true', { body })),
    )
    const refused = answers.filter(({ status }) => status === 400)
    assert.deepEqual(
      refused.map(({ text }) => /port-in-use/.test(text)),
      [true],
    )
    for (const { status, body: answer } of answers) {
      if (status !== 202) continue
      const { uuid } = await stage.api.waitFor((answer as ContainerBody).uuid, (now) => now.status === 'Running')
      assert.equal((await stage.port(port.id)).device_id, uuid)
      await stage.remove(uuid)
    }
  })

  it('a port is changed only as long as it is as it was read', async () => {
    const o = { signal: AbortSignal.timeout(60_000) }
    const { id } = await aPort()
    const neutron = new NeutronClient(ownSession())
    const read = await neutron.port(id, o)
    if (read === undefined) throw new Error('there is no port')
    const name = `${stage.prefix}-changed`
    await stage.users.demo.put('network', `/v2.0/ports/${id}`, { port: { name } })
    assert.equal(await neutron.updateUnchangedPort(read, { device_id: 'late' }, o), undefined)
    const now = await neutron.port(id, o)
    assert.deepEqual([now?.name, now?.deviceId], [name, ''])
    if (now === undefined) throw new Error('there is no port')
    assert.equal((await neutron.updateUnchangedPort(now, { device_id: 'in time' }, o))?.deviceId, 'in time')
  })

  it('a port that cannot be again what it was is given back all the same', async () => {
    const { demo } = stage.users
    const changes: [string, (port: string, group: string) => Promise<unknown>][] = [
      ['its group is deleted', async (_, group) => await demo.delete('network', `/v2.0/security-groups/${group}`)],
      [
        'it filters nothing any more',
        async (port) => await demo.put('network', `/v2.0/ports/${port}`, { port: { port_security_enabled: false } }),
      ],
    ]
    for (const [what, change] of changes) {
      const name = `${stage.prefix}-${changes.length}`
      const group = await stage.make<Group>('security-groups', 'security_group', { name })
      const port = await aPort({ security_groups: [group.id] })
      const container = await stage.run({ nets: [{ port: port.id }], security_groups: [group.id] })
      await stage.api.expect(202, 'POST', `/v1/containers/${container.uuid}/remove_security_group?name=${group.id}`, {
        version: '1.14',
      })
      await stage.api.waitFor(container.uuid, (now) => (now.security_groups as string[]).length === 0)
      await change(port.id, group.id)
      await stage.remove(container.uuid)
      const { device_id: device, device_owner: owner, security_groups: groups } = await stage.port(port.id)
      assert.deepEqual([device, owner, groups], ['', '', []], what)
    }
  })

  it('a create that has come to nothing keeps no port and no group, and a rebuild asks for them anew', async () => {
    const { id: port } = await aPort()
    const other = await stage.network({ cidr: '10.67.0.0/24' })
    // In the subnet, and yet nobody's: it is the broadcast address.
    const nets = [{ port }, { network: other.id, 'v4-fixed-ip': '10.67.0.255' }]
    const { uuid, reason } = await stage.fails({ nets, exposed_ports: { '80/tcp': {} } })
    assert.match(reason, /10\.67\.0\.255/)
    const { device_id: device, device_owner: owner, 'binding:host_id': host } = await stage.port(port)
    assert.deepEqual([device, owner, host], ['', '', ''])
    assert.equal(await stage.groupNamed(`zun-${uuid}`), undefined)
    assert.deepEqual((await stage.api.show(uuid)).security_groups, [])
    const rebuilt = async () => {
      await stage.api.expect(202, 'POST', `/v1/containers/${uuid}/rebuild`)
      return await stage.api.waitFor(uuid, ({ status, task_state: task }) => status === 'Error' && task === null)
    }
    assert.match(String((await rebuilt()).status_reason), /10\.67\.0\.255/)
    await stage.remove(uuid)
    assert.equal((await stage.port(port)).device_id, '')
    const again = await stage.run({ nets: [{ port }] })
    assert.equal((await stage.port(port)).device_id, again.uuid)
    await stage.remove(again.uuid)
  })

  it('of several addresses of a family the first is on the interface, with the way out of its subnet', async () => {
    const wide = await stage.network({ cidr: '10.68.0.0/24' })
    const subnet = { network_id: wide.id, ip_version: 4, cidr: '10.69.0.0/24' }
    await stage.make('subnets', 'subnet', subnet)
    const { id } = await aPort({
      network_id: wide.id,
      fixed_ips: [{ ip_address: '10.69.0.30' }, { ip_address: '10.68.0.30' }],
    })
    const container = await stage.run({ nets: [{ port: id }] })
    const [first, second, ...more] = (container.addresses[wide.id] ?? []).map(({ addr }) => addr)
    assert.deepEqual([new Set([first, second]), more], [new Set(['10.68.0.30', '10.69.0.30']), []])
    const { output } = await stage.sh(container.uuid, 'ip addr show dev eth0; ip route')
    assert.match(output, new RegExp(`inet ${first}/24`))
    assert.ok(!output.includes(`inet ${second}/`), output)
    assert.match(output, new RegExp(`default via ${first?.replace(/30$/, '1')} `))
    await stage.remove(container.uuid)
  })

  it('without port security everything is open, and groups are refused at once', async () => {
    const open = await stage.network({ cidr: '10.70.0.0/24' }, stage.users.demo, { port_security_enabled: false })
    const group = await stage.make<Group>('security-groups', 'security_group', { name: `${stage.prefix}-useless` })
    const refusal = await stage.refused(400, { nets: [{ network: open.id }], security_groups: [group.id] })
    assert.match(refusal, new RegExp(`Network ${open.name} .*port security`))
    const { id } = await aPort({ port_security_enabled: false })
    const both = { nets: [{ port: id }], security_groups: [group.id] }
    assert.match(await stage.refused(400, both), new RegExp(`Port ${id} .*port security`))
    const exposed = { exposed_ports: { '80/tcp': {} } }
    const container = await stage.run({ nets: [{ network: open.id }], ...exposed })
    assert.deepEqual((await stage.port(stage.addressOf(container).port)).security_groups, [])
    assert.equal(await stage.groupNamed(`zun-${container.uuid}`), undefined)
    await stage.remove(container.uuid)
  })

  it('what a container exposes changes nothing of the groups of a port that was brought', async () => {
    const port = await aPort()
    const container = await stage.run({ nets: [{ port: port.id }], exposed_ports: { '80/tcp': {} } })
    assert.deepEqual((await stage.port(port.id)).security_groups, port.security_groups)
    assert.equal(await stage.groupNamed(`zun-${container.uuid}`), undefined)
    await stage.remove(container.uuid)
  })

  it('a port is attached and detached while the container runs, and stays', async () => {
    const port = await aPort()
    const container = await stage.run({ nets: [{ network: 'demo-net' }] })
    const path = `/v1/containers/${container.uuid}`
    await stage.api.expect(200, 'POST', `${path}/network_attach?port=${port.id}`)
    await stage.api.waitFor(container.uuid, (now) => now.addresses[network.id]?.[0]?.port === port.id)
    await stage.until('the interface is there', async () =>
      (await stage.sh(container.uuid, 'ip link')).output.includes(port.mac_address),
    )
    await stage.api.expect(202, 'POST', `${path}/network_detach?network=${network.name}`)
    await stage.api.waitFor(container.uuid, (now) => now.addresses[network.id] === undefined)
    const { device_id: device, device_owner: owner, 'binding:host_id': host } = await stage.port(port.id)
    assert.deepEqual([device, owner, host], ['', '', ''])
    await stage.remove(container.uuid)
  })

  it('what is not there, not theirs or not usable is refused with its name before anything is made', async () => {
    const { alt, demo, admin } = stage.users
    const nothing = `${stage.prefix}-nothing`
    assert.match(await stage.refused(404, { nets: [{ network: nothing }] }), /network-not-found.*nothing/)
    assert.match(await stage.refused(404, { nets: [{ port: nothing }] }), /port-not-found.*nothing/)
    assert.match(await stage.refused(400, { security_groups: [nothing] }), /invalid-value.*nothing/)
    const foreign = await stage.network({ cidr: '10.65.0.0/24' }, alt)
    assert.match(await stage.refused(404, { nets: [{ network: foreign.id }] }), /network-not-found/)
    const theirs = await stage.make<Port>('ports', 'port', { network_id: foreign.id }, alt)
    assert.match(await stage.refused(404, { nets: [{ port: theirs.id }] }), /port-not-found/)
    const empty = await stage.make<Network>('networks', 'network', { name: `${stage.prefix}-empty` })
    assert.match(await stage.refused(400, { nets: [{ network: empty.id }] }), /has no subnet/)
    const twice = `${stage.prefix}-twice`
    for (const name of [twice, twice]) await stage.make('networks', 'network', { name })
    assert.match(await stage.refused(409, { nets: [{ network: twice }] }), /Multiple networks.*twice/)
    const nets = [{ network: network.id }, { network: network.name }]
    assert.match(await stage.refused(400, { nets }), /given twice/)
    const outside = [{ network: network.id, 'v4-fixed-ip': '192.0.2.7' }]
    assert.match(await stage.refused(400, { nets: outside }), /192\.0\.2\.7 is in none of the subnets/)
    await aPort({ fixed_ips: [{ ip_address: '10.64.0.77' }] })
    const taken = [{ network: network.id, 'v4-fixed-ip': '10.64.0.77' }]
    assert.match(await stage.refused(409, { nets: taken }), /10\.64\.0\.77 of network .* is in use/)
    const lost = await aPort()
    await admin.put('network', `/v2.0/ports/${lost.id}`, { port: { 'binding:host_id': 'no-such-host' } })
    assert.match(await stage.refused(400, { nets: [{ port: lost.id }] }), /port-binding-failed/)
    const outer = { 'router:external': true, shared: false }
    const external = await stage.network({ cidr: '10.66.0.0/24' }, admin, { ...outer, tenant_id: demo.projectId })
    assert.match(await stage.refused(403, { nets: [{ network: external.id }] }), /external-network-attach-forbidden/)
    const { ports } = await admin.get<{ ports: Port[] }>('network', '/v2.0/ports?device_owner=compute:kuryr')
    assert.deepEqual(
      ports.filter((port) => port.network_id === network.id),
      [],
    )
  })

  it('a shared network is used, on a port of the own project', async () => {
    const container = await stage.run({ nets: [{ network: 'shared-net' }] })
    const port = await stage.port(stage.addressOf(container).port)
    assert.equal(port.project_id, stage.users.demo.projectId)
    await stage.remove(container.uuid)
  })

  it('nothing is left behind', async () => stage.assertNothingLeft())
})
