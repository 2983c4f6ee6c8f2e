/** Behind `./zund bench`. Every other bench/*.ts is a benchmark; each runs in a process of its own, one at a time. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { installTools } from '../tools/test/needs.ts'
import { runInGroup } from '../tools/test/process-group.ts'
import { SharedEngine } from '../tools/test/shared-engine.ts'
import { loadBench, type Bench } from './support/bench.ts'

const TIMEOUT_MS = 15 * 60_000

const root = join(import.meta.dirname, '..')

interface Found extends Bench {
  readonly path: string
}

async function main(argv: readonly string[]): Promise<number> {
  const all = await findAll()
  const names = argv.filter((word) => word !== '--list')
  const stranger = names.find((name) => !all.some((bench) => bench.name === name))
  if (stranger !== undefined) {
    console.error(`zund: there is no benchmark '${stranger}'; see ./zund bench --list`)
    return 2
  }
  const chosen = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
  if (argv.includes('--list')) {
    for (const { name, description } of chosen) console.log(`${name.padEnd(14)}${description}`)
    return 0
  }
  return await runAll(chosen)
}

async function findAll(): Promise<Found[]> {
  const files = globSync('*.ts', { cwd: import.meta.dirname }).filter((file) => file !== 'run.ts')
  const found: Found[] = []
  for (const file of files.toSorted()) {
    const path = join(import.meta.dirname, file)
    found.push({ ...(await loadBench(path)), path })
  }
  return found
}

async function runAll(chosen: readonly Found[]): Promise<number> {
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())
  const { signal } = interrupted
  await installTools(root, [...new Set(chosen.flatMap(({ needs = [] }) => needs))], { signal })
  await using engine = new SharedEngine()
  let failed = 0
  for (const bench of chosen) {
    if (signal.aborted) break
    console.log(`\n${bench.name}: ${bench.description}`)
    const wantsEngine = bench.needs?.includes('engine') ?? false
    if (wantsEngine) await engine.ready({ signal })
    const ended = await runInGroup(
      [...(wantsEngine ? engine.enter : []), process.execPath, join(root, 'bench/support/run-one.ts'), bench.path],
      {
        cwd: root,
        env: { ...process.env, ...(wantsEngine ? { ZUND_TEST_ENGINE: engine.socketPath } : {}) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      },
    )
    if (ended !== 0) {
      failed += 1
      console.error(`zund: benchmark ${bench.name} ended with ${ended}`)
    }
  }
  if (signal.aborted) return 130
  return failed > 0 || chosen.length === 0 ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`zund: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
