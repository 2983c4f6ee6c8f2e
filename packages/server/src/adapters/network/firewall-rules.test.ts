import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planRemoval, planRules } from './firewall-rules.ts'
import { bridgeName, normalise, type GuardedNetwork } from './guarded-network.ts'

const EMPTY = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'].map((c) => `-P ${c} ACCEPT`).join('\n')

const network: GuardedNetwork = {
  bridge: bridgeName('12345678-9abc-4def-8123-456789abcdef'),
  subnets: normalise([
    { cidr: '10.1.2.0/24', gateway: '10.1.2.1', version: 4 },
    { cidr: 'fd00:0:0:7::/64', gateway: 'FD00:0:0:7::1', version: 6 },
  ]),
}

/** What `iptables -S` would say after the plan was carried out on an empty table. */
function listingAfter(plan: string): string {
  const rules = plan.split('\n').filter((line) => /^-[AI] /.test(line))
  const chains = plan.split('\n').flatMap((line) => /^(?:-N |:)(\S+)/.exec(line)?.[1] ?? [])
  const fromTop = rules.filter((line) => line.startsWith('-I')).toReversed()
  const toEnd = rules.filter((line) => line.startsWith('-A'))
  return [EMPTY, ...chains.map((c) => `-N ${c}`), ...[...fromTop, ...toEnd].map((l) => l.replace(/^-I/, '-A'))].join(
    '\n',
  )
}

test('a bridge is named by its network, within what Linux allows', () => {
  assert.equal(network.bridge, 'zn-123456789abc')
  assert.ok(network.bridge.length <= 15)
  assert.throws(() => bridgeName('default'), /is no network id/)
})

test('nothing but addresses gets into the rules', () => {
  assert.throws(() => normalise([{ cidr: '10.0.0.0/8\n-F', gateway: null, version: 4 }]), /bad subnet/)
  assert.throws(() => normalise([{ cidr: '10.0.0.0/8', gateway: '10.0.0.1 -j ACCEPT', version: 4 }]), /bad subnet/)
})

test('what is in place needs no change, and a second network only its own entries', () => {
  for (const family of [4, 6] as const) {
    const first = planRules(EMPTY, family, [network])
    assert.ok(first !== undefined)
    const there = listingAfter(first)
    assert.equal(planRules(there, family, [network]), undefined)
    assert.equal(planRules(there, family, []), undefined)
    const other = { ...network, bridge: 'zn-aaaaaaaaaaaa' }
    const lines = planRules(there, family, [network, other])?.split('\n') ?? []
    assert.equal(lines.filter((line) => line.startsWith('-I')).length, 3)
    assert.equal(lines.length, 3 + '*mangle COMMIT end'.split(' ').length)
    assert.ok(lines.every((line) => !line.startsWith(':') && !line.includes(network.bridge)))
  }
})

test('the families know only their own addresses', () => {
  assert.ok(!planRules(EMPTY, 4, [network])?.includes('fd00'))
  assert.ok(!planRules(EMPTY, 6, [network])?.includes('10.1.2'))
})

test('a damaged fixed chain is replaced in one piece, and open chains are never emptied', () => {
  const there = listingAfter(planRules(EMPTY, 4, [network]) ?? '')
  const damaged = there.replace(/-A ZUND-FORWARD .*\n/, '').replace('-A ZUND-INPUT', '-A ZUND-INPUT -j ACCEPT\n$&')
  const plan = planRules(damaged, 4, [network]) ?? ''
  assert.match(plan, /^:ZUND-FORWARD/m)
  assert.match(plan, /^:ZUND-INPUT/m)
  assert.doesNotMatch(plan, /ZUND-(SOURCE|SAME|GATEWAY) -/)
})

test('removal takes the entries of that bridge and no others', () => {
  const other = { ...network, bridge: `${network.bridge.slice(0, -1)}d` }
  const there = listingAfter(planRules(EMPTY, 4, [network, other]) ?? '')
  const lines = planRemoval(there, network.bridge)?.split('\n') ?? []
  assert.equal(lines.filter((line) => line.startsWith('-D')).length, 3)
  assert.ok(lines.every((line) => !line.includes(other.bridge)))
  assert.equal(planRemoval(EMPTY, network.bridge), undefined)
})
