import { suiteNamed } from './suites.ts'

export interface Arguments {
  readonly suites: readonly string[]
  readonly list: boolean
  readonly setupOnly: boolean
  /** For `node --test`. */
  readonly nodeOptions: readonly string[]
  /** Instead of the files of the suite. */
  readonly files: readonly string[]
}

/** Told in one line; the exit status is 2. */
export class Misuse extends Error {}

export function parseArguments(argv: readonly string[]): Arguments {
  const end = argv.indexOf('--')
  const own = end === -1 ? argv : argv.slice(0, end)
  const passed = end === -1 ? [] : argv.slice(end + 1)
  const suites: string[] = []
  for (const word of own) {
    if (word === '--list' || word === '--setup-only') continue
    if (word.startsWith('-')) throw new Misuse(`test does not know '${word}'; see ./zund test --help`)
    if (suiteNamed(word) === undefined) throw new Misuse(`there is no suite '${word}'; see ./zund test --list`)
    if (!suites.includes(word)) suites.push(word)
  }
  const files = passed.filter((word) => !word.startsWith('-'))
  if (files.length > 0 && suites.length !== 1) throw new Misuse('name exactly one suite when you name files')
  return {
    suites,
    list: own.includes('--list'),
    setupOnly: own.includes('--setup-only'),
    nodeOptions: passed.filter((word) => word.startsWith('-')),
    files,
  }
}
