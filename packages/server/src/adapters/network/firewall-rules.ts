/**
 * The packet filter rules that keep projects apart, and what has to change to have them. Pure: text of
 * `iptables -t mangle -S` in, text for `iptables-restore --noflush` out. Why the rules are what they are:
 * docs/design/local-network.md.
 *
 * Two kinds of chains. A *fixed* chain is the same for every zund on this kernel and is replaced as a whole when it
 * differs. An *open* chain holds one entry per network of any zund, added and removed one by one, before a last DROP.
 */
import { createHash } from 'node:crypto'
import { BRIDGE_PREFIX, type GuardedNetwork } from './guarded-network.ts'

export type Family = 4 | 6

interface Rule {
  readonly chain: string
  readonly match: string
  readonly action: string
  readonly note: string
}

const ANY = `${BRIDGE_PREFIX}+`
const SOURCE = 'ZUND-SOURCE'
const FORWARD = 'ZUND-FORWARD'
const SAME = 'ZUND-SAME'
const INPUT = 'ZUND-INPUT'
const GATEWAY = 'ZUND-GATEWAY'
const OPEN_CHAINS = [SOURCE, SAME, GATEWAY]
const REPLIES = '-m conntrack --ctstate RELATED,ESTABLISHED'

/** From the kernel's own chains into ours. Before routing, so that the host never answers a forged sender. */
const JUMPS: readonly Rule[] = [
  { chain: 'PREROUTING', match: `-i ${ANY}`, action: `-j ${SOURCE}`, note: 'source' },
  { chain: 'FORWARD', match: '', action: `-j ${FORWARD}`, note: 'forward' },
  { chain: 'INPUT', match: `-i ${ANY}`, action: `-j ${INPUT}`, note: 'input' },
]

function fixedChains(family: Family): readonly (readonly [string, readonly Rule[]])[] {
  return [
    [
      FORWARD,
      [
        { chain: FORWARD, match: `-i ${ANY} -o ${ANY}`, action: `-g ${SAME}`, note: 'between' },
        { chain: FORWARD, match: `-o ${ANY} ${REPLIES}`, action: '-j RETURN', note: 'replies' },
        { chain: FORWARD, match: `-o ${ANY}`, action: '-j DROP', note: 'from-outside' },
        ...(family === 4 ? OUTWARDS_V4 : OUTWARDS_V6),
      ],
    ],
    [
      INPUT,
      [
        { chain: INPUT, match: REPLIES, action: '-j RETURN', note: 'replies' },
        ...(family === 6 ? NEIGHBOURS : []),
        { chain: INPUT, match: '', action: `-g ${GATEWAY}`, note: 'host' },
      ],
    ],
  ]
}

const OUTWARDS_V4: readonly Rule[] = [
  { chain: FORWARD, match: `-i ${ANY} -m conntrack --ctstate DNAT`, action: '-j DROP', note: 'published' },
  { chain: FORWARD, match: `-i ${ANY} -d 169.254.0.0/16`, action: '-j DROP', note: 'link-local' },
]

const OUTWARDS_V6: readonly Rule[] = [{ chain: FORWARD, match: `-i ${ANY}`, action: '-j DROP', note: 'no-v6-outside' }]

/** Without these the container and its gateway never learn each other's hardware address. */
const NEIGHBOURS: readonly Rule[] = [135, 136].map((type) => ({
  chain: INPUT,
  match: `-p ipv6-icmp -m icmp6 --icmpv6-type ${type}`,
  action: '-j RETURN',
  note: 'neighbour',
}))

/** What every network may do, at the top of the open chains. */
function openEntries(family: Family, networks: readonly GuardedNetwork[]): Rule[] {
  const always: Rule[] =
    family === 4
      ? []
      : [
          { chain: SOURCE, match: '-s fe80::/10', action: '-j RETURN', note: 'link-local' },
          { chain: SOURCE, match: '-s ::/128 -p ipv6-icmp', action: '-j RETURN', note: 'unspecified' },
        ]
  return [...always, ...networks.flatMap((network) => entriesOf(family, network))]
}

