/** What a host asks of its engine for networks of Neutron, and what it writes down for the engine's plugin. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import { LateJoins } from '../../src/adapters/network/neutron/late-joins.ts'
import { NeutronClient } from '../../src/adapters/network/neutron/neutron-client.ts'
import { NeutronNetworks } from '../../src/adapters/network/neutron/neutron-network.ts'
import { SqlHostPorts } from '../../src/adapters/network/sql-host-ports.ts'
import type { EngineNetwork, EngineNetworkRequest } from '../../src/orchestration/ports/engine.ts'
import type { PortData } from '../../src/orchestration/ports/wire.ts'
import { aCreateRequest } from '../support/builders.ts'
import { aRemotePort } from '../support/builders.ts'
import { FakeNeutron } from '../support/fake-neutron.ts'
import { quietLog } from '../support/quiet-log.ts'

const o = { signal: AbortSignal.timeout(60_000) }
const CONTAINER = '1f0a8a55-43c4-4f0f-8f0a-0f6d6f3a7f25'
const OTHER = '2f0a8a55-43c4-4f0f-8f0a-0f6d6f3a7f25'

/** Notes what it is asked for, and shows of a network what a real engine does. */
class NotingEngine extends SimEngine {
  readonly requests: EngineNetworkRequest[] = []
  /** Of networks that are made from now on. */
  driver = 'kuryr'
  /** Made by somebody else, and so not listed. */
  readonly foreign = new Set<string>()
  readonly #made = new Map<string, Pick<EngineNetwork, 'subnets' | 'driver'>>()

  override async ensureNetwork(...[request, options]: Parameters<SimEngine['ensureNetwork']>): Promise<EngineNetwork> {
    this.requests.push(request)
    const known = await super.ensureNetwork(request, options)
    const shown = this.#made.get(known.engineId) ?? { subnets: request.subnets, driver: this.driver }
    this.#made.set(known.engineId, shown)
    return { ...known, ...shown }
  }

  override async listNetworks(...args: Parameters<SimEngine['listNetworks']>): Promise<EngineNetwork[]> {
    return (await super.listNetworks(...args)).filter(({ name }) => !this.foreign.has(name))
  }
}

