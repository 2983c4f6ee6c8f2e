/** Behind `./zund test`. Uses only what comes with Node. */
import { join } from 'node:path'
import { Misuse, parseArguments } from './arguments.ts'
import { SharedCloud } from '../openstack/shared-cloud.ts'
import { SharedEngine } from './shared-engine.ts'
import { installTools, type Need } from './needs.ts'
import { runSuite } from './run-suite.ts'
import { existingSuites, filesOf, suiteNamed, type Suite } from './suites.ts'
import { summary } from './summary.ts'
import type { SuiteResult } from './tally.ts'

/** What hangs is stopped in time for somebody who waits for the outcome. */
const WHOLE_RUN_MS = 70 * 60_000

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

  await using engine = new SharedEngine()
  await using cloud = new SharedCloud(root)
  const endsAt = performance.now() + WHOLE_RUN_MS
  const total = { passed: 0, failed: 0 }
  const lines: string[] = []
  for (const suite of suites) {
    if (signal.aborted) break
    console.log(`\n— ${suite.name}: ${suite.about}`)
    const startedAt = performance.now()
    const files = args.files.length > 0 ? args.files : filesOf(root, suite)
    const run = { suite, root, files, nodeOptions: args.nodeOptions, msLeft: endsAt - startedAt }
    const result = await runWithNeeds(suite, trouble, { engine, cloud }, signal, async (where) =>
      runSuite({ ...run, ...where }, { signal }),
    )
    lines.push(summary(suite, result, performance.now() - startedAt))
    total.passed += result.passed
    total.failed += result.failed
  }
  await cloud.stop()
  await engine.stop()
  console.log(`\n${lines.join('\n')}\n${total.passed} passed, ${total.failed} failed`)
  if (signal.aborted) return 130
  return total.failed > 0 || total.passed === 0 ? 1 : 0
}

/** A suite whose needs cannot be met counts as one failure; the others still run. */
async function runWithNeeds(
  suite: Suite,
  trouble: string | undefined,
  { engine, cloud }: { engine: SharedEngine; cloud: SharedCloud },
  signal: AbortSignal,
  run: (where: { env: NodeJS.ProcessEnv; wrap: readonly string[] }) => Promise<SuiteResult>,
): Promise<SuiteResult> {
  if (suite.needs.length > 0 && trouble !== undefined) return unmet(trouble)
  const env = testEnvironment()
  if (suite.needs.includes('openstack')) {
    const broken = await settle(() => cloud.ready({ signal }))
    if (broken !== undefined) return unmet(broken)
    const { accounts, engineSocket, enter } = cloud
    return await run({
      env: { ...env, ZUND_TEST_OPENSTACK: accounts, ZUND_TEST_ENGINE: engineSocket },
      wrap: enter,
    })
  }
  if (!suite.needs.includes('engine')) return await run({ env, wrap: [] })
  const broken = await settle(() => engine.ready({ signal }))
  if (broken !== undefined) return unmet(broken)
  return await run({ env: { ...env, ZUND_TEST_ENGINE: engine.socketPath }, wrap: engine.enter })
}

function unmet(why: string): SuiteResult {
  console.error(`zund: ${why}`)
  return { passed: 0, failed: 1, skipped: 0, remark: 'what it needs is not there' }
}

/** Nothing of the developer's own set-up, and nothing of a test run that started this one. */
function testEnvironment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, DOCKER_HOST: __, ZUND_STATE_DIR: ___, ...env } = process.env
  return { ...env, no_proxy: '127.0.0.1,localhost,::1', NO_PROXY: '127.0.0.1,localhost,::1' }
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
