import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { LocalBridgeNetwork } from '../../src/adapters/network/local-bridge-network.ts'
import { Containers, soon, testEngine, until } from '../support/host-fixture.ts'
import { quietLog } from '../support/quiet-log.ts'
import { aNetwork, arrived, must, reaches, TemporaryRules, WEB_COMMAND } from '../support/network-fixture.ts'

const ALL = 'ping4 ping6 tcp4 tcp6'

const engine = testEngine()
const containers = new Containers(engine)
const networks = new LocalBridgeNetwork({ engine, command: new ProcessCommand(), log: quietLog })
/** Two projects: alice has two containers on her network, bob one on his. */
const alice = aNetwork()
const bob = aNetwork()
const rules = new TemporaryRules()
let aliceClient = ''
let aliceServer = ''
let bobServer = ''
const hostService = createServer((_, answer) => answer.end('it-is-me'))

before(async () => {
  const run = async (net: typeof alice, host: number, command: readonly string[]) =>
    await containers.run({ endpoint: await networks.prepare(net.port(host), soon()), command })
  aliceClient = await run(alice, 10, ['sleep', '600'])
  aliceServer = await run(alice, 20, WEB_COMMAND)
  bobServer = await run(bob, 20, WEB_COMMAND)
  await new Promise<void>((resolve) => hostService.listen(0, '::', resolve))
})

after(async () => {
  await rules.removeAll()
  await containers.removeAll()
  for (const net of [alice, bob]) await networks.remove(net.id, soon())
  hostService.close()
  engine.close()
})

const addressOf = (net: typeof alice, host: number) => ({ v4: net.v4(host), v6: net.v6(host) })

test('containers of one network reach each other by the addresses that were fixed for them', async () => {
  await until('one container reaches the other', async () => {
    return (await reaches(containers, aliceClient, addressOf(alice, 20))) === ALL
  })
  const { output } = await containers.sh(aliceServer, 'ip addr show dev eth0')
  assert.ok(output.includes(`inet ${alice.v4(20)}/24`), output)
  assert.ok(output.includes(`inet6 ${alice.v6(20)}/64`), output)
})

test('a fixed address is still the same after stop and start', async () => {
  await engine.stop(bobServer, 0, soon())
  await engine.start(bobServer, soon())
  const { output } = await containers.sh(bobServer, 'ip addr show dev eth0')
  assert.ok(output.includes(`inet ${bob.v4(20)}/24`) && output.includes(`inet6 ${bob.v6(20)}/64`), output)
})

test('no packet passes from one network to another, whatever the rules of the engine say', async (t) => {
  t.after(() => rules.removeAll())
  const pair = [
    ['-i', alice.bridge, '-o', bob.bridge],
    ['-i', bob.bridge, '-o', alice.bridge],
  ]
  // Before its own isolation the engine asks this chain, so from here on it lets everything pass between the two.
  for (const way of pair) await rules.addTo('iptables', 'filter', 'DOCKER-USER', ...way, '-j', 'ACCEPT')
  const ours = new TemporaryRules()
  t.after(() => ours.removeAll())
  for (const way of pair) await ours.add('mangle', 'FORWARD', ...way, '-j', 'ACCEPT')
  // With our rules passed over, each way works: what follows is not due to a broken tool or a missing route.
  await until('the other network is open for the control', async () => {
    return (await reaches(containers, aliceClient, addressOf(bob, 20))) === ALL
  })
  await ours.removeAll()

  const untouched = await arrived(containers, bobServer)
  assert.equal(await reaches(containers, aliceClient, addressOf(bob, 20)), '')
  assert.deepEqual(await arrived(containers, bobServer), untouched, 'something arrived at the other network')
})

test('the other direction is shut too, with nothing but the rules that are always there', async () => {
  const untouched = await arrived(containers, aliceServer)
  assert.equal(await reaches(containers, bobServer, addressOf(alice, 20)), '')
  assert.deepEqual(await arrived(containers, aliceServer), untouched)
})

test('a container reaches no service of the host by any of its addresses, and may ping its own gateway', async (t) => {
  const { port } = hostService.address() as AddressInfo
  const own = { v4: alice.gatewayV4, v6: alice.gatewayV6 }
  const ours = new TemporaryRules()
  t.after(() => ours.removeAll())
  await ours.add('mangle', 'INPUT', '-i', alice.bridge, '-j', 'ACCEPT')
  await until('the host is open for the control', async () => {
    return (await reaches(containers, aliceClient, own, port)) === ALL
  })
  await ours.removeAll()

  assert.equal(await reaches(containers, aliceClient, own, port), 'ping4 ping6')
  assert.equal(await reaches(containers, aliceClient, { v4: bob.gatewayV4, v6: bob.gatewayV6 }, port), '')
  // The addresses by which others know the host; bridges that other tests come and go with are left out.
  const outer = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(lo|br-|zn-|zt|veth)/.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ address }) => !address.startsWith('fe80'))
  assert.ok(outer.length > 0)
  for (const { address, family } of outer) {
    const name = family === 'IPv4' ? address : `[${address}]`
    const { exitCode } = await containers.sh(aliceClient, `timeout 2 wget -q -O - http://${name}:${port}/id`)
    assert.notEqual(exitCode, 0, `${address} of the host was reached`)
  }
})

