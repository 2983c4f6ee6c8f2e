/**
 * Deaths that follow each other, deaths in the middle of a step, and answers of the engine that are lost while everybody
 * lives. There are too many of them to try all, so some are drawn, the same each time.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { SimTrouble } from '../../src/adapters/fake/sim-faults.ts'
import { EngineUnavailable } from '../../src/domain/errors.ts'
import { assertOutcomeUnknown, assertRecovered } from './compare.ts'
import { runScenario } from './run.ts'
import { SCENARIOS } from './scenarios.ts'
import { EFFECTS } from './world.ts'

/** Of each scenario. */
const FIRST_DEATHS = 2
const SECOND_DEATHS = 2
const DEATHS_AT_CALLS = 4

describe('the service dies, and its next life dies too', () => {
  for (const scenario of SCENARIOS) {
    it(scenario.name, async () => {
      const reference = await runScenario(scenario)
      const draw = drawing(scenario.name)
      for (const first of draw(FIRST_DEATHS, reference.passed[0]?.length ?? 0)) {
        const once = await runScenario(scenario, { deaths: [first] })
        for (const second of draw(SECOND_DEATHS, once.passed[1]?.length ?? 0)) {
          const twice = await runScenario(scenario, { deaths: [first, second] })
          const places = twice.passed.slice(0, 2).map((life) => life.at(-1))
          assertRecovered(scenario, twice, reference, `killed at ${places.join(', then at ')}`)
          assert.equal(twice.passed.length, 3, `${places.join()}: there was no second death`)
        }
      }
    })
  }
})

describe('the service dies between two calls', () => {
  for (const scenario of SCENARIOS) {
    it(scenario.name, async () => {
      const reference = await runScenario(scenario)
      for (const at of drawing(scenario.name)(DEATHS_AT_CALLS, reference.calls.length)) {
        const crashed = await runScenario(scenario, { deathAtCall: at })
        assertRecovered(scenario, crashed, reference, `killed at ${reference.calls[at - 1]}`)
      }
    })
  }
})

describe('the engine does not answer once', () => {
  const refused = new EngineUnavailable('the engine does not answer')
  const troubles: readonly SimTrouble[] = [{ kind: 'lose-answer' }, { kind: 'refuse', error: refused }]
  for (const scenario of SCENARIOS) {
    it(scenario.name, async () => {
      const reference = await runScenario(scenario)
      const calls = EFFECTS.filter((call) => (reference.effects[call] ?? 0) > 0)
      for (const call of calls) {
        for (const trouble of troubles) {
          const { effects, ...troubled } = await runScenario(scenario, { fault: { call, trouble } })
          // What was refused has had no effect.
          const done = (effects[call] ?? 0) - (trouble.kind === 'refuse' ? 1 : 0)
          const outcome = { ...troubled, effects: { ...effects, [call]: done } }
          const how = `${trouble.kind} of ${call}`
          if (call === 'kill') assertOutcomeUnknown(outcome, reference, how)
          else assertRecovered(scenario, outcome, reference, how)
        }
      }
    })
  }
})

/** Draws different numbers from 1 to `last`, by a seed. */
function drawing(seed: string): (count: number, last: number) => number[] {
  let state = createHash('sha256').update(seed).digest().readUInt32BE()
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return (count, last) => {
    const rest = Array.from({ length: last }, (_, i) => i + 1)
    const drawn: number[] = []
    while (drawn.length < count && rest.length > 0) drawn.push(...rest.splice(Math.floor(next() * rest.length), 1))
    return drawn.sort((a, b) => a - b)
  }
}
