import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import type { HostPort } from '../../../orchestration/ports/host-ports.ts'
import type { CommandResult, HostCommand } from '../../host-command/host-command.ts'
import { HostPlugger } from './host-plugger.ts'

const signal = AbortSignal.timeout(20_000)
const PORT_ID = '8439060f-38ab-4c1e-9d8e-1d2f3a4b5c6d'
const NETWORK_ID = 'b2d1c0ff-ee00-4a11-8f00-0123456789ab'
const CONTAINER = '1f0a8a55-43c4-4f0f-8f0a-0f6d6f3a7f25'

/** Notes what is run; answers with what a test wants of a line, else with success. Interfaces that are asked for are those of `there`. */
class Recorder implements HostCommand {
  readonly lines: string[] = []
  readonly there = new Map<string, string>()
  readonly #failing: RegExp

  constructor(failing = /^$/) {
    this.#failing = failing
  }

  async run(program: string, args: readonly string[], { input }: { input?: string }): Promise<CommandResult> {
    const lines = input === undefined ? [[program, ...args].join(' ')] : input.trim().split('\n')
    for (const line of lines) {
      if (line.startsWith('ip -o link show')) {
        const stdout = this.there.get(line.split(' ').at(-1) ?? '')
        if (stdout === undefined) return { exitCode: 1, stdout: '', stderr: 'does not exist' }
        return { exitCode: 0, stdout, stderr: '' }
      }
      this.lines.push(line)
      if (this.#failing.test(line)) return { exitCode: 1, stdout: '', stderr: 'it is broken' }
    }
    return { exitCode: 0, stdout: '', stderr: '' }
  }
}

const aPort = (plug: Partial<HostPort['plug']>, change: Partial<HostPort> = {}): HostPort => ({
  portId: PORT_ID,
  networkId: NETWORK_ID,
  containerUuid: CONTAINER,
  macAddress: 'fa:16:3e:00:00:01',
  mtu: 1442,
  addresses: [],
  subnets: [],
  plug: { kind: 'ovs', bridge: null, hybrid: false, ...plug },
  ...change,
})

const PAIR = [
  'link delete dev tap8439060f-38',
  'link add name tap8439060f-38 mtu 1442 type veth peer name t_c8439060f-38 mtu 1442 address fa:16:3e:00:00:01',
  'link set dev tap8439060f-38 addrgenmode none',
  'link set dev tap8439060f-38 up',
]

const dropped = (name: string): string => `ovs-vsctl --timeout=4 -- --if-exists del-port ${name}`

const added = (bridge: string, name: string): string =>
  `ovs-vsctl --timeout=4 -- --if-exists del-port ${name} -- add-port ${bridge} ${name} -- set Interface ${name} ` +
  'external_ids:attached-mac="fa:16:3e:00:00:01" ' +
  `external_ids:iface-id="${PORT_ID}" external_ids:vm-uuid="${CONTAINER}" external_ids:iface-status="active" external_ids:owner="zund"`

async function run(port: HostPort, failing?: RegExp): Promise<{ lines: string[]; error: unknown }> {
  const recorder = new Recorder(failing)
  const error: unknown = await new HostPlugger({ command: recorder, ovsBridge: 'br-int' }).plug(port, { signal }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { lines: recorder.lines, error }
}

async function unplug(port: HostPort): Promise<string[]> {
  const recorder = new Recorder()
  await new HostPlugger({ command: recorder, ovsBridge: 'br-int' }).unplug(port, { signal })
  return recorder.lines
}

describe('what is run to plug a port', () => {
  it('Linux bridge: the pair, then the bridge of the network, made as its agent would', async () => {
    const { lines, error } = await run(aPort({ kind: 'bridge' }))
    assert.equal(error, undefined)
    assert.deepEqual(lines, [
      ...PAIR,
      'link add name brqb2d1c0ff-ee type bridge forward_delay 0 stp_state 0',
      'link set dev brqb2d1c0ff-ee addrgenmode none',
      'link set dev brqb2d1c0ff-ee up',
      'link set dev tap8439060f-38 master brqb2d1c0ff-ee',
    ])
    assert.deepEqual(await unplug(aPort({ kind: 'bridge' })), ['link delete dev tap8439060f-38'])
  })

  it('Linux bridge, when nobody has plugged it ahead: the pair alone, and the bridge once that is told', async () => {
    const recorder = new Recorder()
    const keptOut: HostPort[] = []
    const plugger = new HostPlugger({
      command: recorder,
      ovsBridge: 'br-int',
      onKeptOut: (port) => keptOut.push(port),
    })
    const port = aPort({ kind: 'bridge' })
    await plugger.plug(port, { signal })
    assert.deepEqual([recorder.lines, keptOut], [PAIR, [port]])
    recorder.there.set('tap8439060f-38', '7: tap8439060f-38@if6: <BROADCAST> mtu 1442 state UP')
    assert.equal(await plugger.isKeptOut(port, { signal }), true)
    await plugger.join(port, { signal })
    assert.equal(recorder.lines.at(-1), 'link set dev tap8439060f-38 master brqb2d1c0ff-ee')

    const done = recorder.lines.length
    for (const shown of ['7: tap8439060f-38@if6: mtu 1442 master brqb2d1c0ff-ee state UP', undefined]) {
      recorder.there.delete('tap8439060f-38')
      if (shown !== undefined) recorder.there.set('tap8439060f-38', shown)
      assert.equal(await plugger.isKeptOut(port, { signal }), false)
      await plugger.join(port, { signal })
    }
    assert.equal(recorder.lines.length, done)

    await plugger.plug(aPort({}), { signal })
    assert.deepEqual(recorder.lines.at(-1), added('br-int', 'tap8439060f-38'))
    assert.equal(keptOut.length, 1)
  })

  it('rules of an interface are found by its name', async () => {
    const listing = (out: string): string => `-A neutron-linuxbri-sg-chain -m physdev --physdev-out ${out} -j x\n`
    for (const [stdout, expected] of [
      [listing('tap8439060f-38'), true],
      [listing('tap8439060f-39'), false],
      ['-P FORWARD ACCEPT\n', false],
    ] as const) {
      const command: HostCommand = { run: async () => ({ exitCode: 0, stdout, stderr: '' }) }
      const plugger = new HostPlugger({ command, ovsBridge: 'br-int' })
      assert.equal(await plugger.hasFilters(aPort({ kind: 'bridge' }), { signal }), expected)
    }
  })

  it('Open vSwitch and OVN: what was left over goes first, then it is added in one transaction', async () => {
    assert.deepEqual((await run(aPort({}))).lines, [
      dropped('tap8439060f-38'),
      ...PAIR,
      added('br-int', 'tap8439060f-38'),
    ])
    assert.deepEqual((await run(aPort({ bridge: 'br-other' }))).lines.at(-1), added('br-other', 'tap8439060f-38'))
    assert.deepEqual(await unplug(aPort({})), [
      'ovs-vsctl --timeout=4 -- --if-exists del-port tap8439060f-38',
      'link delete dev tap8439060f-38',
    ])
  })

  it('Open vSwitch with a filtering bridge: a bridge of the port, and a pair from it to the switch', async () => {
    assert.deepEqual((await run(aPort({ hybrid: true }))).lines, [
      dropped('qvo8439060f-38'),
      'link delete dev qvb8439060f-38',
      'link delete dev qbr8439060f-38',
      ...PAIR,
      'link delete dev qvb8439060f-38',
      'link add name qbr8439060f-38 type bridge forward_delay 0 stp_state 0 ageing_time 0 mcast_snooping 0',
      'link set dev qbr8439060f-38 addrgenmode none',
      'link set dev qbr8439060f-38 up',
      'link add name qvb8439060f-38 mtu 1442 type veth peer name qvo8439060f-38 mtu 1442',
      'link set dev qvb8439060f-38 addrgenmode none',
      'link set dev qvo8439060f-38 addrgenmode none',
      'link set dev qvb8439060f-38 up',
      'link set dev qvo8439060f-38 up',
      'link set dev qvb8439060f-38 master qbr8439060f-38',
      'link set dev tap8439060f-38 master qbr8439060f-38',
      added('br-int', 'qvo8439060f-38'),
    ])
    assert.deepEqual(await unplug(aPort({ hybrid: true })), [
      'ovs-vsctl --timeout=4 -- --if-exists del-port qvo8439060f-38',
      'link delete dev qvb8439060f-38',
      'link delete dev qbr8439060f-38',
      'link delete dev tap8439060f-38',
    ])
  })

  it('a tap is left to whoever routes it', async () => {
    assert.deepEqual((await run(aPort({ kind: 'tap' }))).lines, PAIR)
  })

  it('what fails half-way is taken back, and its reason told', async () => {
    const { lines, error } = await run(aPort({ hybrid: true }), /add-port/)
    assert.match(String(error), /ovs-vsctl: it is broken/)
    const back = lines.slice(lines.findIndex((line) => line.includes('add-port')) + 1)
    assert.deepEqual(back, [
      'ovs-vsctl --timeout=4 -- --if-exists del-port qvo8439060f-38',
      'link delete dev qvb8439060f-38',
      'link delete dev qbr8439060f-38',
      'link delete dev tap8439060f-38',
      'link delete dev tap8439060f-38',
    ])
  })

  it('who plugs the same port at the same time takes turns, also after a failure; who has given up does nothing', async () => {
    const recorder = new Recorder(/master|add-port/)
    const plugger = new HostPlugger({ command: recorder, ovsBridge: 'br-int' })
    const broken = aPort({ kind: 'bridge' })
    const gone = AbortSignal.abort(new Error('given up'))
    const other = aPort({ kind: 'tap' }, { portId: 'aaaaaaaa-0000-4000-8000-000000000000' })
    const ends = await Promise.allSettled([
      plugger.plugAhead(broken, { signal }),
      plugger.plug(aPort({ kind: 'tap' }), { signal }),
      plugger.plug(aPort({ kind: 'tap' }), { signal: gone }),
      plugger.unplug(broken, { signal }),
      plugger.plug(other, { signal }),
    ])
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    const ofOther = recorder.lines.filter((line) => line.includes('aaaaaaaa-00'))
    assert.equal(ofOther.length, PAIR.length)
    const [remove = ''] = PAIR
    const lines = recorder.lines.filter((line) => line.includes('8439060f-38'))
    assert.deepEqual(lines, [
      ...PAIR,
      `link set dev tap8439060f-38 master brqb2d1c0ff-ee`,
      remove,
      remove,
      ...PAIR,
      remove,
    ])
  })

  describe('ahead of its container', () => {
    const [tap, end] = ['tap8439060f-38', 't_c8439060f-38']
    const shown = (mac: string): string => `7: ${end}@${tap}: <BROADCAST> mtu 1442 link/ether ${mac} brd ff:ff`
    const port = aPort({ kind: 'tap' })
    let recorder: Recorder
    let plugger: HostPlugger

    beforeEach(() => {
      recorder = new Recorder()
      plugger = new HostPlugger({ command: recorder, ovsBridge: 'br-int' })
    })

    it('it is plugged as usual, and what starts then takes it as it is, once', async () => {
      await plugger.plugAhead(port, { signal })
      assert.deepEqual(recorder.lines, PAIR)
      recorder.there.set(end, shown(port.macAddress))
      await plugger.plug(port, { signal })
      assert.deepEqual(recorder.lines, PAIR)
      await plugger.plug(port, { signal })
      assert.deepEqual(recorder.lines, [...PAIR, ...PAIR])
    })

    it('one that was taken away meanwhile, or has another MAC address now, is made anew', async () => {
      await plugger.plugAhead(port, { signal })
      await plugger.plug(port, { signal })
      assert.deepEqual(recorder.lines, [...PAIR, ...PAIR])
      await plugger.plugAhead(port, { signal })
      recorder.there.set(end, shown('fa:16:3e:00:00:02'))
      await plugger.plug(port, { signal })
      assert.deepEqual(recorder.lines, [...PAIR, ...PAIR, ...PAIR, ...PAIR])
    })

    it('what a container has is left alone', async () => {
      recorder.there.set(tap, '')
      await plugger.plugAhead(port, { signal })
      assert.deepEqual(recorder.lines, [])
    })

    it('what an earlier life has plugged, perhaps by half, is made anew', async () => {
      recorder.there.set(tap, '')
      recorder.there.set(end, shown(port.macAddress))
      await plugger.plug(port, { signal })
      assert.deepEqual(recorder.lines, PAIR)
      await plugger.plugAhead(port, { signal })
      assert.deepEqual(recorder.lines, [...PAIR, ...PAIR])
    })
  })

  const bad: readonly [string, HostPort, RegExp][] = [
    ['a binding that failed', aPort({ kind: 'binding_failed' }), /kind 'binding_failed' cannot be plugged/],
    ['a port that is bound nowhere', aPort({ kind: 'unbound' }), /kind 'unbound' cannot be plugged/],
    ['a MAC address that is an option', aPort({}, { macAddress: '--help' }), /is no MAC address/],
    ['an id that is a path', aPort({}, { portId: '../../../etc/passwd' }), /is no id/],
    ['a bridge that is an option', aPort({ bridge: '-- del-br br-int' }), /is no bridge/],
  ]
  for (const [what, port, message] of bad) {
    it(`${what} is refused`, async () => {
      const { lines, error } = await run(port)
      assert.match(String(error), message)
      assert.ok(!lines.some((line) => line.includes('add-port')), lines.join('\n'))
    })
  }
})
