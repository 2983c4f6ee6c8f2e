import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, test } from 'node:test'
import { SystemFault } from '../../src/domain/errors.ts'
import type { CommandOptions, CommandResult, HostCommand } from '../../src/adapters/host-command/host-command.ts'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { BridgeFirewall } from '../../src/adapters/network/bridge-firewall.ts'
import { bridgeName, normalise } from '../../src/adapters/network/guarded-network.ts'
import { LocalBridgeNetwork } from '../../src/adapters/network/local-bridge-network.ts'
import { Containers, soon, testEngine, until } from '../support/host-fixture.ts'
import { quietLog } from '../support/quiet-log.ts'
import { aNetwork, must, rulesOf, type TestNetwork } from '../support/network-fixture.ts'

const engine = testEngine()
const containers = new Containers(engine)
const command = new ProcessCommand()
const made: TestNetwork[] = []

const aDriver = (): LocalBridgeNetwork => new LocalBridgeNetwork({ engine, command, log: quietLog })

function aTestNetwork(): TestNetwork {
  const network = aNetwork()
  made.push(network)
  return network
}

afterEach(async () => {
  await containers.removeAll()
  for (const { id } of made.splice(0)) await aDriver().remove(id, soon())
})
after(() => engine.close())

const codeIs = (code: string) => (error: unknown) => error instanceof SystemFault && error.code === code
const pings = async (from: string, to: string): Promise<boolean> =>
  (await containers.sh(from, `ping -c 1 -W 1 ${to}`)).exitCode === 0

test('many who need a network at once share one, and afterwards it costs neither the engine nor a program', async () => {
  const network = aTestNetwork()
  const ports = Array.from({ length: 16 }, (_, i) => network.port(10 + i))
  let away = false
  const present = <T>(what: T): T => {
    if (away) throw new Error('nothing may be asked any more')
    return what
  }
  const driver = new LocalBridgeNetwork({
    engine: {
      ensureNetwork: (request, o) => present(engine).ensureNetwork(request, o),
      listNetworks: (o) => present(engine).listNetworks(o),
      removeNetwork: (name, o) => present(engine).removeNetwork(name, o),
      list: (o) => present(engine).list(o),
    },
    command: { run: (program, args, o) => present(command).run(program, args, o) },
    log: quietLog,
  })
  const endpoints = await Promise.all(ports.map((port) => driver.prepare(port, soon())))
  assert.deepEqual(
    endpoints,
    ports.map((_, i) => ({
      network: network.id,
      ipv4Address: network.v4(10 + i),
      ipv6Address: network.v6(10 + i),
      macAddress: null,
    })),
  )
  const there = (await engine.listNetworks(soon())).filter(({ name }) => name === network.id)
  assert.equal(there.length, 1)
  assert.equal(there[0]?.bridge, bridgeName(network.id))
  // Two families, each: own sender, own bridge, own gateway.
  assert.equal((await rulesOf(network.bridge)).length, 6)

  away = true
  assert.equal((await driver.prepare(network.port(99), soon())).ipv4Address, network.v4(99))
})

test('one that gives up does not take the network from the others', async () => {
  const network = aTestNetwork()
  const driver = aDriver()
  const impatient = new AbortController()
  const first = driver.prepare(network.port(10), { signal: impatient.signal })
  const second = driver.prepare(network.port(11), soon())
  impatient.abort(new Error('no time'))
  await assert.rejects(first, /no time/)
  await second
  assert.ok(await engine.inspectNetwork(network.id, soon()))
})

test('a driver of a later life adopts the network that is there', async () => {
  const network = aTestNetwork()
  await aDriver().prepare(network.port(10), soon())
  const before = await engine.inspectNetwork(network.id, soon())
  await aDriver().prepare(network.port(11), soon())
  assert.equal((await engine.inspectNetwork(network.id, soon()))?.engineId, before?.engineId)
  assert.equal((await rulesOf(network.bridge)).length, 6)
})

