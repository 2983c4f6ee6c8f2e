/**
 * Loaded before a test file: ends its process when that does not end by itself, and writes down that it had to. Node
 * bounds tests and hooks. It waits for ever for a file that leaves a server open, or whose only thread is in a loop.
 */
import { AsyncResource } from 'node:async_hooks'
import { appendFileSync } from 'node:fs'
import { isMainThread, Worker } from 'node:worker_threads'
import type { Counted } from './count-reporter.ts'

/** For `node --test`, whose files inherit it. */
export interface EndOptions {
  /** Where it is written down, as a line of the count reporter. */
  readonly report: string
  /** From the end of the last test and hook to that of the process. */
  readonly lingerMs: number
  /** From beginning to end. */
  readonly fileMs: number
}

/** What hooks may take, in times of what is left open. */
const HOOKS = 4

const VARIABLE = 'ZUND_TEST_MUST_END'

export function endEnvironment(options: EndOptions): NodeJS.ProcessEnv {
  return { [VARIABLE]: JSON.stringify(options) }
}

async function watch(file: string, { report, lingerMs, fileMs }: EndOptions): Promise<void> {
  const lineFor = (why: string): string => {
    const counted: Counted = { as: 'fileFailed', test: 'the file does not end', file, why }
    return `${JSON.stringify(counted)}\n`
  }
  // A thread of its own: this one may be the one that is in a loop.
  const overdue = lineFor(`it was not through after ${fileMs / 1000} s`)
  const code = `setTimeout(() => {
    require('node:fs').appendFileSync(${JSON.stringify(report)}, ${JSON.stringify(overdue)})
    process.kill(process.pid, 'SIGKILL')
  }, ${fileMs})`
  new Worker(code, { eval: true, execArgv: [] }).unref()

  const { after } = await import('node:test')
  const hook = AsyncResource.bind(after)
  let timer: NodeJS.Timeout | undefined
  const endAfter = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(', ')
      appendFileSync(report, lineFor(`${ms / 1000} s after its last test it still had ${open}`))
      process.exit(1)
    }, ms).unref()
  }
  // Hooks run in the order in which they were set: one that is set by the first is behind those of the file. It does not
  // run when one of those fails.
  hook(() => {
    endAfter(HOOKS * lingerMs)
    hook(() => endAfter(lingerMs))
  })
}

const [options, file] = [process.env[VARIABLE], process.argv[1]]
// Not in the process that only starts those of the files.
if (isMainThread && process.env['NODE_TEST_CONTEXT'] !== undefined && options !== undefined && file !== undefined) {
  await watch(file, JSON.parse(options) as EndOptions)
}
