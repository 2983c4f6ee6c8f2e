import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, beforeEach, describe, it } from 'node:test'
import { ApiError, Unavailable } from '../../src/domain/errors.ts'
import type { Asker, NetRequest, NetworkPlan, NetworksRequest } from '../../src/app/ports/network-planner.ts'
import type { JsonRecord } from '../../src/adapters/openstack/json.ts'
import { addContainer, addOperation } from '../support/store-harness.ts'
import { LiveStore } from '../support/live-api.ts'
import { FakeNeutron } from '../support/fake-neutron.ts'
import { OpenStackUnreachable } from '../../src/adapters/openstack/errors.ts'
import { NeutronClient } from '../../src/adapters/network/neutron/neutron-client.ts'
import { NeutronPlanner } from '../../src/adapters/network/neutron/neutron-planner.ts'

const ASKER: Asker = { token: 'theirs', projectId: 'p', requestId: 'req-1', signal: AbortSignal.timeout(60_000) }

describe('what a request asks of Neutron', () => {
  const live = new LiveStore()
  after(async () => live.close())
  let neutron: FakeNeutron
  let planner: NeutronPlanner

  beforeEach(() => {
    neutron = new FakeNeutron()
    planner = new NeutronPlanner({ neutron: new NeutronClient(neutron), newUuid: () => 'binding' })
  })

  const aNetwork = (fields: JsonRecord, cidr = '10.0.0.0/24'): string => {
    const { id } = neutron.add('networks', { project_id: 'p', shared: false, mtu: 1450, ...fields })
    neutron.add('subnets', { network_id: id, cidr, ip_version: 4, gateway_ip: null })
    return id
  }

  const aPort = (networkId: string, fields: JsonRecord): string =>
    neutron.add('ports', {
      network_id: networkId,
      project_id: 'p',
      mac_address: 'fa:16:3e:00:00:01',
      status: 'DOWN',
      device_id: '',
      device_owner: '',
      fixed_ips: [{ subnet_id: neutron.list('subnets')[0]?.id, ip_address: '10.0.0.5' }],
      ...fields,
    }).id

  const net = (fields: Partial<NetRequest>): NetRequest => ({
    network: null,
    port: null,
    ipv4: null,
    ipv6: null,
    ...fields,
  })
  const plan = async (nets: readonly NetRequest[], more: Partial<NetworksRequest> = {}) =>
    await planner.plan(ASKER, { nets, securityGroups: [], openPorts: [], ...more })

  async function refusal(work: Promise<unknown>): Promise<string> {
    const error: unknown = await work.then(
      () => 'nothing was refused',
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ApiError, String(error))
    return `${error.status} ${error.code}`
  }

  it('without a request it is the oldest own network, else a shared one, else a conflict', async () => {
    assert.equal(await refusal(plan([])), '409 conflict')
    const shared = aNetwork({ name: 'all', project_id: 'q', shared: true, created_at: '2020-01-01T00:00:00Z' })
    assert.equal((await bindings(plan([])))[0]?.networkId, shared)
    aNetwork({ name: 'new', created_at: '2022-01-01T00:00:00Z' })
    const old = aNetwork({ name: 'old', created_at: '2021-01-01T00:00:00Z' })
    assert.equal((await bindings(plan([])))[0]?.networkId, old)
  })

  it('what is asked for is noted, with whom it is for; nothing is made', async () => {
    const id = aNetwork({ name: 'net' })
    const more = { securityGroups: ['g'], openPorts: ['80/tcp'] }
    const [data] = await bindings(plan([net({ network: 'net', ipv4: '10.0.0.9' })], more))
    assert.deepEqual([data?.networkId, data?.projectId, data?.preserveOnDelete], [id, 'p', false])
    const { portId, deviceId, askedAddresses, securityGroups, openPorts, before } = data?.remote ?? {}
    assert.deepEqual(
      [portId, deviceId, askedAddresses, securityGroups, openPorts, before],
      [null, 'container', ['10.0.0.9'], ['g'], ['80/tcp'], null],
    )
    assert.deepEqual(neutron.writes(), [])
  })

  it('a port that was brought is known with all it is, and with what it was', async () => {
    const id = aPort(aNetwork({ name: 'net' }), { name: 'mine', device_owner: 'their:own', 'binding:host_id': 'h' })
    const [data] = await bindings(plan([net({ port: 'mine' })]))
    assert.deepEqual(
      data?.fixedIps.map(({ address }) => address),
      ['10.0.0.5'],
    )
    assert.deepEqual([data?.macAddress, data?.preserveOnDelete], ['fa:16:3e:00:00:01', true])
    assert.deepEqual([data?.remote?.portId, data?.remote?.before], [id, { deviceOwner: 'their:own', hostId: 'h' }])
  })

  const unusable: readonly [string, JsonRecord, string][] = [
    ['of another project', { project_id: 'q' }, '400 port-not-usable'],
    ['in use', { device_id: 'x' }, '400 port-in-use'],
    ['that is active', { status: 'ACTIVE' }, '400 port-not-usable'],
    ['whose binding failed', { 'binding:vif_type': 'binding_failed' }, '400 port-binding-failed'],
    ...['direct', 'macvtap', 'direct-physical', 'virtio-forwarder'].map((kind): [string, JsonRecord, string] => [
      `of SR-IOV, ${kind}`,
      { 'binding:vnic_type': kind },
      '400 port-not-usable',
    ]),
    ['that is being built', { status: 'BUILD' }, '400 port-not-usable'],
    ['that has failed', { status: 'ERROR' }, '400 port-not-usable'],
    ['without an address', { fixed_ips: [] }, '400 port-not-usable'],
  ]
  it('a port that cannot be used is refused with its own code', async () => {
    const network = aNetwork({ name: 'net' })
    for (const [what, fields, code] of unusable) {
      assert.equal(await refusal(plan([net({ port: aPort(network, fields) })])), code, what)
    }
    assert.equal(await refusal(plan([net({ port: 'nobody' })])), '404 port-not-found')
    for (const name of ['two', 'two']) aPort(network, { name })
    assert.equal(await refusal(plan([net({ port: 'two' })])), '409 conflict')
  })

  it('a port that another request has been promised, which has not come to it yet, is refused', async () => {
    const port = aPort(aNetwork({ name: 'net' }), { name: 'mine' })
    const nets = [net({ port: 'mine' })]
    const [first, second] = [await plan(nets), await plan(nets)]
    const container = await addContainer(live.store)
    const op = await addOperation(live.store, container.uuid)
    await live.store.write(async (tx) => {
      const promised = await first.bindings(tx, { containerUuid: container.uuid, firstOrder: 0 })
      for (const binding of promised) await tx.bindings.insert(container.uuid, { ...binding, uuid: randomUUID() })
    })
    assert.equal(await refusal(bindings(second)), '400 port-in-use')
    // It has come to nothing, and the port was given back.
    await live.store.write(async (tx) => {
      await tx.operations.claim(op.id, op.fence, 'host', 60_000)
      await tx.operations.release(op.id, op.fence + 1, { state: 'failed' })
    })
    assert.equal((await bindings(second))[0]?.remote?.portId, port)
  })

  it('networks and addresses that cannot be had are refused', async () => {
    const id = aNetwork({ name: 'net' })
    aPort(id, { fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.7' }] })
    assert.equal(await refusal(plan([net({ network: 'nobody' })])), '404 network-not-found')
    assert.equal(await refusal(plan([net({ network: id }), net({ network: 'net' })])), '400 invalid')
    assert.equal(await refusal(plan([net({ network: id, ipv4: '192.0.2.1' })])), '400 invalid-value')
    assert.equal(await refusal(plan([net({ network: id, ipv6: 'fd00::1' })])), '400 invalid-value')
    assert.equal(await refusal(plan([net({ network: id, ipv4: '10.0.0.7' })])), '409 conflict')
    const bare = neutron.add('networks', { name: 'bare', project_id: 'p' }).id
    assert.equal(await refusal(plan([net({ network: bare })])), '400 invalid')
    aNetwork({ name: 'net' })
    assert.equal(await refusal(plan([net({ network: 'net' })])), '409 conflict')
  })

  it('where port security is disabled groups are refused, and exposed ports need none', async () => {
    const open = aNetwork({ name: 'open', port_security_enabled: false })
    const usual = aNetwork({ name: 'usual', port_security_enabled: true })
    const port = aPort(usual, { port_security_enabled: false })
    const groups = { securityGroups: ['g'] }
    await assert.rejects(plan([net({ network: open })], groups), (error) => {
      return error instanceof ApiError && error.status === 400 && /Network open .*port security/.test(error.message)
    })
    await assert.rejects(plan([net({ port })], groups), (error) => {
      return error instanceof ApiError && error.status === 400 && error.message.includes(`Port ${port} `)
    })
    assert.deepEqual((await bindings(plan([net({ network: usual })], groups)))[0]?.remote?.securityGroups, ['g'])
    const planned = await bindings(plan([net({ network: open }), net({ network: usual })], { openPorts: ['80/tcp'] }))
    assert.deepEqual(
      planned.map(({ remote }) => remote?.openPorts),
      [[], ['80/tcp']],
    )
  })

  it('exposed ports change nothing of a port that was brought, and no group is made for it', async () => {
    const port = aPort(aNetwork({ name: 'net' }), {})
    const [data] = await bindings(plan([net({ port })], { openPorts: ['80/tcp'] }))
    assert.deepEqual(data?.remote?.openPorts, [])
  })

  it('external networks are named, for the policy to decide', async () => {
    const outer = neutron.add('networks', { name: 'outer', project_id: 'q', 'router:external': true }).id
    assert.deepEqual((await plan([net({ network: outer })])).external, ['outer'])
    const both = aNetwork({ name: 'both', 'router:external': true, shared: true })
    assert.deepEqual((await plan([net({ network: both })])).external, [])
  })

  it('groups are those of the project, by name or id, each once', async () => {
    const { id } = neutron.add('security-groups', { name: 'web', project_id: 'p' })
    neutron.add('security-groups', { name: 'web', project_id: 'q' })
    assert.deepEqual(await planner.securityGroups(ASKER, ['web', id]), [id])
    assert.equal(await refusal(planner.securityGroups(ASKER, ['nobody'])), '400 invalid-value')
    neutron.add('security-groups', { name: 'web', project_id: 'p' })
    assert.equal(await refusal(planner.groupToChange(ASKER, 'web')), '409 conflict')
  })

  it('names are looked up with the token of the caller, and a Neutron that is away is a 503', async () => {
    const id = aNetwork({ name: 'net' })
    const tokens = new Set<string | undefined>()
    neutron.onCall = (_asked, _done, { userToken }) => void tokens.add(userToken)
    await plan([net({ network: id })])
    assert.deepEqual([...tokens], ['theirs'])
    neutron.onCall = () => {
      throw new OpenStackUnreachable('network', 'does not answer')
    }
    await assert.rejects(plan([net({ network: id })]), Unavailable)
    neutron.onCall = () => {
      throw neutron.refusal(403, 'Forbidden', 'not for you')
    }
    assert.equal(await refusal(plan([net({ network: id })])), '403 not-authorized')
  })

  it('one that an administrator wants on a host is looked up as the service, whosever it is', async () => {
    const id = aNetwork({ name: 'theirs', project_id: 'q' })
    const tokens = new Set<string | undefined>()
    neutron.onCall = (_asked, _done, { userToken }) => void tokens.add(userToken)
    const place = await planner.placeOf(ASKER, id)
    assert.deepEqual([place?.networkId, place?.projectId, place?.subnets[0]?.cidr], [id, 'q', '10.0.0.0/24'])
    assert.deepEqual([...tokens], [undefined])
    assert.equal(await planner.placeOf(ASKER, '1f0a8a55-43c4-4f0f-8f0a-0f6d6f3a7f25'), undefined)
    const bare = neutron.add('networks', { name: 'bare', project_id: 'p' }).id
    assert.equal(await refusal(planner.placeOf(ASKER, bare)), '400 invalid')
  })

  async function bindings(planned: NetworkPlan | Promise<NetworkPlan>) {
    const found = await planned
    const made = await live.store.write(
      async (tx) => await found.bindings(tx, { containerUuid: 'container', firstOrder: 0 }),
    )
    return made.flatMap(({ data }) => (data.kind === 'port' ? [data] : []))
  }
})