test('a network that was removed behind our back is made again once it is known to be gone', async () => {
  const network = aTestNetwork()
  const driver = aDriver()
  await driver.prepare(network.port(10), soon())
  await engine.removeNetwork(network.id, soon())
  driver.forget()
  const uuid = await containers.run({ endpoint: await driver.prepare(network.port(10), soon()) })
  const { output } = await containers.sh(uuid, 'ip addr show dev eth0')
  assert.ok(output.includes(`inet ${network.v4(10)}/24`) && output.includes(`inet6 ${network.v6(10)}/64`), output)
})

test('release leaves the network to the containers that are on it or about to be', async () => {
  const network = aTestNetwork()
  const driver = aDriver()
  const endpoint = await driver.prepare(network.port(10), soon())
  await driver.release()
  await containers.run({ endpoint })
})

test('without a packet filter nothing is made, and the error says what is missing', async () => {
  const network = aNetwork()
  const bare = new LocalBridgeNetwork({
    engine,
    command: new ProcessCommand({ searchPath: '/nowhere' }),
    log: quietLog,
  })
  await assert.rejects(
    bare.prepare(network.port(10), soon()),
    (error) => codeIs('network.no_firewall')(error) && String(error).includes('iptables is not installed'),
  )
  assert.equal(await engine.inspectNetwork(network.id, soon()), undefined)
  await bare.restore(soon().signal)
})

test('a network of the same name that was made otherwise is refused', async () => {
  const network = aTestNetwork()
  const subnets = network.port(10).subnets.filter((subnet) => subnet.version === 4)
  await engine.ensureNetwork({ name: network.id, projectId: 'test', displayName: 'test', subnets }, soon())
  await assert.rejects(aDriver().prepare(network.port(10), soon()), codeIs('network.made_otherwise'))
})

test('addresses that the engine has given to another network end in an error that names them', async () => {
  const network = aTestNetwork()
  await aDriver().prepare(network.port(10), soon())
  const rival = { ...network.port(10), networkId: randomUUID() }
  await assert.rejects(
    aDriver().prepare(rival, soon()),
    (error) => codeIs('network.not_made')(error) && String(error).includes(network.v4(0)),
  )
  await aDriver().remove(rival.networkId, soon())
})

test('while its rules are missing a network is shut, and restore opens it to itself again', async () => {
  const network = aTestNetwork()
  const driver = aDriver()
  const one = await containers.run({ endpoint: await driver.prepare(network.port(10), soon()) })
  await containers.run({ endpoint: await driver.prepare(network.port(11), soon()) })
  await until('one reaches the other', () => pings(one, network.v4(11)))
  const rules = await rulesOf(network.bridge)

  await new BridgeFirewall({ command, log: quietLog }).forget(network.bridge, soon())
  assert.deepEqual(await rulesOf(network.bridge), [])
  assert.equal(await pings(one, network.v4(11)), false)

  await aDriver().restore(soon().signal)
  assert.deepEqual((await rulesOf(network.bridge)).sort(), rules.sort())
  assert.equal(await pings(one, network.v4(11)), true)
})

test('restore removes networks that nothing uses any more, and only those', async () => {
  const [idle, busy, waiting, young] = [aTestNetwork(), aTestNetwork(), aTestNetwork(), aTestNetwork()]
  const driver = aDriver()
  for (const network of [idle, young]) await driver.prepare(network.port(10), soon())
  await containers.run({ endpoint: await driver.prepare(busy.port(10), soon()) })
  const stopped = await containers.run({ endpoint: await driver.prepare(waiting.port(10), soon()) })
  await engine.stop(stopped, 0, soon())
  // As if all but one had been made long ago; nobody else's networks are shown.
  const mine = [idle, busy, waiting, young].map(({ id }) => id)
  const later = new LocalBridgeNetwork({
    engine: {
      ensureNetwork: (request, o) => engine.ensureNetwork(request, o),
      removeNetwork: (name, o) => engine.removeNetwork(name, o),
      list: (o) => engine.list(o),
      listNetworks: async (o) =>
        (await engine.listNetworks(o))
          .filter(({ name }) => mine.includes(name))
          .map((network) => (network.name === young.id ? network : { ...network, createdAtMs: 0 })),
    },
    command,
    log: quietLog,
  })
  await later.restore(soon().signal)
  const left = (await engine.listNetworks(soon())).map(({ name }) => name)
  assert.deepEqual(
    mine.filter((id) => left.includes(id)),
    [busy.id, waiting.id, young.id],
  )
  assert.deepEqual(await rulesOf(idle.bridge), [])
})

