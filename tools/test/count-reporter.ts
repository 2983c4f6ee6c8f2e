/**
 * A reporter of node:test that writes one JSON line per result, as it comes, so that what was counted before a crash
 * or a timeout is not lost. Loaded by `node --test --test-reporter`.
 */
import { resolve } from 'node:path'
import type { TestEvent } from 'node:test/reporters'

type TestResult = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>

export interface Counted {
  readonly as: 'passed' | 'failed' | 'skipped' | 'fileWithoutTests'
  readonly test: string
  readonly file?: string | undefined
}

export default async function* countReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const as = countOf(event)
    if (as === undefined) continue
    const counted: Counted = { as, test: event.data.name, file: event.data.file }
    yield `${JSON.stringify(counted)}\n`
  }
}

function countOf(event: TestResult): Counted['as'] | undefined {
  const { data } = event
  if (data.skip !== undefined || data.todo !== undefined) return 'skipped'
  // Node reports a file as a test of its own when it has none, and when it crashed.
  if (event.type === 'test:pass') {
    if (data.details.type === 'suite') return undefined
    return isFile(data) ? 'fileWithoutTests' : 'passed'
  }
  if (data.details.type !== 'suite') return 'failed'
  // A suite fails by its tests, which are counted themselves, or by a hook of its own.
  return failureType(event.data.details.error) === 'subtestsFailed' ? undefined : 'failed'
}

function isFile({ name, file, nesting }: { name: string; file?: string | undefined; nesting: number }): boolean {
  return nesting === 0 && file !== undefined && resolve(name) === file
}

function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined
}
