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
}

const SERVER_TESTS = 'packages/server/test'

/** In the order in which they run: the quick ones first. */
const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    about: 'rules and small parts, tested beside their code',
    pattern: 'packages/*/src/**/*.test.ts',
    needs: [],
    concurrency: 2,
    timeoutMinutes: 3,
  },
  suite('api', 'the HTTP API in one process, on a simulated engine', [], 2, 6),
  suite('fuzz', 'malformed requests at every route', [], 2, 8),
  suite('crash', 'a crash at every checkpoint, on a simulated engine', [], 2, 8),
  suite('contract', 'every port against all of its adapters', ['engine'], 2, 6),
  suite('host', 'networks, volumes and images on a real engine and host', ['engine'], 1, 8),
  suite('kill', 'kill -9 of real processes on a real engine', ['engine'], 1, 12),
  suite('launcher', './zund itself', ['engine'], 1, 8),
  suite('client', "Debian's OpenStack client against a real ./zund up", ['engine', 'client'], 1, 12),
]

function suite(
  name: string,
  about: string,
  needs: readonly Need[],
  concurrency: number,
  timeoutMinutes: number,
): Suite {
  return { name, about, pattern: `${SERVER_TESTS}/${name}/**/*.test.ts`, needs, concurrency, timeoutMinutes }
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
