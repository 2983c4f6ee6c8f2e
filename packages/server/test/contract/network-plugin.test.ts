/** The engine's plugin protocol, spoken by hand: what the engine never says, or says only at bad moments. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { NETWORK, PluginBench, PORT, V4 } from '../support/plugin-bench.ts'

describe('the network plugin, asked by hand', () => {
  const bench = new PluginBench()
  before(async () => bench.open())
  after(async () => bench.close())

  it('says what it is, with a body or without', async () => {
    for (const text of ['', 'null', '{}', '{"Unknown": {"field": 1}}']) {
      assert.deepEqual(await bench.send('/Plugin.Activate', text), {
        status: 200,
        type: 'application/vnd.docker.plugins.v1+json',
        body: { Implements: ['NetworkDriver', 'IpamDriver'] },
      })
    }
    assert.deepEqual(await bench.answered('NetworkDriver.GetCapabilities'), {
      Scope: 'local',
      ConnectivityScope: 'local',
      GwAllocChecker: true,
    })
    assert.deepEqual(await bench.answered('IpamDriver.GetCapabilities'), {
      RequiresMACAddress: false,
      RequiresRequestReplay: false,
    })
    assert.deepEqual(await bench.answered('IpamDriver.GetDefaultAddressSpaces'), {
      LocalDefaultAddressSpace: 'no_address_space',
      GlobalDefaultAddressSpace: 'no_address_space',
    })
    assert.equal(statSync(bench.socketPath).mode & 0o777, 0o600)
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
      assert.deepEqual(await bench.answered(`NetworkDriver.${call}`, message), {}, call)
    }
    assert.deepEqual(await bench.answered('NetworkDriver.AllocateNetwork', { NetworkID: 'n0' }), { Options: {} })
    assert.deepEqual(await bench.answered('IpamDriver.ReleasePool', { PoolID: 'p0' }), {})
    assert.deepEqual(await bench.answered('IpamDriver.ReleaseAddress', { PoolID: 'p0', Address: '10.0.0.5' }), {})
    assert.deepEqual(bench.plugged, [])
  })

  it('what is no message is refused, and the next one is answered', async () => {
    for (const [text, status] of [
      ['{', 400],
      ['[]', 400],
      ['"text"', 400],
      [`"${'x'.repeat(1024 * 1024 + 1)}"`, 413],
    ] as const) {
      assert.equal((await bench.send('/NetworkDriver.Join', text)).status, status)
    }
    assert.equal((await bench.send('/NetworkDriver.Dance', '{}')).status, 404)
    assert.equal((await bench.send('/../etc/passwd', '{}')).status, 404)
    assert.equal((await bench.send('/Plugin.Activate', '', 'GET')).status, 405)
    for (const call of ['Join', 'CreateNetwork', 'CreateEndpoint', 'DeleteEndpoint']) {
      assert.match(await bench.refused(`NetworkDriver.${call}`), /^400 .* is missing/)
    }
    const nowhere = { NetworkID: 'n9', Options: { 'com.docker.network.generic': {} } }
    assert.equal(await bench.refused('NetworkDriver.CreateNetwork', nowhere), '400 neutron.net.uuid is missing')
    await bench.answered('NetworkDriver.Leave')
  })

  it('an end outlives the plugin, is plugged once, and taken down also when nobody knows it', async () => {
    await bench.answered('NetworkDriver.CreateNetwork', {
      NetworkID: 'n1',
      Options: { 'com.docker.network.generic': { 'neutron.net.uuid': NETWORK } },
    })
    const end = { NetworkID: 'n1', EndpointID: 'e2' }
    const Interface = { Address: '10.0.0.5/24', MacAddress: 'FA:16:3E:00:00:01' }
    assert.deepEqual(await bench.answered('NetworkDriver.CreateEndpoint', { ...end, Interface }), { Interface: {} })
    await bench.restart()
    assert.deepEqual(await bench.answered('NetworkDriver.Join', end), {
      InterfaceName: { SrcName: `end-${PORT.portId.slice(0, 4)}`, DstPrefix: 'eth' },
      Gateway: '10.0.0.1',
      StaticRoutes: [],
      DisableGatewayService: true,
    })
    assert.deepEqual(await bench.answered('NetworkDriver.EndpointOperInfo', end), {
      Value: { 'neutron.port.uuid': PORT.portId },
    })
    await bench.answered('NetworkDriver.Leave', end)
    await bench.answered('NetworkDriver.DeleteEndpoint', end)
    await bench.answered('NetworkDriver.DeleteEndpoint', end)
    assert.deepEqual(await bench.answered('NetworkDriver.EndpointOperInfo', end), { Value: {} })
    assert.match(await bench.refused('NetworkDriver.Join', end), /^404/)
    await bench.answered('NetworkDriver.DeleteNetwork', { NetworkID: 'n1' })
  })

  it('an end that is taken down late, when its port has a new one, unplugs nothing', async () => {
    const Interface = { Address: '10.0.0.5/24' }
    const [earlier, now] = ['e8', 'e9'].map((EndpointID) => ({ NetworkID: 'n1', EndpointID }))
    await bench.answered('NetworkDriver.CreateEndpoint', { ...earlier, Interface })
    await bench.answered('NetworkDriver.CreateEndpoint', { ...now, Interface })
    await bench.answered('NetworkDriver.DeleteEndpoint', earlier)
    assert.ok(bench.plugged.includes(PORT.portId))
    await bench.restart()
    await bench.answered('NetworkDriver.Join', now)
    await bench.answered('NetworkDriver.DeleteEndpoint', now)
    assert.deepEqual(bench.plugged, [])
  })

  it('of a port with several addresses of a family the ways out are those of the subnet of the first', async () => {
    const first = { ...V4, id: 'first', cidr: '10.2.0.0/24', gateway: '10.2.0.1' }
    const hostRoutes = [{ destination: '192.0.2.0/24', nextHop: '10.1.0.9' }]
    const second = { ...V4, id: 'second', cidr: '10.1.0.0/24', gateway: '10.1.0.1', hostRoutes }
    bench.ports.putPort({
      ...PORT,
      portId: 'several',
      addresses: [
        { address: '10.2.0.5', version: 4, subnetId: 'first' },
        { address: '10.1.0.5', version: 4, subnetId: 'second' },
      ],
      subnets: [second, first],
    })
    const end = { NetworkID: 'n1', EndpointID: 'e7' }
    await bench.answered('NetworkDriver.CreateEndpoint', { ...end, Interface: { Address: '10.2.0.5/24' } })
    const { Gateway, StaticRoutes } = (await bench.answered('NetworkDriver.Join', end)) as Record<string, unknown>
    assert.deepEqual([Gateway, StaticRoutes], ['10.2.0.1', []])
    await bench.answered('NetworkDriver.DeleteEndpoint', end)
    bench.ports.forgetPort('several')
  })

  it('a port that cannot be plugged is told, and its end is not remembered', async () => {
    bench.beforePlug = async () => {
      throw new Error('the switch does not answer')
    }
    const end = { NetworkID: 'n1', EndpointID: 'e3' }
    const told = await bench.refused('NetworkDriver.CreateEndpoint', { ...end, Interface: { Address: '10.0.0.5/24' } })
    bench.beforePlug = () => undefined
    assert.equal(told, '500 the switch does not answer')
    assert.match(await bench.refused('NetworkDriver.Join', end), /^404/)
  })

  it('a port whose plugging takes for ever is given up with an answer, and holds up nobody else', async () => {
    const [begun, held] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    bench.beforePlug = async (signal) => {
      begun.resolve(undefined)
      await held.promise
      if (!signal.aborted) await once(signal, 'abort')
      signal.throwIfAborted()
    }
    await bench.restart({ answerWithinMs: 200 })
    const end = { NetworkID: 'n1', EndpointID: 'e5' }
    const waiting = bench.refused('NetworkDriver.CreateEndpoint', { ...end, Interface: { Address: '10.0.0.5/24' } })
    await begun.promise
    await bench.answered('NetworkDriver.Leave', end)
    held.resolve(undefined)
    assert.match(await waiting, /^500 .*timeout/)
    assert.match(await bench.refused('NetworkDriver.Join', end), /^404/)
  })

  it('another plugin is not taken the place of, one that is gone is', async () => {
    await assert.rejects(bench.another(bench.socketPath).start(), /another network plugin answers/)
    await bench.answered('Plugin.Activate')
    const left = join(bench.directory, 'left.sock')
    writeFileSync(left, '')
    const third = bench.another(left)
    await third.start()
    await third.stop()
  })
})
