/**
 * A reporter of node:test that writes one JSON line per result, as it comes, so that what was counted before a crash
 * or a timeout is not lost. Loaded by `node --test --test-reporter`.
 */
import { resolve } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { failureType, lastWords, placeOf, reasonOf } from './failure.ts'

type TestResult = Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>

export interface Counted {
  /** fileFailed: not a test of it, but the process that ran them. */
  readonly as: 'passed' | 'failed' | 'skipped' | 'fileWithoutTests' | 'fileFailed'
  readonly test: string
  readonly file?: string | undefined
  readonly why?: string | undefined
  /** `path:line:column` */
  readonly at?: string | undefined
}

export default async function* countReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  /** By file, what it has said on standard error. */
  const said = new Map<string, string[]>()
  for await (const event of events) {
    if ((event.type === 'test:stderr' || isComplaint(event)) && event.data.file !== undefined) {
      const file = resolve(event.data.file)
      said.set(file, [...(said.get(file) ?? []), ...event.data.message.trimEnd().split('\n')].slice(-KEPT_LINES))
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const as = countOf(event)
    if (as === undefined) continue
    const file = fileOf(event)
    const counted: Counted = { as, test: nameOf(event, as), file, ...whyOf(event, as, said.get(file ?? '') ?? []) }
    yield `${JSON.stringify(counted)}\n`
  }
}

const KEPT_LINES = 50

/** Of an error that belongs to no test, or not any more. */
function isComplaint(event: TestEvent): event is Extract<TestEvent, { type: 'test:diagnostic' }> {
  return event.type === 'test:diagnostic' && event.data.message.startsWith('Error: ')
}

function countOf(event: TestResult): Counted['as'] | undefined {
  const { data } = event
  if (data.skip !== undefined || data.todo !== undefined) return 'skipped'
  // Node reports a file as a test of its own when it has none, and when it crashed.
  if (event.type === 'test:pass') {
    if (data.details.type === 'suite') return undefined
    return isFile(data) ? 'fileWithoutTests' : 'passed'
  }
  const type = failureType(event.data.details.error)
  // A hook of a file is reported by the name of the file as well.
  if (data.details.type !== 'suite') return isFile(data) && type === 'testCodeFailure' ? 'fileFailed' : 'failed'
  // A suite fails by its tests, which are counted themselves, or by a hook of its own.
  return type === 'subtestsFailed' ? undefined : 'failed'
}

function whyOf(
  event: TestResult,
  as: Counted['as'],
  said: readonly string[],
): { why?: string | undefined; at?: string | undefined } {
  if (event.type === 'test:pass') return {}
  const { data } = event
  const { error } = data.details
  if (as === 'fileFailed') return { why: [endOf(error), lastWords(said)].filter((text) => text !== '').join('\n') }
  const own = data.file === undefined ? undefined : `${data.file}:${data.line}:${data.column}`
  return { why: reasonOf(error), at: placeOf(error, fileOf(event) ?? '') ?? own }
}

function endOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('signal' in error && typeof error.signal === 'string') return `it was ended by ${error.signal}`
  return 'exitCode' in error && typeof error.exitCode === 'number' ? `it ended with ${error.exitCode}` : ''
}

/** The one that was run: what tests in several may be defined elsewhere. */
function fileOf({ data }: TestResult): string | undefined {
  return 'entryFile' in data && typeof data.entryFile === 'string' ? data.entryFile : data.file
}

function nameOf({ data }: TestResult, as: Counted['as']): string {
  if (!isFile(data)) return data.name
  return as === 'failed' ? 'a hook of the file' : 'the file'
}

function isFile({ name, file, nesting }: { name: string; file?: string | undefined; nesting: number }): boolean {
  return nesting === 0 && file !== undefined && resolve(name) === file
}