function entriesOf(family: Family, { bridge, subnets }: GuardedNetwork): Rule[] {
  const rules: Rule[] = [{ chain: SAME, match: `-i ${bridge} -o ${bridge}`, action: '-j RETURN', note: 'own' }]
  const echo = family === 4 ? '-p icmp -m icmp --icmp-type 8' : '-p ipv6-icmp -m icmp6 --icmpv6-type 128'
  for (const { cidr, gateway, version } of subnets) {
    if (version !== family) continue
    const from = `-i ${bridge} -s ${cidr}`
    rules.push({ chain: SOURCE, match: from, action: '-j RETURN', note: 'own' })
    if (gateway === null) continue
    rules.push({ chain: GATEWAY, match: `${from} -d ${gateway} ${echo}`, action: '-j RETURN', note: 'own' })
  }
  return rules
}

/** Commands that bring the listed rules to where they should be; undefined when there is nothing to do. */
export function planRules(listing: string, family: Family, networks: readonly GuardedNetwork[]): string | undefined {
  const there = tagsByChain(listing)
  const declared: string[] = []
  const lines: string[] = []
  for (const chain of OPEN_CHAINS) {
    // Not `:CHAIN`, which would empty a chain that another zund has made since we looked. This one fails, and the
    // caller looks again.
    if (!there.has(chain)) declared.push(`-N ${chain}`)
    const last: Rule = { chain, match: '', action: '-j DROP', note: 'rest' }
    if (!there.get(chain)?.includes(tagOf(last))) lines.push(`-A ${textOf(last)}`)
  }
  for (const [chain, rules] of fixedChains(family)) {
    if (sameTags(there.get(chain), rules)) continue
    declared.push(`:${chain} - [0:0]`)
    lines.push(...rules.map((rule) => `-A ${textOf(rule)}`))
  }
  for (const rule of [...openEntries(family, networks), ...JUMPS]) {
    if (!there.get(rule.chain)?.includes(tagOf(rule))) lines.push(`-I ${textOf(rule)}`)
  }
  return commit([...declared, ...lines])
}

/** Commands that take out every entry of one bridge. */
export function planRemoval(listing: string, bridge: string): string | undefined {
  const lines = listing.split('\n').flatMap((line) => {
    const [verb, chain = '', ...rest] = line.trim().split(' ')
    const at = rest.indexOf('-i')
    const ours = verb === '-A' && OPEN_CHAINS.includes(chain) && at >= 0 && rest[at + 1] === bridge
    return ours ? [`-D ${chain} ${rest.join(' ')}`] : []
  })
  return commit(lines)
}

function commit(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : `*mangle\n${lines.join('\n')}\nCOMMIT\n`
}

/**
 * A rule is recognised by the digest in its comment. Comparing its text would not do: iptables prints a rule in other
 * words than it was given, and in other words again from version to version.
 */
function tagOf({ chain, match, action, note }: Rule): string {
  const digest = createHash('sha256').update(`${chain} ${match} ${action}`).digest('hex').slice(0, 12)
  return `zund-${note}-${digest}`
}

function textOf(rule: Rule): string {
  const { chain, match, action } = rule
  return [chain, match, `-m comment --comment ${tagOf(rule)}`, action].filter((part) => part !== '').join(' ')
}

function sameTags(there: readonly string[] | undefined, rules: readonly Rule[]): boolean {
  return there?.length === rules.length && rules.every((rule, i) => tagOf(rule) === there[i])
}

/** Tags of each chain's rules in order; a rule without a tag of ours counts as an empty one. */
function tagsByChain(listing: string): ReadonlyMap<string, readonly string[]> {
  const chains = new Map<string, string[]>()
  for (const line of listing.split('\n')) {
    const [verb, chain] = line.split(' ')
    if (chain === undefined || verb === undefined) continue
    const tags = chains.get(chain) ?? []
    chains.set(chain, tags)
    if (verb === '-A') tags.push(/--comment "?(zund-[\w-]+)"?/.exec(line)?.[1] ?? '')
  }
  return chains
}
