import type { Finished } from './lanes.ts'
import type { Failure } from './tally.ts'

/** A suite in which everything fails fails for one reason. */
const MOST_REASONS = 20

/**
 * What is said of a suite at the end of the run. Failures are told once more here, because the end of a long output is
 * what people see, and what is kept of it.
 */
export function summary({ suite, result, ms }: Finished): string {
  const { passed, failed, skipped, failures = [], remark } = result
  const more = [skipped > 0 ? `${skipped} skipped` : '', remark ?? ''].filter((text) => text !== '')
  const counts = [`${passed} passed`, `${failed} failed`, ...more].join(', ')
  const told = failures.map((failure, i) => [nameOf(failure), ...(i < MOST_REASONS ? reasonOf(failure) : [])])
  return [`${suite.name.padEnd(10)}${counts} (${(ms / 1000).toFixed(1)} s)`, ...told.flat()].join('\n')
}

function nameOf({ test, file }: Failure): string {
  return `  ✖ ${file === undefined ? test : `${file}: ${test}`}`
}

function reasonOf({ why = '', at }: Failure): string[] {
  const lines = [...why.split('\n').filter((line) => line !== ''), ...(at === undefined ? [] : [`at ${at}`])]
  return lines.map((line) => `      ${line}`)
}
