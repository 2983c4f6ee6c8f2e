import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endEnvironment } from './must-end.ts'
import { runInGroup } from './process-group.ts'
import type { Suite } from './suites.ts'
import type { Place } from './surroundings.ts'
import { tallyOf, type SuiteResult } from './tally.ts'

/** What was left open is given so long to end, and a file so long for all it does: more than any test of it. */
const LINGER_MS = 30_000
const FILE_MS = 12 * 60_000

const SELECTING = /^--test-(name-pattern|skip-pattern|only)\b/

export interface SuiteRun {
  readonly suite: Suite
  readonly root: string
  readonly files: readonly string[]
  readonly nodeOptions: readonly string[]
  readonly place: Place
  /** Of the whole run; the suite gets no more than that. */
  readonly msLeft: number
}

/** Runs the files of one suite by `node --test`; never throws for what tests do. */
export async function runSuite(
  run: SuiteRun,
  o: { signal: AbortSignal; stdout: 'inherit' | number },
): Promise<SuiteResult> {
  if (run.files.length === 0) return { passed: 0, failed: 1, skipped: 0, remark: 'it has no files' }
  if (run.msLeft <= 0) return { passed: 0, failed: 1, skipped: 0, remark: 'no time was left for it' }
  const scratch = mkdtempSync(join(tmpdir(), 'zund-test-'))
  const [counts, unended] = [join(scratch, 'counts'), join(scratch, 'unended')]
  const timeoutMs = Math.floor(Math.min(run.suite.timeoutMinutes * 60_000, run.msLeft))
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const code = await runInGroup([...run.place.wrap, process.execPath, ...nodeArguments(run, counts)], {
      cwd: run.root,
      env: { ...run.place.env, ...endEnvironment({ report: unended, ...endLimits() }) },
      signal: AbortSignal.any([o.signal, timeout]),
      stdout: o.stdout,
    })
    const selected = run.nodeOptions.some((option) => SELECTING.test(option))
    const tally = tallyOf({ counts: textOf(counts), unended: textOf(unended) }, { selected, root: run.root })
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
    `--import=${join(root, 'tools/test/must-end.ts')}`,
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

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** The variables are for tests of this. */
function endLimits(): { lingerMs: number; fileMs: number } {
  const { ZUND_TEST_LINGER_MS: lingerMs = LINGER_MS, ZUND_TEST_FILE_MS: fileMs = FILE_MS } = process.env
  return { lingerMs: Number(lingerMs), fileMs: Number(fileMs) }
}

function worse(result: SuiteResult, remark: string): SuiteResult {
  return { ...result, failed: result.failed + 1, remark }
}
