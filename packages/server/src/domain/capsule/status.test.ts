import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RestartPolicy } from '@zund/contract/link/container.ts'
import { ABSENT } from '../container/status.ts'
import type { Observation } from '../container/types.ts'
import { verdictOf, type Verdict } from './status.ts'

const ALWAYS: RestartPolicy = { name: 'always', maximumRetryCount: 0 }
const ON_FAILURE: RestartPolicy = { name: 'on-failure', maximumRetryCount: 0 }
const NEVER: RestartPolicy = { name: 'no', maximumRetryCount: 0 }

const up = (startedAtMs = 20): Observation => ({ ...ABSENT, state: 'running', engineId: 'e', startedAtMs, exitCode: 0 })
const ended = (exitCode: number, patch: Partial<Observation> = {}): Observation => ({
  ...up(),
  state: 'exited',
  finishedAtMs: 30,
  exitCode,
  ...patch,
})
const part = (restartPolicy: RestartPolicy, observed: Observation | null, name = 'capsule-web-pi-7') => ({
  name,
  observed,
  spec: { restartPolicy },
})
const error = (words: RegExp) => ({ error: words })

test('what a capsule shows follows from its sandbox and its members', () => {
  const sandbox = up(10)
  const rows: readonly [
    what: string,
    policy: RestartPolicy,
    sandbox: Observation | null,
    members: readonly (Observation | null)[],
    Verdict | undefined | { readonly error: RegExp },
  ][] = [
    ['all run', ALWAYS, sandbox, [up(), up()], { status: 'Running', reason: null }],
    ['one is under restart', ALWAYS, sandbox, [{ ...up(), state: 'restarting' }], { status: 'Running', reason: null }],
    ['one is paused', ALWAYS, sandbox, [{ ...up(), state: 'paused' }], { status: 'Running', reason: null }],
    ['one has ended by itself', NEVER, sandbox, [ended(1), up()], { status: 'Running', reason: null }],
    ['all have ended by themselves', NEVER, sandbox, [ended(1), ended(0)], { status: 'Stopped', reason: null }],
    ['all have ended well', ON_FAILURE, sandbox, [ended(0), ended(0)], { status: 'Stopped', reason: null }],
    ['nobody knows', NEVER, sandbox, [{ ...up(), state: 'unknown' }], { status: 'Unknown', reason: null }],
    [
      'the sandbox is under restart',
      ALWAYS,
      { ...sandbox, state: 'restarting' },
      [up()],
      { status: 'Restarting', reason: null },
    ],
    ['the engine left one down', ALWAYS, sandbox, [ended(0), up()], { status: 'rejoin' }],
    ['the engine left a failed one down', ON_FAILURE, sandbox, [ended(255)], { status: 'rejoin' }],
    ['one is older than the sandbox', ALWAYS, up(21), [up(20), up(22)], { status: 'rejoin' }],
    ['started in the same moment', ALWAYS, up(20), [up(20)], { status: 'Running', reason: null }],
    ['the sandbox is down', ALWAYS, ended(143), [up()], { status: 'rejoin' }],
    ['the sandbox went with its host', ON_FAILURE, ended(143), [ended(0)], { status: 'rejoin' }],
    ['all are down for good', NEVER, ended(143), [ended(137)], { status: 'Stopped', reason: null }],
    ['never started again, and without network', NEVER, ended(137), [up()], error(/^The sandbox has ended.*pi-7$/)],
    ['one is older and never started again', NEVER, up(21), [up(20)], error(/pi-7 has lost its network/)],
    ['the sandbox is gone', ALWAYS, { ...ABSENT, engineId: 'e' }, [up()], error(/sandbox of the capsule is gone/)],
    ['a member is gone', ALWAYS, sandbox, [up(), { ...ABSENT, engineId: 'e' }], error(/pi-7 of the capsule is gone/)],
    ['not all were made', ALWAYS, sandbox, [up(), null], undefined],
    ['one was never started', ALWAYS, sandbox, [up(), { ...up(), state: 'created', startedAtMs: null }], undefined],
    ['nothing was seen yet', ALWAYS, null, [null], undefined],
  ]
  for (const [what, policy, seen, members, expected] of rows) {
    const verdict = verdictOf(
      part(policy, seen),
      members.map((observed) => part(policy, observed)),
    )
    if (expected === undefined || !('error' in expected)) assert.deepEqual(verdict, expected, what)
    else {
      assert.ok(verdict?.status === 'Error', what)
      assert.match(verdict.reason ?? '', expected.error, what)
    }
  }
})

test('what has used up its tries is not started again', () => {
  const thrice: RestartPolicy = { name: 'on-failure', maximumRetryCount: 3 }
  const verdict = (restartCount: number) => verdictOf(part(thrice, up(10)), [part(thrice, ended(1, { restartCount }))])
  assert.deepEqual(verdict(3), { status: 'Stopped', reason: null })
  assert.deepEqual(verdict(2), { status: 'rejoin' })
})
