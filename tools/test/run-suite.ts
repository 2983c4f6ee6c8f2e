import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Counted } from './count-reporter.ts'
import { runInGroup } from './process-group.ts'
import type { Suite } from './suites.ts'

const SELECTING = /^--test-(name-pattern|skip-pattern|only)\b/

export interface SuiteResult {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Names of the tests that failed, each with its file. */
  readonly failures?: readonly string[]
  /** Said beside the numbers when they alone do not explain the failure. */
  readonly remark?: string
}

export interface SuiteRun {
  readonly suite: Suite
  readonly root: string
  readonly files: readonly string[]
  readonly nodeOptions: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Of the whole run; the suite gets no more than that. */
  readonly msLeft: number
  /** Command that puts the tests where they belong, e.g. into the network of their engine. */
  readonly wrap: readonly string[]
}

/** Runs the files of one suite by `node --test`; never throws for what tests do. */
export async function runSuite(run: SuiteRun, o: { signal: AbortSignal }): Promise<SuiteResult> {
  if (run.files.length === 0) return { passed: 0, failed: 1, skipped: 0, remark: 'it has no files' }
  if (run.msLeft <= 0) return { passed: 0, failed: 1, skipped: 0, remark: 'no time was left for it' }
  const scratch = mkdtempSync(join(tmpdir(), 'zund-test-'))
  const counts = join(scratch, 'counts')
  const timeoutMs = Math.floor(Math.min(run.suite.timeoutMinutes * 60_000, run.msLeft))
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const code = await runInGroup([...run.wrap, process.execPath, ...nodeArguments(run, counts)], {
      cwd: run.root,
      env: run.env,
      signal: AbortSignal.any([o.signal, timeout]),
    })
    const selected = run.nodeOptions.some((option) => SELECTING.test(option))
    const tally = tallyOf(existsSync(counts) ? readFileSync(counts, 'utf8') : '', { selected, root: run.root })
    if (o.signal.aborted) return worse(tally, 'it was interrupted')
    if (timeout.aborted) return worse(tally, `it was not finished after ${Math.round(timeoutMs / 60_000)} minutes`)
    if (code !== 0 && tally.failed === 0) return worse(tally, `node --test ended with ${code}`)
    if (tally.passed + tally.failed === 0) return worse(tally, 'no test ran')
    return tally
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function nodeArguments({ suite, root, files, nodeOptions }: SuiteRun, counts: string): string[] {
  return [
    '--test',
    `--test-concurrency=${suite.concurrency}`,
    `--test-timeout=${suite.testTimeoutMinutes * 60_000}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(root, 'tools/test/count-reporter.ts')}`,
    `--test-reporter-destination=${counts}`,
    ...nodeOptions,
    ...files,
  ]
}

/** `selected`: files in which no test was selected look like files without tests, and are fine then. */
function tallyOf(lines: string, o: { selected: boolean; root: string }): SuiteResult {
  const tally = { passed: 0, failed: 0, skipped: 0, fileWithoutTests: 0 }
  const failures: string[] = []
  for (const line of lines.split('\n')) {
    // The last line may be half written.
    if (!line.endsWith('}')) continue
    const { as, test, file } = JSON.parse(line) as Counted
    tally[as] += 1
    if (as === 'failed') failures.push(file === undefined ? test : `${relative(o.root, file)}: ${test}`)
  }
  const { fileWithoutTests, ...counts } = tally
  const result = { ...counts, failures }
  if (fileWithoutTests === 0 || o.selected) return result
  return { ...result, failed: result.failed + fileWithoutTests, remark: `${fileWithoutTests} file(s) without a test` }
}

function worse(result: SuiteResult, remark: string): SuiteResult {
  return { ...result, failed: result.failed + 1, remark }
}
