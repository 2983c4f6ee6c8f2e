import { relative } from 'node:path'
import type { Counted } from './count-reporter.ts'

export interface Failure {
  readonly test: string
  /** From the root of the checkout, as is the place. */
  readonly file?: string | undefined
  readonly why?: string | undefined
  readonly at?: string | undefined
}

export interface SuiteResult {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly failures?: readonly Failure[]
  /** Said beside the numbers when they alone do not explain the failure. */
  readonly remark?: string
}

export interface Lines {
  /** Of the count reporter. */
  readonly counts: string
  /** Of files that had to be ended. */
  readonly unended: string
}

/** `selected`: files in which no test was selected look like files without tests, and are fine then. */
export function tallyOf(lines: Lines, o: { selected: boolean; root: string }): SuiteResult {
  const unended = parsed(lines.unended)
  const known = new Set(unended.map(({ file }) => file))
  // The runner reports them as well, without a word of why.
  const counts = parsed(lines.counts).filter(({ as, file }) => as !== 'fileFailed' || !known.has(file))
  const all = [...counts, ...unended]
  const number = (...kinds: readonly Counted['as'][]): number => all.filter(({ as }) => kinds.includes(as)).length
  const failures = all.filter(({ as }) => as === 'failed' || as === 'fileFailed')
  const result = {
    passed: number('passed'),
    failed: failures.length,
    skipped: number('skipped'),
    failures: failures.map((one) => failureOf(one, o.root)),
  }
  const fileWithoutTests = number('fileWithoutTests')
  if (fileWithoutTests === 0 || o.selected) return result
  return { ...result, failed: result.failed + fileWithoutTests, remark: `${fileWithoutTests} file(s) without a test` }
}

function parsed(lines: string): Counted[] {
  // The last line may be half written.
  const whole = lines.split('\n').filter((line) => line.endsWith('}'))
  return whole.map((line) => JSON.parse(line) as Counted)
}

function failureOf({ test, file, why, at }: Counted, root: string): Failure {
  const inside = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : relative(root, path)
  return { test, file: inside(file), why, at: inside(at) }
}
