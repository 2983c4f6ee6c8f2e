/** What the engine is told of networks, addresses and ends of Neutron's. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { HostPort } from '../../src/orchestration/ports/host-ports.ts'
import { NETWORK, PluginBench, PORT, V4, V6 } from '../support/plugin-bench.ts'

/** Of two families, of which only one has a way out. */
const ROUTED: HostPort = {
  ...PORT,
  portId: randomUUID(),
  macAddress: 'fa:16:3e:00:00:02',
  addresses: [
    { address: '10.1.0.5', version: 4, subnetId: 'routed-v4' },
    { address: 'fd01::5', version: 6, subnetId: 'routed-v6' },
  ],
  subnets: [
    {
      id: 'routed-v4',
      cidr: '10.1.0.0/24',
      gateway: null,
      version: 4,
      hostRoutes: [{ destination: '192.0.2.0/24', nextHop: '10.1.0.254' }],
    },
    { id: 'routed-v6', cidr: 'fd01::/64', gateway: 'fd01::1', version: 6 },
  ],
}

describe('what the network plugin says of networks and addresses', () => {
  const bench = new PluginBench()
  before(async () => bench.open())
  after(async () => bench.close())

  it('a pool is a subnet of the network; gateways are as the subnet has them', async () => {
    const Options = { 'neutron.net.uuid': NETWORK }
    const pool = { PoolID: V4.id, Pool: V4.cidr, Data: {} }
    assert.deepEqual(await bench.answered('IpamDriver.RequestPool', { Pool: '10.0.0.0/24', Options, V6: false }), pool)
    assert.match(
      await bench.refused('IpamDriver.RequestPool', { Pool: '10.9.0.0/24', Options }),
      /no IPv4 subnet 10\.9/,
    )
    assert.match(await bench.refused('IpamDriver.RequestPool', { Pool: '', Options }), /no IPv4 subnet/)
    const byHand = { 'neutron.net.uuid': 'unknown', 'neutron.subnet.v6.uuid': 'theirs' }
    assert.deepEqual(await bench.answered('IpamDriver.RequestPool', { Pool: 'fd09::/64', Options: byHand, V6: true }), {
      PoolID: 'theirs',
      Pool: 'fd09::/64',
      Data: {},
    })
    const gateway = { RequestAddressType: 'com.docker.network.gateway' }
    const at = async (PoolID: string, Address: string): Promise<unknown> =>
      await bench.answered('IpamDriver.RequestAddress', { PoolID, Address, Options: gateway })
    assert.deepEqual(await at(V4.id, '10.0.0.1'), { Address: '10.0.0.1/24', Data: {} })
    assert.deepEqual(await at(V6.id, ''), { Address: '::/0', Data: {} })
    assert.deepEqual(await at(V4.id, ''), { Address: '0.0.0.0/0', Data: {} })
    assert.deepEqual(await at(V4.id, '10.0.0.9'), { Address: '10.0.0.9/24', Data: {} })
    const unknown = { PoolID: 'unknown', Address: '10.0.0.1', Options: gateway }
    assert.match(await bench.refused('IpamDriver.RequestAddress', unknown), /^404 the subnet is not known/)
    const generic = { 'com.docker.network.generic': Options }
    assert.deepEqual(await bench.answered('NetworkDriver.GwAllocCheck', { Options: generic }), {
      SkipIPv4: false,
      SkipIPv6: true,
    })
  })

  it('a pool of an earlier plugin is no obstacle: the address tells the port', async () => {
    const PoolID = 'a pool of kuryr'
    const given = await bench.answered('IpamDriver.RequestAddress', { PoolID, Address: '10.0.0.5' })
    assert.deepEqual(given, { Address: '10.0.0.5/24', Data: {} })
    assert.match(await bench.refused('IpamDriver.RequestAddress', { PoolID, Address: '' }), /needs a port/)
    assert.match(await bench.refused('IpamDriver.RequestAddress', { PoolID, Address: '10.0.0.6' }), /^404 no port/)
    await bench.answered('IpamDriver.ReleaseAddress', { PoolID, Address: '10.0.0.5' })
    await bench.answered('IpamDriver.ReleasePool', { PoolID })
  })

  it('of a family that the port does not have the engine gets an address that reaches nobody', async () => {
    const { Address } = (await bench.answered('IpamDriver.RequestAddress', { PoolID: V6.id, Address: '' })) as {
      Address: string
    }
    assert.match(Address, /^fe80::[0-9a-f:]+\/64$/)
    const Interface = { Address: '10.0.0.5/24', AddressIPv6: Address, MacAddress: '' }
    const made = await bench.answered('NetworkDriver.CreateEndpoint', {
      NetworkID: 'unknown',
      EndpointID: 'e1',
      Interface,
    })
    assert.deepEqual(made, { Interface: { MacAddress: PORT.macAddress } })
    await bench.answered('NetworkDriver.DeleteEndpoint', { NetworkID: 'unknown', EndpointID: 'e1' })
    assert.deepEqual(bench.plugged, [])
  })

  it('two families are one end, whose routes and gateways are those of the subnets', async () => {
    bench.ports.putPort(ROUTED)
    for (const { address } of ROUTED.addresses) {
      await bench.answered('IpamDriver.RequestAddress', { PoolID: 'a pool of kuryr', Address: address })
    }
    const end = { NetworkID: 'n1', EndpointID: 'e4' }
    const Interface = { Address: '10.1.0.5/24', AddressIPv6: 'FD01:0::5/64', MacAddress: '' }
    const wrong = { ...Interface, MacAddress: 'fa:16:3e:00:00:09' }
    assert.match(
      await bench.refused('NetworkDriver.CreateEndpoint', { ...end, Interface: wrong }),
      /^400 .* are dropped/,
    )
    assert.deepEqual(bench.plugged, [])
    const made = await bench.answered('NetworkDriver.CreateEndpoint', { ...end, Interface })
    assert.deepEqual(made, { Interface: { MacAddress: ROUTED.macAddress } })
    assert.deepEqual(bench.plugged, [ROUTED.portId])
    assert.deepEqual(await bench.answered('NetworkDriver.Join', end), {
      InterfaceName: { SrcName: `end-${ROUTED.portId.slice(0, 4)}`, DstPrefix: 'eth' },
      StaticRoutes: [
        { Destination: '192.0.2.0/24', RouteType: 0, NextHop: '10.1.0.254' },
        { Destination: '::/0', RouteType: 0, NextHop: 'fd01::1' },
      ],
      DisableGatewayService: true,
    })
    await bench.answered('NetworkDriver.DeleteEndpoint', end)
    bench.ports.forgetPort(ROUTED.portId)
  })

  it('networks of the same addresses are kept apart', async () => {
    const twin = { ...V4, id: randomUUID() }
    const other: HostPort = {
      ...PORT,
      portId: randomUUID(),
      networkId: randomUUID(),
      macAddress: 'fa:16:3e:00:00:03',
      addresses: [{ address: '10.0.0.5', version: 4, subnetId: twin.id }],
      subnets: [twin],
    }
    bench.ports.putNetwork({ networkId: other.networkId, subnets: [twin] })
    bench.ports.putPort(other)
    for (const port of [PORT, other]) {
      const Options = { 'neutron.net.uuid': port.networkId }
      const PoolID = port.subnets[0]?.id
      assert.deepEqual(await bench.answered('IpamDriver.RequestPool', { Pool: V4.cidr, Options }), {
        PoolID,
        Pool: V4.cidr,
        Data: {},
      })
      const given = await bench.answered('IpamDriver.RequestAddress', { PoolID, Address: '10.0.0.5' })
      assert.deepEqual(given, { Address: '10.0.0.5/24', Data: {} })
      const end = { NetworkID: `of ${port.networkId}`, EndpointID: `end of ${port.networkId}` }
      const generic = { 'com.docker.network.generic': Options }
      assert.deepEqual(await bench.answered('NetworkDriver.CreateNetwork', { ...end, Options: generic }), {})
      const made = await bench.answered('NetworkDriver.CreateEndpoint', {
        ...end,
        Interface: { Address: '10.0.0.5/24' },
      })
      assert.deepEqual(made, { Interface: { MacAddress: port.macAddress } })
      await bench.answered('NetworkDriver.DeleteEndpoint', end)
    }
    bench.ports.forgetPort(other.portId)
    bench.ports.forgetNetwork(other.networkId)
  })
})