describe('networks of Neutron on a host', () => {
  let directory: string
  let ports: SqlHostPorts
  let neutron: FakeNeutron
  let engine: NotingEngine
  let networks: NeutronNetworks

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'zund-networks-'))
    ports = new SqlHostPorts(join(directory, 'ports.sqlite'))
    neutron = new FakeNeutron()
    const clock = new VirtualClock()
    engine = new NotingEngine({ clock })
    networks = new NeutronNetworks({
      engine,
      neutron: new NeutronClient(neutron),
      ports,
      plugger: {
        plug: async () => undefined,
        plugAhead: async () => true,
        isKeptOut: async () => false,
        hasFilters: async () => false,
        join: async () => undefined,
        unplug: async () => undefined,
        containerEnd: (portId) => portId,
      },
      lateJoins: new LateJoins(),
      host: 'here',
      driver: 'kuryr',
      clock,
      activeTimeoutMs: 0,
      activeRequired: false,
      log: quietLog,
    })
  })
  afterEach(() => {
    ports.close()
    rmSync(directory, { recursive: true, force: true })
  })

  function aNetwork(fields: { mtu?: number; shared?: boolean } = {}, cidrs = ['10.0.0.0/24']): string {
    const { id } = neutron.add('networks', { name: 'net', project_id: 'p', ...fields })
    for (const cidr of cidrs) {
      const version = cidr.includes(':') ? 6 : 4
      neutron.add('subnets', {
        network_id: id,
        cidr,
        ip_version: version,
        gateway_ip: version === 4 ? '10.0.0.1' : null,
      })
    }
    return id
  }

  const planned = (networkId: string, shared = false, deviceId = CONTAINER): PortData => ({
    kind: 'port',
    networkId,
    networkName: 'net',
    projectId: 'p',
    subnets: [],
    fixedIps: [],
    macAddress: null,
    preserveOnDelete: false,
    remote: aRemotePort({ deviceId, shared }),
  })

  it('the engine gets one named by its uuid, of the driver, with options that tell network and subnets', async () => {
    const cidrs = ['10.0.0.0/24', '10.0.1.0/24', 'fd00::/64']
    for (const shared of [false, true]) {
      const id = aNetwork({ shared }, shared ? ['10.7.0.0/24'] : cidrs)
      const endpoint = await networks.prepare(await networks.bind(planned(id, shared), o), o)
      assert.equal(endpoint.network, id)
      const subnets = neutron.list('subnets').filter(({ network_id: network }) => network === id)
      const request = engine.requests.at(-1)
      assert.deepEqual([request?.name, request?.plugin?.driver], [id, 'kuryr'])
      assert.deepEqual(request?.plugin?.options, {
        'neutron.net.uuid': id,
        'neutron.net.shared': shared ? 'True' : 'False',
        'neutron.subnet.uuid': subnets[0]?.id,
        ...(shared ? {} : { 'neutron.subnet.v6.uuid': subnets[2]?.id }),
      })
      assert.deepEqual(
        request?.subnets.map(({ cidr, gateway }) => [cidr, gateway]),
        subnets.map(({ cidr, gateway_ip: gateway }) => [cidr, gateway]),
      )
    }
  })

  it('one that is asked for without a container is made without a port', async () => {
    const id = aNetwork()
    const subnets = [{ id: 's', cidr: '10.0.0.0/24', gateway: '10.0.0.1', version: 4 as const }]
    const { remote: _, ...place } = { ...planned(id), subnets }
    await networks.prepare(place, o)
    assert.deepEqual(engine.requests.at(-1)?.plugin?.options, { 'neutron.net.uuid': id, 'neutron.subnet.uuid': 's' })
    assert.deepEqual([ports.ports(), neutron.asked], [[], []])
    await networks.remove(id, o)
    assert.deepEqual([await engine.listNetworks(o), ports.networks()], [[], []])
  })

  it('several who need it at once share one making, and a making that failed leaves nothing in the way', async () => {
    const id = aNetwork()
    const port = await networks.bind(planned(id), o)
    engine.calls.faults.add({ call: 'ensureNetwork', trouble: { kind: 'refuse', error: new Error('no room') } })
    await assert.rejects(networks.prepare(port, o), /no room/)
    engine.requests.length = 0
    await Promise.all([networks.prepare(port, o), networks.prepare(port, o), networks.prepare(port, o)])
    assert.equal(engine.requests.length, 1)
    await networks.prepare(port, o)
    assert.equal(engine.requests.length, 1)
  })

  it('a subnet that came later is in it once no container is on it, and until then its ports are refused with the reason', async () => {
    const id = aNetwork()
    engine.images.add('busybox:latest', { command: ['sh'] })
    const endpoint = await networks.prepare(await networks.bind(planned(id), o), o)
    const container = aCreateRequest({ endpoint })
    await engine.create(container, o)
    neutron.add('subnets', { network_id: id, cidr: '10.0.1.0/24', ip_version: 4, gateway_ip: '10.0.1.1' })
    const later = await networks.bind(planned(id, false, OTHER), o)
    await assert.rejects(
      networks.prepare(later, o),
      /has got the subnet 10\.0\.1\.0\/24 .* 1 containers here have to leave/,
    )
    await engine.remove(container.containerUuid, true, o)
    await networks.prepare(later, o)
    assert.deepEqual(
      engine.requests.at(-1)?.subnets.map(({ cidr }) => cidr),
      ['10.0.0.0/24', '10.0.1.0/24'],
    )
    assert.equal((await engine.listNetworks(o)).length, 1)
  })

  it('one of its name and another driver is not used', async () => {
    const id = aNetwork()
    engine.driver = 'bridge'
    const port = await networks.bind(planned(id), o)
    await assert.rejects(networks.prepare(port, o), /of the driver bridge where kuryr is wanted; remove it/)
  })

  it('one that an earlier plugin has made is used, and stays', async () => {
    const id = aNetwork()
    const bound = await networks.bind(planned(id), o)
    const { engineId } = await engine.ensureNetwork(
      { name: id, projectId: '', displayName: '', subnets: bound.subnets },
      o,
    )
    engine.foreign.add(id)
    await networks.prepare(bound, o)
    assert.equal(ports.networkOfEngine(engineId), id)
    await networks.release(bound, o)
    assert.equal((await engine.inspectNetwork(id, o))?.engineId, engineId)
  })

  it('interfaces have the MTU of the network, or 1500 where Neutron tells none', async () => {
    for (const mtu of [1442, undefined]) {
      const id = aNetwork(mtu === undefined ? {} : { mtu })
      await networks.bind(planned(id), o)
      assert.equal(ports.ports().find(({ networkId }) => networkId === id)?.mtu, mtu ?? 1500)
    }
  })

  it('it stays while a port of it is on the host, and goes with the last', async () => {
    const id = aNetwork()
    const one = await networks.bind(planned(id), o)
    const two = await networks.bind(planned(id, false, OTHER), o)
    await networks.prepare(one, o)
    await assert.rejects(networks.remove(id, o), /has 2 ports on this host/)
    await networks.release(one, o)
    assert.equal((await engine.listNetworks(o)).length, 1)
    await networks.release(two, o)
    assert.deepEqual(await engine.listNetworks(o), [])
    assert.deepEqual([ports.ports(), ports.networks(), neutron.list('networks').length], [[], [], 1])
  })
})
