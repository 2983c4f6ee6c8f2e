/** Ports that are plugged into a real Open vSwitch, of the datapath that needs no module of the kernel. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { HostPlugger } from '../../src/adapters/network/plug/host-plugger.ts'
import { hostEnd, switchEnd } from '../../src/adapters/network/plug/names.ts'
import { OpenVSwitch } from '../../src/adapters/network/plug/open-vswitch.ts'
import type { HostPort } from '../../src/orchestration/ports/host-ports.ts'
import { OpenVSwitchOfATest } from '../support/open-vswitch.ts'

const BRIDGE = 'br-test'
const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) })

describe('ports in an Open vSwitch', () => {
  const ovs = new OpenVSwitchOfATest()
  const plugger = new HostPlugger({ command: ovs.inside, ovsBridge: BRIDGE })
  before(async () => ovs.start(BRIDGE))
  after(async () => ovs.stop())

  let serial = 0
  function aPort(hybrid: boolean): HostPort {
    serial += 1
    return {
      portId: randomUUID(),
      networkId: randomUUID(),
      containerUuid: randomUUID(),
      macAddress: `fa:16:3e:00:00:0${serial}`,
      mtu: 1442,
      addresses: [],
      subnets: [],
      plug: { kind: 'ovs', bridge: null, hybrid },
    }
  }

  /** What the engine does with the other end: a namespace of its own, address and up. */
  async function inhabit({ portId }: HostPort, address: string): Promise<string> {
    const name = `zt${portId.slice(0, 8)}`
    const end = plugger.containerEnd(portId)
    await ovs.must('ip', 'netns', 'add', name)
    await ovs.must('ip', 'link', 'set', end, 'netns', name)
    await ovs.must('ip', '-n', name, 'addr', 'add', `${address}/24`, 'dev', end)
    await ovs.must('ip', '-n', name, 'link', 'set', end, 'up')
    return name
  }

  for (const hybrid of [false, true]) {
    it(`${hybrid ? 'with' : 'without'} a filtering bridge: they reach each other, and leave nothing`, async () => {
      const [one, two] = [aPort(hybrid), aPort(hybrid)]
      for (const port of [one, two]) await plugger.plug(port, soon())
      // As after a start that was broken off: what is left over is replaced.
      await plugger.plug(one, soon())
      const names = [await inhabit(one, '10.99.0.1'), await inhabit(two, '10.99.0.2')]
      try {
        await ovs.must('ip', 'netns', 'exec', names[0] ?? '', 'ping', '-c', '1', '-w', '20', '10.99.0.2')
        const name = hybrid ? switchEnd(one.portId) : hostEnd(one.portId)
        assert.equal((await ovs.must('ovs-vsctl', 'port-to-br', name)).trim(), BRIDGE)
        const ids = await ovs.must('ovs-vsctl', 'get', 'Interface', name, 'external_ids')
        for (const wanted of [one.macAddress, one.portId, one.containerUuid, 'active'])
          assert.ok(ids.includes(wanted), ids)
        assert.match(await ovs.must('ip', '-n', names[0] ?? '', 'link'), new RegExp(`mtu 1442.*${one.macAddress}`, 's'))
      } finally {
        for (const name of names) await ovs.must('ip', 'netns', 'delete', name)
        for (const port of [one, two]) await plugger.unplug(port, soon())
      }
      assert.equal((await ovs.must('ovs-vsctl', 'list-ports', BRIDGE)).trim(), '')
      assert.doesNotMatch(await ovs.must('ip', '-o', 'link'), /tap|qbr|qvb|qvo|t_c/)
      await plugger.unplug(one, soon())
    })
  }

  it('what has its name in another bridge does not stand in its way, and is there no more', async () => {
    const port = aPort(false)
    const [name, other] = [hostEnd(port.portId), 'br-second']
    await ovs.must('ovs-vsctl', 'add-br', other, '--', 'set', 'bridge', other, 'datapath_type=netdev')
    await plugger.plug({ ...port, plug: { ...port.plug, bridge: other } }, soon())
    assert.equal((await ovs.must('ovs-vsctl', 'port-to-br', name)).trim(), other)
    await new OpenVSwitch(ovs.inside).add(BRIDGE, name, port, soon())
    assert.equal((await ovs.must('ovs-vsctl', 'port-to-br', name)).trim(), BRIDGE)
    assert.equal((await ovs.must('ovs-vsctl', 'list-ports', other)).trim(), '')
    assert.match(await ovs.must('ip', '-o', 'link', 'show', 'dev', name), / mtu 1442 /)
    await plugger.unplug(port, soon())
    await ovs.must('ovs-vsctl', 'del-br', other)
  })

  it('a bridge that is not there is told, and nothing is left', async () => {
    const port = { ...aPort(false), plug: { kind: 'ovs', bridge: 'br-nowhere', hybrid: false } }
    await assert.rejects(plugger.plug(port, soon()), /no bridge named br-nowhere/)
    assert.doesNotMatch(await ovs.must('ip', '-o', 'link'), /tap/)
  })
})