test('the host itself reaches a container', async () => {
  for (const address of [alice.v4(20), `[${alice.v6(20)}]`]) {
    const answer = await fetch(`http://${address}:8213/id`, soon())
    assert.equal(await answer.text(), 'it-is-me\n')
  }
})

test('a forged sender makes the host send nothing to another network', async (t) => {
  const ours = new TemporaryRules()
  t.after(() => ours.removeAll())
  const forge = async (): Promise<void> => {
    // An answer of the gateway, and its complaint about a packet whose time is up, would go to the forged sender.
    await containers.sh(aliceClient, `ping -4 -c 1 -W 1 -I ${bob.v4(20)} ${alice.gatewayV4}`)
    await containers.sh(aliceClient, `ping -4 -c 1 -W 1 -t 1 -I ${bob.v4(20)} 192.0.2.200`)
    await containers.sh(aliceClient, `ping -6 -c 1 -W 1 -I ${bob.v6(20)} ${alice.gatewayV6}`)
  }
  // From the host's side, as a container may not do this itself. What it may do is to write such packets by hand.
  const inside = ['-t', await containers.pid(aliceClient), '-n', 'ip']
  await must('nsenter', ...inside, 'addr', 'add', `${bob.v4(20)}/32`, 'dev', 'lo')
  await must('nsenter', ...inside, '-6', 'addr', 'add', `${bob.v6(20)}/128`, 'dev', 'lo')
  const first = await arrived(containers, bobServer)
  await ours.add('mangle', 'PREROUTING', '-i', alice.bridge, '-j', 'ACCEPT')
  await ours.add('mangle', 'INPUT', '-i', alice.bridge, '-j', 'ACCEPT')
  await until('forging works for the control', async () => {
    await forge()
    const now = await arrived(containers, bobServer)
    return ['Icmp:InEchoReps', 'Icmp:InTimeExcds', 'Icmp6InEchoReplies'].every((c) => (now[c] ?? 0) > (first[c] ?? 0))
  })
  await ours.removeAll()

  const untouched = await arrived(containers, bobServer)
  await forge()
  assert.deepEqual(await arrived(containers, bobServer), untouched)
})

test('the outside is reached over IPv4, does not reach in, and link-local services stay hidden', async (t) => {
  const suffix = alice.bridge.slice(-6)
  const space = `zt-${suffix}`
  const [inner, outer] = [`zti${suffix}`, `zto${suffix}`]
  const inside = (...args: string[]) => must('ip', 'netns', 'exec', space, ...args)
  await must('ip', 'netns', 'add', space)
  t.after(() => must('ip', 'netns', 'delete', space))
  await must('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', space)
  await must('ip', 'addr', 'add', '198.51.100.1/30', 'dev', outer)
  await must('ip', 'addr', 'add', '169.254.213.1/30', 'dev', outer)
  await must('ip', '-6', 'addr', 'add', 'fd00:2d13:ffff::1/64', 'nodad', 'dev', outer)
  await must('ip', 'link', 'set', outer, 'up')
  await inside('ip', 'addr', 'add', '198.51.100.2/30', 'dev', inner)
  await inside('ip', 'addr', 'add', '169.254.213.2/30', 'dev', inner)
  await inside('ip', '-6', 'addr', 'add', 'fd00:2d13:ffff::2/64', 'nodad', 'dev', inner)
  await inside('ip', 'link', 'set', inner, 'up')
  await inside('ip', 'route', 'add', 'default', 'via', '198.51.100.1')
  await inside('ip', '-6', 'route', 'add', 'default', 'via', 'fd00:2d13:ffff::1')
  const pings = async (target: string): Promise<boolean> =>
    (await containers.sh(aliceClient, `ping -c 1 -W 1 ${target}`)).exitCode === 0
  const pingsIn = async (target: string): Promise<boolean> =>
    await inside('busybox', 'ping', '-c', '1', '-W', '1', target).then(
      () => true,
      () => false,
    )

  await until('the outside answers', () => pings('198.51.100.2'))
  const ours = new TemporaryRules()
  t.after(() => ours.removeAll())
  // The engine alone would refuse callers over IPv4.
  await ours.addTo('iptables', 'filter', 'DOCKER-USER', '-i', outer, '-o', alice.bridge, '-j', 'ACCEPT')
  await ours.add('mangle', 'FORWARD', '-i', alice.bridge, '-j', 'ACCEPT')
  await ours.add('mangle', 'FORWARD', '-o', alice.bridge, '-j', 'ACCEPT')
  await until('everything is open for the control', async () => {
    const open = [pings('169.254.213.2'), pings('fd00:2d13:ffff::2'), pingsIn(alice.v4(20)), pingsIn(alice.v6(20))]
    return (await Promise.all(open)).every(Boolean)
  })
  await ours.removeAll()

  assert.equal(await pings('169.254.213.2'), false, 'a link-local address was reached')
  assert.equal(await pings('fd00:2d13:ffff::2'), false, 'IPv6 left the host')
  await rules.addTo('iptables', 'filter', 'DOCKER-USER', '-i', outer, '-o', alice.bridge, '-j', 'ACCEPT')
  t.after(() => rules.removeAll())
  assert.equal(await pingsIn(alice.v4(20)), false, 'a caller from outside got in')
  assert.equal(await pingsIn(alice.v6(20)), false, 'a caller from outside got in over IPv6')
  assert.equal(await pings('198.51.100.2'), true)
})
