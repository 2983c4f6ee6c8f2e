/** Networks, packets and packet filter rules, for tests of who can reach whom. */
import { randomInt, randomUUID } from 'node:crypto'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { bridgeName } from '../../src/adapters/network/guarded-network.ts'
import type { PortData } from '../../src/orchestration/ports/wire.ts'
import { soon, type Containers } from './host-fixture.ts'

const command = new ProcessCommand()

export interface TestNetwork {
  readonly id: string
  readonly bridge: string
  readonly gatewayV4: string
  readonly gatewayV6: string
  v4(host: number): string
  v6(host: number): string
  port(host: number): PortData
}

/** Anywhere in the range, so that two runs at the same time seldom meet. */
let next = randomInt(0, 250)

export function aNetwork(): TestNetwork {
  next = (next + 1) % 250
  const third = next
  const id = randomUUID()
  const v4 = (host: number): string => `10.213.${third}.${host}`
  const v6 = (host: number): string => `fd00:2d13:${third}::${host.toString(16)}`
  return {
    id,
    bridge: bridgeName(id),
    gatewayV4: v4(1),
    gatewayV6: v6(1),
    v4,
    v6,
    port: (host) => ({
      kind: 'port',
      networkId: id,
      networkName: 'test',
      projectId: 'test',
      subnets: [
        { id: `${id}-4`, cidr: `10.213.${third}.0/24`, gateway: v4(1), version: 4 },
        { id: `${id}-6`, cidr: `fd00:2d13:${third}::/64`, gateway: v6(1), version: 6 },
      ],
      fixedIps: [
        { address: v4(host), version: 4, subnetId: `${id}-4` },
        { address: v6(host), version: 6, subnetId: `${id}-6` },
      ],
      macAddress: null,
      preserveOnDelete: false,
    }),
  }
}

export const WEB_PORT = 8213
export const WEB_COMMAND = [
  'sh',
  '-c',
  `mkdir -p /www && echo it-is-me > /www/id && exec httpd -f -p ${WEB_PORT} -h /www`,
] as const

/** `ping4 ping6 tcp4 tcp6`, as far as they get an answer. */
export async function reaches(
  containers: Pick<Containers, 'sh'>,
  from: string,
  to: { readonly v4: string; readonly v6: string },
  port = WEB_PORT,
): Promise<string> {
  const ways: Readonly<Record<string, string>> = {
    ping4: `ping -4 -c 1 -W 1 ${to.v4}`,
    ping6: `ping -6 -c 1 -W 1 ${to.v6}`,
    tcp4: `timeout 2 wget -q -O - http://${to.v4}:${port}/id | grep -q it-is-me`,
    tcp6: `timeout 2 wget -q -O - http://[${to.v6}]:${port}/id | grep -q it-is-me`,
  }
  const open = await Promise.all(
    Object.entries(ways).map(async ([way, line]) => ((await containers.sh(from, line)).exitCode === 0 ? [way] : [])),
  )
  return open.flat().join(' ')
}

/** Counters of the container's kernel: what has arrived there, answered or not. */
export async function arrived(
  containers: Pick<Containers, 'sh'>,
  uuid: string,
): Promise<Readonly<Record<string, number>>> {
  const { output } = await containers.sh(uuid, 'cat /proc/net/snmp; cat /proc/net/snmp6')
  const lines = output.split('\n').map((line) => line.trim().split(/\s+/))
  const counters: Record<string, number> = {}
  for (const [i, [first = '', ...rest]] of lines.entries()) {
    if (first.endsWith(':')) {
      const values = lines[i + 1]
      if (values?.[0] === first) rest.forEach((name, n) => (counters[first + name] = Number(values[n + 1])))
    } else if (first.startsWith('Icmp6') || first.startsWith('Udp6')) counters[first] = Number(rest[0])
  }
  const wanted = [
    'Icmp:InEchos',
    'Icmp:InEchoReps',
    'Icmp:InTimeExcds',
    'Tcp:InSegs',
    'Icmp6InEchos',
    'Icmp6InEchoReplies',
    'Icmp6InTimeExcds',
  ]
  return Object.fromEntries(wanted.map((name) => [name, counters[name] ?? NaN]))
}

/** Runs a program and wants it to succeed. */
export async function must(program: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await command.run(program, args, soon())
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}

export type Table = 'mangle' | 'filter'

/** Rules put in for the length of a test. Each names an interface of that test, so that no one else is concerned. */
export class TemporaryRules {
  readonly #rules: { program: string; table: Table; rule: readonly string[] }[] = []

  async add(table: Table, ...rule: string[]): Promise<void> {
    for (const program of ['iptables', 'ip6tables']) await this.addTo(program, table, ...rule)
  }

  async addTo(program: string, table: Table, ...rule: string[]): Promise<void> {
    const [chain = '', ...rest] = rule
    await must(program, '-w', '5', '-t', table, '-I', chain, '1', ...rest)
    this.#rules.push({ program, table, rule })
  }

  async removeAll(): Promise<void> {
    for (const { program, table, rule } of this.#rules.splice(0)) {
      await must(program, '-w', '5', '-t', table, '-D', ...rule)
    }
  }
}

/** Rules of ours that name the bridge. */
export async function rulesOf(bridge: string): Promise<string[]> {
  const listings = [
    await must('iptables', '-w', '5', '-t', 'mangle', '-S'),
    await must('ip6tables', '-w', '5', '-t', 'mangle', '-S'),
  ]
  return listings.flatMap((listing) => listing.split('\n').filter((line) => line.includes(`-i ${bridge} `)))
}
