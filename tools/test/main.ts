/** Behind `./zund test`. Uses only what comes with Node. */
import { join } from 'node:path'
import { Misuse, parseArguments } from './arguments.ts'
import { runLanes } from './lanes.ts'
import { installTools, type Need } from './needs.ts'
import { existingSuites, suiteNamed, type Suite } from './suites.ts'
import { summary } from './summary.ts'

/** What hangs is stopped in time for somebody who waits for the outcome. */
const WHOLE_RUN_MS = 80 * 60_000

const root = join(import.meta.dirname, '../..')

async function main(argv: readonly string[]): Promise<number> {
  const args = parseArguments(argv)
  if (args.list) {
    for (const suite of existingSuites(root)) console.log(describe(suite))
    return 0
  }
  const suites = args.suites.length === 0 ? existingSuites(root) : args.suites.flatMap((name) => suiteNamed(name) ?? [])
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())
  const { signal } = interrupted

  const trouble = await settle(() => installTools(root, [...new Set(suites.flatMap(({ needs }) => needs))], { signal }))
  if (args.setupOnly) {
    if (trouble !== undefined) console.error(`zund: ${trouble}`)
    return trouble === undefined ? 0 : 1
  }

  const { nodeOptions, files } = args
  const endsAt = performance.now() + WHOLE_RUN_MS
  const finished = await runLanes(suites, { root, trouble, nodeOptions, files, endsAt, signal })
  const [passed, failed] = (['passed', 'failed'] as const).map((kind) =>
    finished.reduce((sum, { result }) => sum + result[kind], 0),
  )
  console.log(`\n${finished.map(summary).join('\n')}\n${passed} passed, ${failed} failed`)
  if (signal.aborted) return 130
  return failed === 0 && passed !== 0 ? 0 : 1
}

function describe({ name, about, needs }: Suite): string {
  const words: Record<Need, string> = {
    engine: 'an engine',
    client: 'the OpenStack client',
    shells: 'zsh and fish',
    switch: 'Open vSwitch',
    openstack: 'OpenStack services',
  }
  const wanted = needs.length === 0 ? '' : ` (needs ${needs.map((need) => words[need]).join(' and ')})`
  return `${name.padEnd(10)}${about}${wanted}`
}

/** The message of what went wrong, or undefined. */
async function settle(task: () => Promise<void>): Promise<string | undefined> {
  try {
    await task()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`zund: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = error instanceof Misuse ? 2 : 1
}
