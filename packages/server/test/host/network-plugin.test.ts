/** The engine's network plugin against a real engine, with ports plugged into Linux bridges and no network service at all. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { importBusybox } from '../../../../tools/test/busybox-image.ts'
import { PrivateEngine } from '../../../../tools/test/private-engine.ts'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import type { HostCommand } from '../../src/adapters/host-command/host-command.ts'
import { HostPlugger } from '../../src/adapters/network/plug/host-plugger.ts'
import { hostEnd, networkBridge } from '../../src/adapters/network/plug/names.ts'
import { SqlHostPorts } from '../../src/adapters/network/sql-host-ports.ts'
import { PluginServer } from '../../src/edge/libnetwork/plugin-server.ts'
import type { HostPort } from '../../src/orchestration/ports/host-ports.ts'
import type { Subnet } from '../../src/orchestration/ports/wire.ts'
import { OBEDIENT } from '../support/api-client.ts'
import { closeAll } from '../support/close-all.ts'
import { quietLog } from '../support/quiet-log.ts'
import { TestEngine } from '../support/test-engine.ts'
import { until } from '../support/until.ts'

const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(90_000) })
const command = new ProcessCommand()
const DRIVER = `zund-test-${randomUUID().slice(0, 8)}`

describe('the network plugin and a real engine', () => {
  let engine: PrivateEngine
  let docker: TestEngine
  let directory: string
  let ports: SqlHostPorts
  let plugin: PluginServer

  /** Programs run where the engine's network is. */
  const inside: HostCommand = {
    run: async (program, args, o) => {
      const [file = '', ...rest] = [...engine.enter, program, ...args]
      return await command.run(file, rest, o)
    },
  }

  async function startPlugin(): Promise<void> {
    ports = new SqlHostPorts(join(directory, 'ports.sqlite'))
    plugin = new PluginServer({
      socketPath: `/run/docker/plugins/${DRIVER}.sock`,
      ports,
      plugger: new HostPlugger({ command: inside, ovsBridge: 'br-int' }),
      log: quietLog,
    })
    await plugin.start()
  }

  async function stopPlugin(): Promise<void> {
    await plugin.stop()
    ports.close()
  }

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'zund-plugin-'))
    // Whether Docker drops what bridges forward depends on what the machine was before it.
    engine = await PrivateEngine.start({ ...soon(), args: ['--bridge=none', '--iptables=false'] })
    docker = new TestEngine(engine.socketPath)
    await importBusybox(engine.socketPath, soon())
    await startPlugin()
  })
  after(async () => {
    await closeAll(
      () => engine.stop(),
      () => stopPlugin(),
    )
    rmSync(`/run/docker/plugins/${DRIVER}.sock`, { force: true })
    rmSync(directory, { recursive: true, force: true })
  })

  let third = 0
  /** A network of two families, as the service would write it down and then ask the engine for it. */
  async function aNetwork(change: (subnet: Subnet) => Subnet = (subnet) => subnet): Promise<Network> {
    third += 1
    const networkId = randomUUID()
    const subnets: Subnet[] = [
      { id: randomUUID(), cidr: `10.77.${third}.0/24`, gateway: `10.77.${third}.1`, version: 4 as const },
      { id: randomUUID(), cidr: `fd77:${third}::/64`, gateway: `fd77:${third}::1`, version: 6 as const },
    ].map(change)
    ports.putNetwork({ networkId, subnets })
    await docker.api('POST', '/networks/create', {
      Name: networkId,
      CheckDuplicate: true,
      Driver: DRIVER,
      EnableIPv6: true,
      Options: { 'neutron.net.uuid': networkId },
      IPAM: {
        Driver: DRIVER,
        Options: { 'neutron.net.uuid': networkId },
        Config: subnets.map(({ cidr, gateway }) => ({
          Subnet: cidr,
          ...(gateway === null ? {} : { Gateway: gateway }),
        })),
      },
    })
    return { networkId, subnets, third }
  }

  function aPort({ networkId, subnets, third: net }: Network, host: number): HostPort {
    const [v4, v6] = subnets
    const port: HostPort = {
      portId: randomUUID(),
      networkId,
      containerUuid: randomUUID(),
      macAddress: `fa:16:3e:00:${net.toString(16).padStart(2, '0')}:${host.toString(16).padStart(2, '0')}`,
      mtu: 1442,
      addresses: [
        { address: `10.77.${net}.${host}`, version: 4, subnetId: v4?.id ?? '' },
        { address: `fd77:${net}::${host}`, version: 6, subnetId: v6?.id ?? '' },
      ],
      subnets,
      plug: { kind: 'bridge', bridge: null, hybrid: false },
    }
    ports.putPort(port)
    return port
  }

  async function aContainer(port: HostPort, change: object = {}): Promise<string> {
    const { Id } = await docker.api<{ Id: string }>('POST', '/containers/create', {
      Image: 'busybox',
      Cmd: OBEDIENT,
      HostConfig: { NetworkMode: port.networkId, RestartPolicy: { Name: 'always' } },
      NetworkingConfig: { EndpointsConfig: { [port.networkId]: { IPAMConfig: ipamOf(port) } } },
      ...change,
    })
    await docker.api('POST', `/containers/${Id}/start`)
    return Id
  }

  async function sh(container: string, line: string): Promise<string> {
    const { Id } = await docker.api<{ Id: string }>('POST', `/containers/${container}/exec`, {
      AttachStdout: true,
      Tty: true,
      Cmd: ['sh', '-c', `${line} 2>&1`],
    })
    return await docker.text('POST', `/exec/${Id}/start`, { Tty: true })
  }

  const links = async (): Promise<string> => (await inside.run('ip', ['-o', 'link'], soon())).stdout
  const remove = async (...containers: string[]): Promise<void> => {
    for (const id of containers) await docker.remove(id)
  }

  it('containers have address, MAC and MTU of their ports and reach each other in both families', async () => {
    const network = await aNetwork()
    const [one, two] = [aPort(network, 11), aPort(network, 12)]
    const [first, second] = [await aContainer(one), await aContainer(two)]
    const shown = await sh(first, 'ip addr show dev eth0; ip route; ip -6 route')
    assert.match(shown, /mtu 1442/)
    assert.match(shown, new RegExp(`ether ${one.macAddress}`))
    assert.match(shown, new RegExp(`inet 10.77.${network.third}.11/24`))
    assert.match(shown, new RegExp(`inet6 fd77:${network.third}::11/64`))
    assert.match(shown, new RegExp(`default via 10.77.${network.third}.1 dev eth0`))
    assert.match(shown, new RegExp(`default via fd77:${network.third}::1 dev eth0`))
    assert.match(await links(), new RegExp(`${hostEnd(one.portId)}.* master ${networkBridge(network.networkId)}`))
    assert.match(await sh(first, `ping -c 1 -w 5 10.77.${network.third}.12`), / 1 packets received/)
    assert.match(await sh(second, `ping -c 1 -w 5 fd77:${network.third}::11`), / 1 packets received/)
    await remove(first, second)
    const left = await links()
    for (const port of [one, two]) assert.ok(!left.includes(hostEnd(port.portId)), left)
  })

  it('an interface that is connected later gets the MAC of its port from the plugin', async () => {
    const [network, other] = [await aNetwork(), await aNetwork()]
    const [one, more] = [aPort(network, 11), aPort(other, 12)]
    const container = await aContainer(one)
    await docker.api('POST', `/networks/${other.networkId}/connect`, {
      Container: container,
      EndpointConfig: { IPAMConfig: ipamOf(more) },
    })
    assert.match(await sh(container, 'ip link show dev eth1'), new RegExp(`ether ${more.macAddress}`))
    await docker.api('POST', `/networks/${other.networkId}/disconnect`, { Container: container })
    assert.ok(!(await links()).includes(hostEnd(more.portId)))
    assert.doesNotMatch(await sh(container, 'ip link'), /eth1/)
    await remove(container)
    for (const { networkId } of [network, other]) await docker.api('DELETE', `/networks/${networkId}`)
    assert.equal(ports.networkOfEngine(network.networkId), undefined)
  })

  it('a container is put back on the network it was made on, with another port', async () => {
    const network = await aNetwork()
    const [first, second] = [aPort(network, 11), aPort(network, 12)]
    const container = await aContainer(first)
    const path = `/networks/${network.networkId}`
    await docker.api('POST', `${path}/disconnect`, { Container: container })
    const EndpointConfig = { IPAMConfig: ipamOf(second) }
    await docker.api('POST', `${path}/connect`, { Container: container, EndpointConfig })
    const shown = await sh(container, 'ip addr')
    assert.match(shown, new RegExp(`ether ${second.macAddress}`))
    assert.match(shown, new RegExp(`inet 10.77.${network.third}.12/24`))
    await remove(container)
  })

  it('a subnet without a gateway gives no default route, and host routes are set', async () => {
    const network = await aNetwork((subnet) => ({
      ...subnet,
      gateway: null,
      ...(subnet.version === 4
        ? { hostRoutes: [{ destination: '192.0.2.0/24', nextHop: subnet.cidr.replace('.0/24', '.200') }] }
        : {}),
    }))
    const container = await aContainer(aPort(network, 11))
    const routes = await sh(container, 'ip route; ip -6 route')
    assert.doesNotMatch(routes, /default/)
    assert.match(routes, new RegExp(`192.0.2.0/24 via 10.77.${network.third}.200 dev eth0`))
    await remove(container)
  })

  it('what it does not know it refuses, and says what it is', async () => {
    const network = await aNetwork()
    const port = aPort(network, 11)
    const unknown = { ...port, addresses: [{ ...port.addresses[0], address: `10.77.${network.third}.99` }] }
    await assert.rejects(aContainer(unknown as HostPort), /no port with the address 10\.77\.\d+\.99 is known/)
    await assert.rejects(aContainer(port, { NetworkingConfig: {} }), /a container needs a port/)
    await assert.rejects(aContainer(port, { MacAddress: '02:00:00:00:00:01' }), /has the MAC address fa:16:3e/)
    const all = await docker.api<{ Id: string }[]>('GET', '/containers/json?all=1')
    await remove(...all.map(({ Id }) => Id))
    assert.ok(!(await links()).includes(hostEnd(port.portId)))
  })

  it('ports that cannot be plugged fail the start with the reason and leave no interface', async () => {
    const network = await aNetwork()
    const port = { ...aPort(network, 11), plug: { kind: 'binding_failed', bridge: null, hybrid: false } }
    ports.putPort(port)
    await assert.rejects(aContainer(port), /'binding_failed' cannot be plugged here/)
    const all = await docker.api<{ Id: string }[]>('GET', '/containers/json?all=1')
    await remove(...all.map(({ Id }) => Id))
    assert.ok(!(await links()).includes(hostEnd(port.portId)))
  })

  it('after a new life of the plugin, containers that run go on, and stop and start', async () => {
    const network = await aNetwork()
    const [one, two] = [aPort(network, 11), aPort(network, 12)]
    const [first, second] = [await aContainer(one), await aContainer(two)]
    await stopPlugin()
    assert.match(await sh(first, `ping -c 1 -w 5 10.77.${network.third}.12`), / 1 packets received/)
    await startPlugin()
    await docker.api('POST', `/containers/${first}/restart?t=0`)
    assert.match(await sh(first, `ping -c 1 -w 5 10.77.${network.third}.12`), / 1 packets received/)
    await remove(first, second)
    assert.ok(!(await links()).includes(hostEnd(one.portId)))
  })

  it('after a boot the engine starts its containers again, with what the plugin wrote down', async () => {
    const network = await aNetwork()
    const [one, two] = [aPort(network, 11), aPort(network, 12)]
    const [first, second] = [await aContainer(one), await aContainer(two)]
    // As after the boot of a machine: its network is a new one, and the plugin is there before the engine.
    await engine.end()
    await stopPlugin()
    await startPlugin()
    await engine.begin(soon())
    for (const id of [first, second]) {
      await until('the engine has started its container', async () => {
        const { State } = await docker.api<{ State: { Running: boolean } }>('GET', `/containers/${id}/json`)
        return State.Running
      })
    }
    assert.match(await links(), new RegExp(`${hostEnd(one.portId)}.* master ${networkBridge(network.networkId)}`))
    assert.match(await sh(first, `ping -c 1 -w 5 10.77.${network.third}.12`), / 1 packets received/)
    await remove(first, second)
    const left = await links()
    for (const port of [one, two]) assert.ok(!left.includes(hostEnd(port.portId)), left)
  })
})

interface Network {
  readonly networkId: string
  readonly subnets: readonly Subnet[]
  readonly third: number
}

function ipamOf({ addresses }: HostPort): { IPv4Address?: string; IPv6Address?: string } {
  const at = (version: 4 | 6): string | undefined => addresses.find((fixed) => fixed.version === version)?.address
  const [v4, v6] = [at(4), at(6)]
  return { ...(v4 === undefined ? {} : { IPv4Address: v4 }), ...(v6 === undefined ? {} : { IPv6Address: v6 }) }
}
