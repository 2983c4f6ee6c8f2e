import { KeptOutput, TERMINAL, type Output } from './output.ts'
import { runSuite } from './run-suite.ts'
import { filesOf, type Suite } from './suites.ts'
import { Surroundings } from './surroundings.ts'
import type { SuiteResult } from './tally.ts'

export interface LaneOptions {
  readonly root: string
  /** Why the programs that suites need are not there, if they are not. */
  readonly trouble: string | undefined
  /** For `node --test`. */
  readonly nodeOptions: readonly string[]
  /** Instead of those of the suite. */
  readonly files: readonly string[]
  /** Of the whole run, on the clock of performance.now(). */
  readonly endsAt: number
  readonly signal: AbortSignal
}

export interface Finished {
  readonly suite: Suite
  readonly result: SuiteResult
  readonly ms: number
}

/** Runs suites one after the other, and beside them those that can be: they have a machine of their own. */
export async function runLanes(suites: readonly Suite[], o: LaneOptions): Promise<Finished[]> {
  await using surroundings = new Surroundings(o.root, o.trouble)
  using kept = new KeptOutput()
  const beside = suites.length > 1 ? suites.filter((suite) => suite.beside) : []
  const finished: Finished[] = []

  const first = async (): Promise<void> => {
    for (const suite of suites.filter((one) => !beside.includes(one))) {
      if (o.signal.aborted) return
      finished.push(await runOne(suite, surroundings, TERMINAL, o))
      if (beside.every((one) => isAmong(finished, one))) kept.show()
    }
  }
  const second = async (): Promise<void> => {
    for (const suite of beside) {
      if (o.signal.aborted) return
      TERMINAL.say(`zund: ${suite.name} runs beside the others; what it says comes when it is through`)
      finished.push(await runOne(suite, surroundings, kept, o))
    }
    if (beside.length > 0) await surroundings.stopCloud()
  }
  const ended = await Promise.allSettled([second(), first()])
  kept.show()
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  return suites.flatMap((suite) => finished.filter((one) => one.suite === suite))
}

/** A suite whose needs cannot be met counts as one failure; the others still run. */
async function runOne(suite: Suite, surroundings: Surroundings, output: Output, o: LaneOptions): Promise<Finished> {
  const { root, nodeOptions, signal } = o
  const files = o.files.length > 0 ? o.files : filesOf(root, suite)
  const startedAt = performance.now()
  const after = (result: SuiteResult): Finished => ({ suite, result, ms: performance.now() - startedAt })
  output.say(`\n— ${suite.name}: ${suite.about}`)
  try {
    const place = await surroundings.placeOf(suite, { signal })
    const run = { suite, root, files, nodeOptions, msLeft: o.endsAt - performance.now(), place }
    return after(await runSuite(run, { signal, stdout: output.stdout }))
  } catch (error) {
    output.say(`zund: ${error instanceof Error ? error.message : String(error)}`)
    return after({ passed: 0, failed: 1, skipped: 0, remark: 'what it needs is not there' })
  }
}

function isAmong(finished: readonly Finished[], suite: Suite): boolean {
  return finished.some((one) => one.suite === suite)
}
