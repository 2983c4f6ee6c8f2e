import { existsSync, globSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Need } from './needs.ts'

export interface Suite {
  readonly name: string
  readonly about: string
  /** Pattern of its files, from the root of the checkout. */
  readonly pattern: string
  readonly needs: readonly Need[]
  /** Files that run at the same time. */
  readonly concurrency: number
  /** Minutes after which the whole suite is stopped and counts as failed. */
  readonly timeoutMinutes: number
  /** The same for one test that does not set its own. */
  readonly testTimeoutMinutes: number
  /** May run while others do: it shares no engine, network or firewall with them. */
  readonly beside: boolean
}

const SERVER_TESTS = 'packages/server/test'

const USUAL = { needs: [], concurrency: 2, timeoutMinutes: 8, testTimeoutMinutes: 2, beside: false } as const

/** In the order in which they run: the quick ones first. */
const SUITES: readonly Suite[] = [
  {
    ...USUAL,
    name: 'unit',
    about: 'rules and small parts, tested beside their code',
    pattern: 'packages/*/src/**/*.test.ts',
    timeoutMinutes: 3,
  },
  suite('api', 'the HTTP API in one process, on a simulated engine'),
  suite('sdk', 'the typed client, every call of it, on a simulated engine'),
  suite('cli', 'the command line, in pseudo-terminals too, on a simulated and on a real engine', {
    needs: ['engine', 'shells'],
    testTimeoutMinutes: 3,
  }),
  suite('scheduling', 'which host gets a container: fleets of simulated hosts'),
  suite('compat', 'conversations of every route and microversion, from data files'),
  suite('fuzz', 'malformed requests at every route', { testTimeoutMinutes: 6 }),
  suite('crash', 'a crash at every checkpoint, on a simulated engine', { timeoutMinutes: 15, testTimeoutMinutes: 6 }),
  suite('contract', 'every port against all of its adapters', { needs: ['engine'] }),
  suite('launcher', './zund itself', { needs: ['engine'] }),
  suite('roles', 'api, conductor, compute and wsproxy as processes of their own, on one machine and on two engines', {
    needs: ['engine'],
    concurrency: 1,
    timeoutMinutes: 12,
    testTimeoutMinutes: 4,
  }),
  // From here on files share the host's firewall and measure what the engine does: one at a time.
  suite('host', 'networks, volumes and images on a real engine and host', {
    needs: ['engine', 'switch'],
    concurrency: 1,
    timeoutMinutes: 20,
  }),
  suite('client', "Debian's OpenStack client against a real ./zund up", {
    needs: ['engine', 'client'],
    concurrency: 1,
    timeoutMinutes: 12,
    testTimeoutMinutes: 5,
  }),
  suite('kill', 'kill -9 of real processes on a real engine', {
    needs: ['engine'],
    concurrency: 1,
    timeoutMinutes: 20,
    testTimeoutMinutes: 10,
  }),
  suite('openstack', 'with real Keystone, Glance, Neutron, Cinder and Placement', {
    needs: ['client', 'openstack'],
    concurrency: 1,
    timeoutMinutes: 70,
    testTimeoutMinutes: 5,
    beside: true,
  }),
]

function suite(name: string, about: string, more: Partial<Suite> = {}): Suite {
  return { ...USUAL, name, about, pattern: `${SERVER_TESTS}/${name}/**/*.test.ts`, ...more }
}

export function filesOf(root: string, { pattern }: Suite): string[] {
  return globSync(pattern, { cwd: root, exclude: (path) => path.includes('node_modules') }).toSorted()
}

/** Suites that have a file. A directory of tests that nobody would ever run is an error. */
export function existingSuites(root: string): Suite[] {
  const directory = join(root, SERVER_TESTS)
  const known = new Set(['support', ...SUITES.map(({ name }) => name)])
  for (const entry of existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : []) {
    if (entry.isDirectory() && !known.has(entry.name)) {
      throw new Error(`${SERVER_TESTS}/${entry.name} has no entry in tools/test/suites.ts`)
    }
  }
  return SUITES.filter((one) => filesOf(root, one).length > 0)
}

/** undefined: there is no such suite. */
export function suiteNamed(name: string): Suite | undefined {
  return SUITES.find((one) => one.name === name)
}
