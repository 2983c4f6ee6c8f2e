/**
 * The service dies at every checkpoint that a scenario passes. The next life must bring the world to where an
 * uninterrupted run brings it, and do nothing twice. The points are listed by running, so a new step is in here without
 * anybody writing a test; what the run covers is printed.
 */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { VerbSchema } from '@zund/contract/link/messages.ts'
import { STEP_NAMES } from '../../src/domain/operation/recipes.ts'
import { assertRecovered } from './compare.ts'
import { runScenario } from './run.ts'
import { SCENARIOS } from './scenarios.ts'

const crashes = new Map<string, number>()

describe('the service dies at every checkpoint', () => {
  for (const scenario of SCENARIOS) {
    it(scenario.name, async () => {
      const reference = await runScenario(scenario)
      const points = reference.passed[0] ?? []
      assert.ok(points.length >= 2, 'nothing was passed')
      for (const [i, point] of points.entries()) {
        const crashed = await runScenario(scenario, { deaths: [i + 1] })
        const how = `killed at ${point} (${i + 1} of ${points.length})`
        // A run is the same each time, up to its death.
        assert.deepEqual(crashed.passed[0], points.slice(0, i + 1), how)
        assertRecovered(scenario, crashed, reference, how)
        crashes.set(point, (crashes.get(point) ?? 0) + 1)
      }
    })
  }

  it('no verb and no step is left out', () => {
    const verbs = VerbSchema.anyOf.map((verb) => verb.const)
    for (const verb of verbs) assert.ok(crashes.has(`finish:${verb}:before`), `no scenario runs a ${verb}`)
    for (const step of STEP_NAMES) assert.ok(crashes.has(`step:${step}:applied`), `no scenario applies ${step}`)
  })

  after(() => {
    const lines = [...crashes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([point, times]) => `  ${times} at ${point}`)
    console.log(['crashes that were come through:', ...lines].join('\n'))
  })
})
