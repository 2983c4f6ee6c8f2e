/** The engine's plugin protocol, spoken by hand: what the engine never says, or says only at bad moments. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SqlHostPorts } from '../../src/adapters/network/sql-host-ports.ts'
import { PluginServer } from '../../src/edge/libnetwork/plugin-server.ts'
import type { HostPort, PortPlugger } from '../../src/orchestration/ports/host-ports.ts'
import { quietLog } from '../support/quiet-log.ts'

const NETWORK = randomUUID()
const V4 = { id: randomUUID(), cidr: '10.0.0.0/24', gateway: '10.0.0.1', version: 4 } as const
const V6 = { id: randomUUID(), cidr: 'fd00::/64', gateway: null, version: 6 } as const
const PORT: HostPort = {
  portId: randomUUID(),
  networkId: NETWORK,
  containerUuid: randomUUID(),
  macAddress: 'fa:16:3e:00:00:01',
  mtu: 1450,
  addresses: [{ address: '10.0.0.5', version: 4, subnetId: V4.id }],
  subnets: [V4],
  plug: { kind: 'bridge', bridge: null, hybrid: false },
}
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

describe('the network plugin, asked by hand', () => {
  const directory = mkdtempSync(join(tmpdir(), 'zund-plugin-'))
  let socketPath = join(directory, 'plugins/test.sock')
  const file = join(directory, 'ports.sqlite')
  const plugged: string[] = []
  /** Kinds of content of all answers so far. */
  const types = new Set<string | undefined>()
  let failure: Error | undefined
  const plugger: PortPlugger = {
    plug: async ({ portId }) => {
      if (failure !== undefined) throw failure
      plugged.push(portId)
    },
    plugAhead: async () => assert.fail('the plugin plugs for containers that start'),
    unplug: async ({ portId }) => void plugged.splice(0, plugged.length, ...plugged.filter((id) => id !== portId)),
    containerEnd: (portId) => `end-${portId.slice(0, 4)}`,
  }
  let ports = new SqlHostPorts(file)
  let plugin = new PluginServer({ socketPath, ports, plugger, log: quietLog })

  before(async () => {
    await plugin.start()
    ports.putNetwork({ networkId: NETWORK, subnets: [V4, V6] })
    ports.putPort(PORT)
  })
  after(async () => {
    await plugin.stop()
    ports.close()
    rmSync(directory, { recursive: true, force: true })
  })

  async function send(path: string, text: string, method = 'POST'): Promise<{ status: number; body: unknown }> {
    return await new Promise((resolve, reject) => {
      const call = request({ socketPath, path, method, timeout: 20_000, agent: false }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          types.add(answer.headers['content-type'])
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
        })
      })
      call.on('error', reject)
      call.end(text)
    })
  }

  const ask = async (name: string, message: object): Promise<{ status: number; body: unknown }> =>
    await send(`/${name}`, JSON.stringify(message))
  async function answered(name: string, message: object = {}): Promise<unknown> {
    const { status, body } = await ask(name, message)
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }
  async function refused(name: string, message: object = {}): Promise<string> {
    const { status, body } = await ask(name, message)
    assert.ok(status >= 400, JSON.stringify(body))
    const { Err, Error: error } = body as { Err: string; Error: string }
    assert.equal(Err, error)
    return `${status} ${Err}`
  }

  it('says what it is, with a body or without', async () => {
    for (const text of ['', 'null', '{}', '{"Unknown": {"field": 1}}']) {
      assert.deepEqual(await send('/Plugin.Activate', text), {
        status: 200,
        body: { Implements: ['NetworkDriver', 'IpamDriver'] },
      })
    }
    assert.deepEqual(await answered('NetworkDriver.GetCapabilities'), {
      Scope: 'local',
      ConnectivityScope: 'local',
      GwAllocChecker: true,
    })
    assert.deepEqual(await answered('IpamDriver.GetCapabilities'), {
      RequiresMACAddress: false,
      RequiresRequestReplay: false,
    })
    assert.deepEqual(await answered('IpamDriver.GetDefaultAddressSpaces'), {
      LocalDefaultAddressSpace: 'no_address_space',
      GlobalDefaultAddressSpace: 'no_address_space',
    })
    assert.deepEqual([...types], ['application/vnd.docker.plugins.v1+json'])
    assert.equal(statSync(socketPath).mode & 0o777, 0o600)
  })

  it('what needs nothing done is answered all the same', async () => {
    const end = { NetworkID: 'n0', EndpointID: 'e0' }
    const calls = {
      Leave: end,
      ProgramExternalConnectivity: { ...end, Options: { 'com.docker.network.portmap': [] } },
      RevokeExternalConnectivity: end,
      DiscoverNew: { DiscoveryType: 1, DiscoveryData: {} },
      DiscoverDelete: { DiscoveryType: 1, DiscoveryData: {} },
      FreeNetwork: { NetworkID: 'n0' },
      DeleteNetwork: { NetworkID: 'n0' },
    }
    for (const [call, message] of Object.entries(calls)) {
      assert.deepEqual(await answered(`NetworkDriver.${call}`, message), {}, call)
    }
    assert.deepEqual(await answered('NetworkDriver.AllocateNetwork', { NetworkID: 'n0' }), { Options: {} })
    assert.deepEqual(await answered('IpamDriver.ReleasePool', { PoolID: 'p0' }), {})
    assert.deepEqual(await answered('IpamDriver.ReleaseAddress', { PoolID: 'p0', Address: '10.0.0.5' }), {})
    assert.deepEqual(plugged, [])
  })

  it('what is no message is refused, and the next one is answered', async () => {
    for (const [text, status] of [
      ['{', 400],
      ['[]', 400],
      ['"text"', 400],
      [`"${'x'.repeat(1024 * 1024 + 1)}"`, 413],
    ] as const) {
      assert.equal((await send('/NetworkDriver.Join', text)).status, status)
    }
    assert.equal((await send('/NetworkDriver.Dance', '{}')).status, 404)
    assert.equal((await send('/../etc/passwd', '{}')).status, 404)
    assert.equal((await send('/Plugin.Activate', '', 'GET')).status, 405)
    for (const call of ['Join', 'CreateNetwork', 'CreateEndpoint', 'DeleteEndpoint']) {
      assert.match(await refused(`NetworkDriver.${call}`), /^400 .* is missing/)
    }
    const nowhere = { NetworkID: 'n9', Options: { 'com.docker.network.generic': {} } }
    assert.equal(await refused('NetworkDriver.CreateNetwork', nowhere), '400 neutron.net.uuid is missing')
    await answered('NetworkDriver.Leave')
  })

  it('a pool is a subnet of the network; gateways are as the subnet has them', async () => {
    const Options = { 'neutron.net.uuid': NETWORK }
    const pool = { PoolID: V4.id, Pool: V4.cidr, Data: {} }
    assert.deepEqual(await answered('IpamDriver.RequestPool', { Pool: '10.0.0.0/24', Options, V6: false }), pool)
    assert.match(await refused('IpamDriver.RequestPool', { Pool: '10.9.0.0/24', Options }), /no IPv4 subnet 10\.9/)
    assert.match(await refused('IpamDriver.RequestPool', { Pool: '', Options }), /no IPv4 subnet/)
    const byHand = { 'neutron.net.uuid': 'unknown', 'neutron.subnet.v6.uuid': 'theirs' }
    assert.deepEqual(await answered('IpamDriver.RequestPool', { Pool: 'fd09::/64', Options: byHand, V6: true }), {
      PoolID: 'theirs',
      Pool: 'fd09::/64',
      Data: {},
    })
    const gateway = { RequestAddressType: 'com.docker.network.gateway' }
    const at = async (PoolID: string, Address: string): Promise<unknown> =>
      await answered('IpamDriver.RequestAddress', { PoolID, Address, Options: gateway })
    assert.deepEqual(await at(V4.id, '10.0.0.1'), { Address: '10.0.0.1/24', Data: {} })
    assert.deepEqual(await at(V6.id, ''), { Address: '::/0', Data: {} })
    assert.deepEqual(await at(V4.id, ''), { Address: '0.0.0.0/0', Data: {} })
    assert.deepEqual(await at(V4.id, '10.0.0.9'), { Address: '10.0.0.9/24', Data: {} })
    const unknown = { PoolID: 'unknown', Address: '10.0.0.1', Options: gateway }
    assert.match(await refused('IpamDriver.RequestAddress', unknown), /^404 the subnet is not known/)
    const generic = { 'com.docker.network.generic': Options }
    assert.deepEqual(await answered('NetworkDriver.GwAllocCheck', { Options: generic }), {
      SkipIPv4: false,
      SkipIPv6: true,
    })
  })

  it('a pool of an earlier plugin is no obstacle: the address tells the port', async () => {
    const PoolID = 'a pool of kuryr'
    const given = await answered('IpamDriver.RequestAddress', { PoolID, Address: '10.0.0.5' })
    assert.deepEqual(given, { Address: '10.0.0.5/24', Data: {} })
    assert.match(await refused('IpamDriver.RequestAddress', { PoolID, Address: '' }), /needs a port/)
    assert.match(await refused('IpamDriver.RequestAddress', { PoolID, Address: '10.0.0.6' }), /^404 no port/)
    await answered('IpamDriver.ReleaseAddress', { PoolID, Address: '10.0.0.5' })
    await answered('IpamDriver.ReleasePool', { PoolID })
  })

  it('of a family that the port does not have the engine gets an address that reaches nobody', async () => {
    const { Address } = (await answered('IpamDriver.RequestAddress', { PoolID: V6.id, Address: '' })) as {
      Address: string
    }
    assert.match(Address, /^fe80::[0-9a-f:]+\/64$/)
    const Interface = { Address: '10.0.0.5/24', AddressIPv6: Address, MacAddress: '' }
    const made = await answered('NetworkDriver.CreateEndpoint', { NetworkID: 'unknown', EndpointID: 'e1', Interface })
    assert.deepEqual(made, { Interface: { MacAddress: PORT.macAddress } })
    await answered('NetworkDriver.DeleteEndpoint', { NetworkID: 'unknown', EndpointID: 'e1' })
    assert.deepEqual(plugged, [])
  })

  it('an end outlives the plugin, is plugged once, and taken down also when nobody knows it', async () => {
    await answered('NetworkDriver.CreateNetwork', {
      NetworkID: 'n1',
      Options: { 'com.docker.network.generic': { 'neutron.net.uuid': NETWORK } },
    })
    const end = { NetworkID: 'n1', EndpointID: 'e2' }
    const Interface = { Address: '10.0.0.5/24', MacAddress: 'FA:16:3E:00:00:01' }
    assert.deepEqual(await answered('NetworkDriver.CreateEndpoint', { ...end, Interface }), { Interface: {} })
    await plugin.stop()
    ports.close()
    ports = new SqlHostPorts(file)
    plugin = new PluginServer({ socketPath, ports, plugger, log: quietLog })
    await plugin.start()
    assert.deepEqual(await answered('NetworkDriver.Join', end), {
      InterfaceName: { SrcName: `end-${PORT.portId.slice(0, 4)}`, DstPrefix: 'eth' },
      Gateway: '10.0.0.1',
      StaticRoutes: [],
      DisableGatewayService: true,
    })
    assert.deepEqual(await answered('NetworkDriver.EndpointOperInfo', end), {
      Value: { 'neutron.port.uuid': PORT.portId },
    })
    await answered('NetworkDriver.Leave', end)
    await answered('NetworkDriver.DeleteEndpoint', end)
    await answered('NetworkDriver.DeleteEndpoint', end)
    assert.deepEqual(await answered('NetworkDriver.EndpointOperInfo', end), { Value: {} })
    assert.match(await refused('NetworkDriver.Join', end), /^404/)
    await answered('NetworkDriver.DeleteNetwork', { NetworkID: 'n1' })
  })

  it('two families are one end, whose routes and gateways are those of the subnets', async () => {
    ports.putPort(ROUTED)
    for (const { address } of ROUTED.addresses) {
      await answered('IpamDriver.RequestAddress', { PoolID: 'a pool of kuryr', Address: address })
    }
    const end = { NetworkID: 'n1', EndpointID: 'e4' }
    const Interface = { Address: '10.1.0.5/24', AddressIPv6: 'FD01:0::5/64', MacAddress: '' }
    const wrong = { ...Interface, MacAddress: 'fa:16:3e:00:00:09' }
    assert.match(await refused('NetworkDriver.CreateEndpoint', { ...end, Interface: wrong }), /^400 .* are dropped/)
    assert.deepEqual(plugged, [])
    const made = await answered('NetworkDriver.CreateEndpoint', { ...end, Interface })
    assert.deepEqual(made, { Interface: { MacAddress: ROUTED.macAddress } })
    assert.deepEqual(plugged, [ROUTED.portId])
    assert.deepEqual(await answered('NetworkDriver.Join', end), {
      InterfaceName: { SrcName: `end-${ROUTED.portId.slice(0, 4)}`, DstPrefix: 'eth' },
      StaticRoutes: [
        { Destination: '192.0.2.0/24', RouteType: 0, NextHop: '10.1.0.254' },
        { Destination: '::/0', RouteType: 0, NextHop: 'fd01::1' },
      ],
      DisableGatewayService: true,
    })
    await answered('NetworkDriver.DeleteEndpoint', end)
    ports.forgetPort(ROUTED.portId)
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
    ports.putNetwork({ networkId: other.networkId, subnets: [twin] })
    ports.putPort(other)
    for (const port of [PORT, other]) {
      const Options = { 'neutron.net.uuid': port.networkId }
      const PoolID = port.subnets[0]?.id
      assert.deepEqual(await answered('IpamDriver.RequestPool', { Pool: V4.cidr, Options }), {
        PoolID,
        Pool: V4.cidr,
        Data: {},
      })
      const given = await answered('IpamDriver.RequestAddress', { PoolID, Address: '10.0.0.5' })
      assert.deepEqual(given, { Address: '10.0.0.5/24', Data: {} })
      const end = { NetworkID: `of ${port.networkId}`, EndpointID: `end of ${port.networkId}` }
      const generic = { 'com.docker.network.generic': Options }
      assert.deepEqual(await answered('NetworkDriver.CreateNetwork', { ...end, Options: generic }), {})
      const made = await answered('NetworkDriver.CreateEndpoint', { ...end, Interface: { Address: '10.0.0.5/24' } })
      assert.deepEqual(made, { Interface: { MacAddress: port.macAddress } })
      await answered('NetworkDriver.DeleteEndpoint', end)
    }
    ports.forgetPort(other.portId)
    ports.forgetNetwork(other.networkId)
  })

  it('a port that cannot be plugged is told, and its end is not remembered', async () => {
    failure = new Error('the switch does not answer')
    const end = { NetworkID: 'n1', EndpointID: 'e3' }
    const told = await refused('NetworkDriver.CreateEndpoint', { ...end, Interface: { Address: '10.0.0.5/24' } })
    failure = undefined
    assert.equal(told, '500 the switch does not answer')
    assert.match(await refused('NetworkDriver.Join', end), /^404/)
  })

  it('a port whose plugging takes for ever is given up with an answer, and holds up nobody else', async () => {
    const [begun, held] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const slow = new PluginServer({
      socketPath: join(directory, 'slow.sock'),
      ports,
      plugger: {
        ...plugger,
        plug: async (_port, { signal }) => {
          begun.resolve(undefined)
          await held.promise
          if (!signal.aborted) await once(signal, 'abort')
          signal.throwIfAborted()
        },
      },
      log: quietLog,
      answerWithinMs: 200,
    })
    await plugin.stop()
    plugin = slow
    socketPath = join(directory, 'slow.sock')
    await slow.start()
    const end = { NetworkID: 'n1', EndpointID: 'e5' }
    const waiting = refused('NetworkDriver.CreateEndpoint', { ...end, Interface: { Address: '10.0.0.5/24' } })
    await begun.promise
    await answered('NetworkDriver.Leave', end)
    held.resolve(undefined)
    assert.match(await waiting, /^500 .*timeout/)
    assert.match(await refused('NetworkDriver.Join', end), /^404/)
  })

  it('another plugin is not taken the place of, one that is gone is', async () => {
    const second = new PluginServer({ socketPath, ports, plugger, log: quietLog })
    await assert.rejects(second.start(), /another network plugin answers/)
    await answered('Plugin.Activate')
    const left = join(directory, 'left.sock')
    writeFileSync(left, '')
    const third = new PluginServer({ socketPath: left, ports, plugger, log: quietLog })
    await third.start()
    await third.stop()
  })
})
