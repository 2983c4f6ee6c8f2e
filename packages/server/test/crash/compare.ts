/** What must be the same after a crash, and what may be different. */
import assert from 'node:assert/strict'
import { STEPS } from '../../src/orchestration/steps/index.ts'
import type { Outcome } from './run.ts'
import type { Scenario } from './scenarios.ts'
import { without } from './world.ts'

/** After this crash the world must be as after a run that nothing has interrupted, or as near as can be known. */
export function assertRecovered(scenario: Scenario, crashed: Outcome, reference: Outcome, how: string): void {
  if (crashed.passed.slice(0, -1).some(isUnknowable)) assertOutcomeUnknown(crashed, reference, how)
  else if (scenario.meanwhile !== undefined) assertSameButKept(crashed, reference, how)
  else assertSame(crashed, reference, how)
}

/** The end of the world is the same, and nothing was done once more to get there. */
function assertSame(crashed: Outcome, reference: Outcome, how: string): void {
  assert.deepEqual(crashed.seen, reference.seen, how)
  assert.deepEqual(crashed.effects, reference.effects, `${how}: done more or less often`)
}

/** How far an operation comes before it is superseded decides what is kept for the next one: networks and images. */
function assertSameButKept(crashed: Outcome, reference: Outcome, how: string): void {
  const told = ({ seen }: Outcome) => ({
    ...without(seen, 'stops'),
    engine: without(seen.engine, 'networks', 'images'),
    past: seen.past.map(({ operations, ...past }) => ({ ...past, operations: operations.map(({ verb }) => verb) })),
  })
  assert.deepEqual(told(crashed), told(reference), how)
  const ended = crashed.seen.stops.map(({ uuid }) => uuid)
  assert.deepEqual(ended, [...new Set(ended)], `${how}: each ended once at most`)
  assert.equal(crashed.effects['create'], crashed.effects['remove'], `${how}: made and removed`)
}

/** At this point a step that cannot be observed was begun and its end not yet recorded. */
function isUnknowable(passed: readonly string[]): boolean {
  const begun = passed.findLast((name) => name.startsWith('step:'))?.split(':') ?? []
  const [, name = '', moment] = begun
  const step = Object.values(STEPS).find((one) => one.name === name)
  return step?.repeat === 'never' && moment !== 'before' && passed.at(-1)?.endsWith(':after') !== true
}

/** It is not done again, and says so; the record is true, and all else is as if nothing had happened. */
export function assertOutcomeUnknown(crashed: Outcome, reference: Outcome, how: string): void {
  for (const [call, count] of Object.entries(crashed.effects)) {
    assert.ok(count <= (reference.effects[call] ?? 0), `${how}: ${call} was done ${count} times`)
  }
  const [container, ...others] = crashed.seen.containers
  const [expected] = reference.seen.containers
  assert.ok(container !== undefined && expected !== undefined && others.length === 0, how)
  const [action, ...earlier] = container.actions
  assert.equal(action?.errorCode, 'operation.outcome_unknown', how)
  assert.deepEqual([action.state, action.isFinished], ['failed', true], how)
  assert.equal(container.statusReason, action.errorMessage, how)
  assert.equal(container.recordIsTrue, true, how)
  // A process that was hit is gone and one that was not runs on; the record shows which.
  assert.equal(container.status, container.observed === 'running' ? 'Running' : 'Stopped', how)
  assert.deepEqual(earlier, expected.actions.slice(1), how)
  assert.deepEqual(crashed.seen.stops, container.observed === 'running' ? [] : reference.seen.stops, how)
  const told = ['actions', 'observed', 'status', 'statusReason'] as const
  assert.deepEqual(without(container, ...told), without(expected, ...told), how)
  const apart = ['engine', 'containers', 'stops'] as const
  assert.deepEqual(without(crashed.seen, ...apart), without(reference.seen, ...apart), how)
}
