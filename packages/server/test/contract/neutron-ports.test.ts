import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, it } from 'node:test'
import { Retryable, SystemFault, UserFault } from '../../src/domain/errors.ts'
import type { PortData, RemotePort } from '../../src/orchestration/ports/wire.ts'
import { aRemotePort } from '../support/builders.ts'
import { FakeNeutron } from '../support/fake-neutron.ts'
import { quietLog } from '../support/quiet-log.ts'
import type { OpenStackCall } from '../../src/adapters/openstack/call.ts'
import type { JsonRecord } from '../../src/adapters/openstack/json.ts'
import { OpenStackUnreachable } from '../../src/adapters/openstack/errors.ts'
import { NeutronClient } from '../../src/adapters/network/neutron/neutron-client.ts'
import { PortBinder } from '../../src/adapters/network/neutron/port-binder.ts'

const signal = AbortSignal.timeout(60_000)
const o = { signal }
const CONTAINER = '1f0a8a55-43c4-4f0f-8f0a-0f6d6f3a7f25'

describe('ports of a host in Neutron', () => {
  let neutron: FakeNeutron
  let binder: PortBinder
  let networkId: string

  beforeEach(() => {
    neutron = new FakeNeutron()
    binder = new PortBinder({ neutron: new NeutronClient(neutron), host: 'here', log: quietLog })
    networkId = neutron.add('networks', { name: 'net', mtu: 1450, project_id: 'p' }).id
    neutron.add('subnets', { network_id: networkId, cidr: '10.0.0.0/24', ip_version: 4, gateway_ip: '10.0.0.1' })
  })

  const planned = (change: Partial<RemotePort> = {}): PortData => ({
    kind: 'port',
    networkId,
    networkName: 'net',
    projectId: 'p',
    subnets: [],
    fixedIps: [],
    macAddress: null,
    preserveOnDelete: change.before !== undefined,
    remote: aRemotePort({ deviceId: CONTAINER, ...change }),
  })

  const given = (fields: JsonRecord = {}): string =>
    neutron.add('ports', {
      network_id: networkId,
      project_id: 'p',
      mac_address: 'FA:16:3E:00:00:99',
      device_id: '',
      device_owner: 'their:own',
      'binding:host_id': 'elsewhere',
      security_groups: ['theirs'],
      fixed_ips: [{ subnet_id: neutron.list('subnets')[0]?.id, ip_address: '10.0.0.99' }],
      ...fields,
    }).id

  it('one is made for the container, and the next try finds it', async () => {
    const { port } = await binder.bind(planned({ securityGroups: ['g1'], askedAddresses: ['10.0.0.50'] }), o)
    assert.deepEqual(
      port.fixedIps.map(({ address }) => address),
      ['10.0.0.50'],
    )
    assert.equal(port.remote?.mtu, 1450)
    assert.deepEqual(port.remote?.plug, { kind: 'bridge', bridge: null, hybrid: false })
    const [made] = neutron.list('ports')
    assert.deepEqual(
      [
        made?.['device_id'],
        made?.['device_owner'],
        made?.['binding:host_id'],
        made?.['security_groups'],
        made?.['tenant_id'],
      ],
      [CONTAINER, 'compute:kuryr', 'here', ['g1'], 'p'],
    )
    const again = await binder.bind(planned(), o)
    assert.equal(again.port.remote?.portId, port.remote?.portId)
    assert.deepEqual(neutron.writes(), ['POST ports'])
    await binder.release(port, o)
    await binder.release(port, o)
    assert.deepEqual(neutron.list('ports'), [])
  })

  it('nothing is said of groups, addresses and names that were not asked for, so that they are as Neutron has them', async () => {
    let asked: object = {}
    neutron.onCall = (call, _done, { body }) => {
      if (call === 'POST ports') asked = (body as { port: object }).port
    }
    const { port } = await binder.bind(planned(), o)
    assert.deepEqual(Object.keys(asked).toSorted(), [
      'admin_state_up',
      'binding:host_id',
      'device_id',
      'device_owner',
      'network_id',
      'tenant_id',
    ])
    assert.deepEqual(neutron.list('ports')[0]?.['security_groups'], ['default-group'])
    assert.deepEqual(
      [port.macAddress, port.fixedIps[0]?.subnetId],
      ['fa:16:3e:00:00:11', neutron.list('subnets')[0]?.id],
    )
  })

  it('of a call whose answer was lost no second port remains', async () => {
    neutron.onCall = (asked, done) => {
      if (asked === 'POST ports' && done) throw new OpenStackUnreachable('network', 'does not answer')
    }
    await assert.rejects(binder.bind(planned(), o), Retryable)
    neutron.onCall = () => undefined
    // As if it had been done twice.
    neutron.add('ports', { ...neutron.list('ports')[0], id: 'ffffffff-0000-4000-8000-000000000000' })
    await binder.bind(planned(), o)
    assert.equal(neutron.list('ports').length, 1)
  })

  it('one of a stranger that has the name of the container is neither taken nor removed', async () => {
    const theirs = given({ project_id: 'q', device_id: CONTAINER, device_owner: 'compute:kuryr' })
    const { port } = await binder.bind(planned(), o)
    assert.notEqual(port.remote?.portId, theirs)
    await binder.release(port, o)
    assert.deepEqual(
      neutron.list('ports').map(({ id }) => id),
      [theirs],
    )
  })

  it('what Neutron tells in pieces is read to its end, and no end is no answer', async () => {
    for (let n = 0; n < 7; n += 1) given({ device_id: CONTAINER, device_owner: 'compute:kuryr', project_id: 'p' })
    given({ device_id: 'another' })
    neutron.pageSize = 3
    const found = await new NeutronClient(neutron).ports({ device_id: CONTAINER }, o)
    assert.deepEqual(
      found.map(({ id }) => id),
      neutron
        .list('ports')
        .slice(0, 7)
        .map(({ id }) => id),
    )
    const group = neutron.add('security-groups', { name: `zun-${CONTAINER}`, project_id: 'p' })
    for (let n = 0; n < 3; n += 1) neutron.add('security-groups', { name: 'other', project_id: 'p' })
    neutron.pageSize = 1
    assert.deepEqual(
      (await new NeutronClient(neutron).groups({ name: `zun-${CONTAINER}` }, o)).map(({ id }) => id),
      [group.id],
    )
    neutron.onCall = (call, done) => {
      if (call === 'GET ports' && !done) given({ device_id: CONTAINER })
    }
    await assert.rejects(new NeutronClient(neutron).ports({ device_id: CONTAINER }, o), OpenStackUnreachable)
  })

  it('one that moves to this host is bound anew', async () => {
    const elsewhere = new PortBinder({ neutron: new NeutronClient(neutron), host: 'there', log: quietLog })
    await elsewhere.bind(planned(), o)
    await binder.bind(planned(), o)
    assert.deepEqual(
      neutron.list('ports').map((port) => port['binding:host_id']),
      ['here'],
    )
  })

  it('with a fixed address of one family there is one of the other, too', async () => {
    neutron.add('subnets', { network_id: networkId, cidr: 'fd00::/64', ip_version: 6, gateway_ip: null })
    let asked: unknown
    neutron.onCall = (call, _done, { body }) => {
      if (call === 'POST ports') asked = (body as { port: { fixed_ips: unknown } }).port.fixed_ips
    }
    const { port } = await binder.bind(planned({ askedAddresses: ['10.0.0.50'] }), o)
    assert.deepEqual(asked, [{ ip_address: '10.0.0.50' }, { subnet_id: neutron.list('subnets')[1]?.id }])
    assert.deepEqual(
      port.fixedIps.map(({ version }) => version),
      [4, 6],
    )
  })

  it('a port that was brought is tied, and is afterwards what it was, its groups included', async () => {
    const portId = given()
    const data = planned({ portId, before: { deviceOwner: 'their:own', hostId: 'elsewhere' } })
    let { port } = await binder.bind(data, o)
    assert.equal(port.macAddress, 'fa:16:3e:00:00:99')
    port = await binder.changeGroup(port, { kind: 'add', group: 'added' }, o)
    port = await binder.changeGroup(port, { kind: 'remove', group: 'theirs' }, o)
    port = await binder.changeGroup(port, { kind: 'remove', group: 'theirs' }, o)
    assert.deepEqual(neutron.list('ports')[0]?.['security_groups'], ['added'])
    await binder.release(port, o)
    const [now] = neutron.list('ports')
    assert.deepEqual(
      [now?.['device_id'], now?.['device_owner'], now?.['binding:host_id'], now?.['security_groups']],
      ['', 'their:own', 'elsewhere', ['theirs']],
    )
    // It may be in other hands by now.
    const before = neutron.writes().length
    await binder.release(port, o)
    assert.equal(neutron.writes().length, before)
  })

  it('a port that was brought is given back without a group that has been deleted meanwhile', async () => {
    const [kept, lost] = ['kept', 'lost'].map((name) => neutron.add('security-groups', { name, project_id: 'p' }).id)
    const portId = given({ security_groups: [kept, lost] })
    let { port } = await binder.bind(planned({ portId, before: { deviceOwner: 'their:own', hostId: '' } }), o)
    for (const group of [kept, lost]) port = await binder.changeGroup(port, { kind: 'remove', group: group ?? '' }, o)
    neutron.tables.get('security-groups')?.delete(lost ?? '')
    neutron.onCall = (call, done, { body }) => {
      if (call !== 'PUT ports' || done || !JSON.stringify(body).includes(lost ?? '')) return
      throw neutron.refusal(404, 'SecurityGroupNotFound', `Security group ${lost} does not exist`)
    }
    await binder.release(port, o)
    const [now] = neutron.list('ports')
    assert.deepEqual([now?.['device_id'], now?.['device_owner'], now?.['security_groups']], ['', 'their:own', [kept]])
  })

  it('a port that was brought becomes free, whatever of it cannot be as it was', async () => {
    const refused: [string, RegExp, unknown[]][] = [
      ['groups of a port that filters nothing any more', /security_groups/, ['', 'their:own', 'elsewhere']],
      ['an owner that is reserved', /their:own/, ['', '', '']],
    ]
    for (const [what, refusedFields, expected] of refused) {
      const portId = given()
      const { port } = await binder.bind(
        planned({ portId, before: { deviceOwner: 'their:own', hostId: 'elsewhere' }, removedGroups: ['theirs-too'] }),
        o,
      )
      neutron.onCall = (call, done, { body }) => {
        if (call === 'PUT ports' && !done && refusedFields.test(JSON.stringify(body))) {
          throw neutron.refusal(400, 'PortSecurityAndIPRequiredForSecurityGroups', 'not so')
        }
      }
      await binder.release(port, o)
      const now = neutron.list('ports').find(({ id }) => id === portId)
      assert.deepEqual([now?.['device_id'], now?.['device_owner'], now?.['binding:host_id']], expected, what)
    }
  })

  it('one that is not to be freed at all is told, and one that vanishes meanwhile is given back', async () => {
    const portId = given()
    const { port } = await binder.bind(planned({ portId, before: { deviceOwner: '', hostId: '' } }), o)
    neutron.onCall = (call) => {
      if (call === 'PUT ports') throw neutron.refusal(409, 'InUse', 'held by something')
    }
    await assert.rejects(
      binder.release(port, o),
      (error) => error instanceof UserFault && /held by/.test(error.message),
    )
    neutron.onCall = (call) => {
      if (call !== 'PUT ports') return
      neutron.tables.get('ports')?.delete(portId)
      throw neutron.refusal(404, 'PortNotFound', 'gone')
    }
    await binder.release(port, o)
    neutron.onCall = () => {
      throw neutron.refusal(503, '', 'busy')
    }
    await assert.rejects(binder.release(port, o), Retryable)
  })

  it('of a port that was brought nothing is changed but device, owner and host', async () => {
    const portId = given()
    const port = neutron.list('ports')[0]
    if (port !== undefined) Object.assign(port, { name: 'theirs', admin_state_up: false, tags: ['theirs'] })
    const earlier = { ...port }
    const before = { deviceOwner: 'their:own', hostId: 'elsewhere' }
    await binder.bind(planned({ portId, before, securityGroups: ['asked-for'] }), o)
    assert.deepEqual(neutron.list('ports')[0], {
      ...earlier,
      device_id: CONTAINER,
      device_owner: 'compute:kuryr',
      'binding:host_id': 'here',
      'binding:vif_type': 'bridge',
      'binding:vif_details': {},
      revision_number: 2,
    })
    assert.deepEqual(neutron.writes(), ['PUT ports'])
  })

  it('one that somebody else has taken meanwhile is not taken from them', async () => {
    const portId = given()
    const data = planned({ portId, before: { deviceOwner: '', hostId: '' } })
    const found = neutron.list('ports')[0]
    if (found !== undefined) found['device_id'] = 'another'
    await assert.rejects(
      binder.bind(data, o),
      (error) => error instanceof UserFault && /come into use/.test(error.message),
    )
    await binder.release(data, o)
    assert.deepEqual(neutron.writes(), [])
    neutron.tables.get('ports')?.clear()
    await assert.rejects(
      binder.bind(data, o),
      (error) => error instanceof UserFault && /could not be found/.test(error.message),
    )
  })

  it('of two who are given one port at the same time one has it', async () => {
    const portId = given()
    let read = 0
    const both = Promise.withResolvers<undefined>()
    const other = planned({ portId, before: { deviceOwner: '', hostId: '' }, deviceId: randomUUID() })
    const mine = planned({ portId, before: { deviceOwner: '', hostId: '' } })
    // Both have read that it is free before either writes.
    const slow = {
      json: async <T>(call: OpenStackCall) => {
        const answer = await neutron.json<T>(call)
        if (call.path !== '/v2.0/ports') return answer
        read += 1
        if (read === 2) both.resolve(undefined)
        await both.promise
        return answer
      },
      stream: async () => await neutron.stream(),
    }
    const racing = new PortBinder({ neutron: new NeutronClient(slow), host: 'here', log: quietLog })
    const ends = await Promise.allSettled([racing.bind(mine, o), racing.bind(other, o)])
    const [lost, ...more] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
    assert.ok(lost instanceof UserFault && /come into use/.test(lost.message), String(lost))
    assert.deepEqual(more, [])
    const has = ends[0]?.status === 'fulfilled' ? mine : other
    assert.equal(neutron.list('ports')[0]?.['device_id'], has.remote?.deviceId)
  })

  it('one that others go on changing is tried again later', async () => {
    const portId = given()
    neutron.onCall = (call, done) => {
      const port = neutron.list('ports')[0]
      if (call === 'PUT ports' && !done && port !== undefined)
        port['revision_number'] = Number(port['revision_number']) + 1
    }
    await assert.rejects(binder.bind(planned({ portId, before: { deviceOwner: '', hostId: '' } }), o), Retryable)
  })

  it('a binding that failed ends it with the reason, and is tried anew by the next try', async () => {
    neutron.vifType = 'binding_failed'
    const failed = (error: unknown): boolean =>
      error instanceof SystemFault && /could not bind port/.test(error.message)
    await assert.rejects(binder.bind(planned(), o), failed)
    neutron.vifType = 'unbound'
    await assert.rejects(binder.bind(planned(), o), failed)
    for (const kind of ['hw_veb', 'macvtap', 'midonet']) {
      neutron.vifType = kind
      await assert.rejects(binder.bind(planned(), o), new RegExp(`kind '${kind}', which cannot be plugged`))
    }
    neutron.vifType = 'ovs'
    await binder.bind(planned(), o)
    assert.equal(neutron.list('ports').length, 1)
  })

  it('how it is to be plugged is what its binding says', async () => {
    neutron.vifType = 'ovs'
    neutron.vifDetails = { bridge_name: 'br-other', ovs_hybrid_plug: true, port_filter: true }
    const { port } = await binder.bind(planned(), o)
    assert.deepEqual(port.remote?.plug, { kind: 'ovs', bridge: 'br-other', hybrid: true })
  })

  it('what Neutron refuses is told in its words, what is no answer is tried again', async () => {
    neutron.onCall = (asked) => {
      if (asked === 'POST ports') throw neutron.refusal(409, 'OverQuota', 'Quota exceeded for resources: port')
    }
    await assert.rejects(
      binder.bind(planned(), o),
      (error) => error instanceof UserFault && /Quota exceeded for resources: port/.test(error.message),
    )
    neutron.onCall = () => {
      throw neutron.refusal(503, '', 'busy')
    }
    await assert.rejects(binder.bind(planned(), o), Retryable)
    await assert.rejects(binder.release(planned(), o), Retryable)
  })

  it('exposed ports have one group for all ports of the container, gone with the last', async () => {
    const open = { openPorts: ['80/tcp', '53/udp'] }
    const { port } = await binder.bind(planned(open), o)
    const other = neutron.add('networks', { name: 'other', project_id: 'p' }).id
    neutron.add('subnets', { network_id: other, cidr: '10.1.0.0/24', ip_version: 4 })
    const second = await binder.bind({ ...planned(open), networkId: other }, o)
    const [group, ...more] = neutron.list('security-groups')
    assert.deepEqual([group?.['name'], group?.['tenant_id'], more], [`zun-${CONTAINER}`, 'p', []])
    assert.equal(port.remote?.openGroup, group?.id)
    const rules = neutron.list('security-group-rules').slice(0, 4)
    assert.deepEqual(
      rules.map((rule) => [rule['protocol'], rule['port_range_min'], rule['remote_ip_prefix']]),
      [
        ['tcp', 80, '0.0.0.0/0'],
        ['tcp', 80, '::/0'],
        ['udp', 53, '0.0.0.0/0'],
        ['udp', 53, '::/0'],
      ],
    )
    neutron.onCall = (asked, done) => {
      if (asked === 'DELETE security-groups' && !done && neutron.list('ports').length > 0) {
        throw neutron.refusal(409, 'SecurityGroupInUse', 'in use')
      }
    }
    await binder.release(port, o)
    assert.equal(neutron.list('security-groups').length, 1)
    await binder.release(second.port, o)
    assert.deepEqual(neutron.list('security-groups'), [])
  })

  it('an exposed port whose rule is refused ends it with the reason, and leaves no group to whoever gives it back', async () => {
    neutron.onCall = (asked) => {
      if (asked === 'POST security-group-rules') throw neutron.refusal(409, 'OverQuota', 'Quota exceeded: rules')
    }
    const open = planned({ openPorts: ['80/tcp'] })
    await assert.rejects(
      binder.bind(open, o),
      (error) => error instanceof UserFault && /Quota exceeded: rules/.test(error.message),
    )
    neutron.onCall = () => undefined
    await binder.release(open, o)
    assert.deepEqual([neutron.list('security-groups'), neutron.list('ports')], [[], []])
  })

  it('what somebody has removed meanwhile is given back all the same', async () => {
    const { port } = await binder.bind(planned({ openPorts: ['80/tcp'] }), o)
    const gone = new Set(['DELETE ports', 'DELETE security-groups'])
    const asked = new Set<string>()
    const tokens = new Set<string | undefined>()
    neutron.onCall = (call, _done, { userToken }) => {
      asked.add(call)
      tokens.add(userToken)
      if (gone.has(call)) throw neutron.refusal(404, 'NotFound', 'could not be found')
    }
    await binder.release(port, o)
    assert.deepEqual(gone.difference(asked), new Set())
    // As the service itself: whoever asked for it may be gone by then.
    assert.deepEqual([...tokens], [undefined])
  })
})