/** Runs programs in a network namespace of the test's own: the same kernel, but rules that nobody else has or needs. */
class Elsewhere implements HostCommand {
  readonly #space: string

  constructor(space: string) {
    this.#space = space
  }

  run(program: string, args: readonly string[], o: CommandOptions): Promise<CommandResult> {
    return command.run('ip', ['netns', 'exec', this.#space, program, ...args], o)
  }
}

test('rules are put in once, repaired when damaged, and leave those of others alone', async (t) => {
  const space = `zt-${randomUUID().slice(0, 8)}`
  await must('ip', 'netns', 'add', space)
  t.after(() => must('ip', 'netns', 'delete', space))
  const there = (program: string, ...args: string[]) => must('ip', 'netns', 'exec', space, program, ...args)
  const listing = async (): Promise<string> =>
    (await there('iptables', '-w', '-t', 'mangle', '-S')) + (await there('ip6tables', '-w', '-t', 'mangle', '-S'))
  const firewall = (): BridgeFirewall => new BridgeFirewall({ command: new Elsewhere(space), log: quietLog })
  const guarded = (network: TestNetwork) => ({ bridge: network.bridge, subnets: normalise(network.port(2).subnets) })
  const [ours, theirs] = [aNetwork(), aNetwork()]
  await there('iptables', '-w', '-t', 'mangle', '-A', 'FORWARD', '-i', 'foreign0', '-j', 'ACCEPT')

  await firewall().guard([guarded(theirs)], soon())
  const withTheirs = await listing()
  await firewall().guard([guarded(ours)], soon())
  const whole = await listing()
  await firewall().guard([guarded(ours), guarded(theirs)], soon())
  assert.equal(await listing(), whole, 'a second time changes something')

  for (const program of ['iptables', 'ip6tables']) {
    await there(program, '-w', '-t', 'mangle', '-D', 'ZUND-FORWARD', '1')
    await there(program, '-w', '-t', 'mangle', '-I', 'ZUND-INPUT', '1', '-j', 'ACCEPT')
    await there(program, '-w', '-t', 'mangle', '-F', 'ZUND-SAME')
    await there(program, '-w', '-t', 'mangle', '-F', 'PREROUTING')
  }
  await firewall().guard([guarded(ours), guarded(theirs)], soon())
  assert.deepEqual((await listing()).split('\n').sort(), whole.split('\n').sort())

  await firewall().forget(ours.bridge, soon())
  assert.deepEqual((await listing()).split('\n').sort(), withTheirs.split('\n').sort())
  assert.match(await listing(), /-A FORWARD -i foreign0 -j ACCEPT/)
})

test('several zund that begin at the same time end with one whole set of rules', async (t) => {
  const space = `zt-${randomUUID().slice(0, 8)}`
  await must('ip', 'netns', 'add', space)
  t.after(() => must('ip', 'netns', 'delete', space))
  const networks = Array.from({ length: 6 }, () => aNetwork())
  await Promise.all(
    networks.map((network) =>
      new BridgeFirewall({ command: new Elsewhere(space), log: quietLog }).guard(
        [{ bridge: network.bridge, subnets: normalise(network.port(2).subnets) }],
        soon(),
      ),
    ),
  )
  for (const program of ['iptables', 'ip6tables']) {
    const listing = await must('ip', 'netns', 'exec', space, program, '-w', '-t', 'mangle', '-S')
    for (const { bridge } of networks) {
      for (const chain of ['SOURCE', 'SAME', 'GATEWAY'])
        assert.match(listing, new RegExp(`-A ZUND-${chain} .*${bridge}`))
    }
    for (const chain of ['SOURCE', 'SAME', 'GATEWAY']) {
      const rules = listing.split('\n').filter((line) => line.startsWith(`-A ZUND-${chain} `))
      assert.match(rules.at(-1) ?? '', /-j DROP$/, `${program} ${chain} does not end in a DROP`)
    }
  }
})
