import type { EventOfEnd } from '@zund/contract/link/messages.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ABSENT } from './status.ts'
import { stopBetween, type StopCause } from './stop.ts'
import type { Observation } from './types.ts'

const up: Observation = { ...ABSENT, state: 'running', engineId: 'e1', startedAtMs: 1_000, exitCode: 0 }
const fresh: Observation = { ...ABSENT, state: 'created', engineId: 'e1' }
const ended = (more: Partial<Observation> = {}): Observation => ({
  ...up,
  state: 'exited',
  finishedAtMs: 5_000,
  ...more,
})
const cause = (verb: StopCause['verb'], more: Partial<StopCause> = {}): StopCause => ({
  verb,
  userId: 'u',
  requestId: 'req-1',
  signal: null,
  byService: false,
  ...more,
})
const event = (more: Partial<EventOfEnd> = {}): EventOfEnd => ({
  exitCode: 3,
  outOfMemory: false,
  atMs: 5_100,
  ...more,
})

type Row = readonly [
  what: string,
  before: Observation | null,
  seen: Observation,
  cause: StopCause | null,
  event: EventOfEnd | null,
  expected: string | undefined,
]

/** reason actor exit-code signal */
const ROWS: readonly Row[] = [
  ['nothing new', up, up, null, null, undefined],
  ['started, ended and removed since', fresh, ABSENT, null, event(), 'exited container 3 -'],
  ['removed without a start', fresh, ABSENT, null, event({ exitCode: null }), undefined],
  ['its earlier end, and then removed', ended(), ABSENT, null, event(), undefined],
  ['a later end, and then removed', ended(), ABSENT, null, event({ atMs: 9_000 }), 'exited container 3 -'],
  ['never started', null, { ...ABSENT, state: 'created', engineId: 'e1' }, null, null, undefined],
  ['an end known already', ended(), ended({ exitCode: 0 }), null, null, undefined],
  ['ended by itself', up, ended({ exitCode: 3 }), null, null, 'exited container 3 -'],
  ['ended by itself, first look', null, ended(), null, null, 'exited container 0 -'],
  ['killed by the kernel', up, ended({ exitCode: 137, oomKilled: true }), null, null, 'out_of_memory host 137 SIGKILL'],
  ['a signal of nobody', up, ended({ exitCode: 139 }), null, null, 'signal host 139 SIGSEGV'],
  ['a real-time signal', up, ended({ exitCode: 128 + 40 }), null, null, 'signal host 168 SIG40'],
  ['an exit status that is no signal', up, ended({ exitCode: 255 }), null, null, 'exited container 255 -'],
  [
    'could not be started',
    { ...ABSENT, state: 'created', engineId: 'e1' },
    ended({ exitCode: 127, error: 'no such file' }),
    cause('start'),
    null,
    'start_failed host 127 -',
  ],
  [
    'could not be started, and no end is shown',
    { ...ABSENT, state: 'created', engineId: 'e1', exitCode: 0 },
    { ...ABSENT, state: 'created', engineId: 'e1', exitCode: 127, error: 'no such file' },
    cause('create'),
    null,
    'start_failed host 127 -',
  ],
  [
    'a start, and it ended by itself',
    ended(),
    ended({ finishedAtMs: 9_000 }),
    cause('start'),
    null,
    'exited container 0 -',
  ],
  ['stopped', up, ended({ exitCode: 143 }), cause('stop'), null, 'stopped user 143 SIGTERM'],
  ['stopped, and it left in its own way', up, ended({ exitCode: 0 }), cause('stop'), null, 'stopped user 0 -'],
  ['killed', up, ended({ exitCode: 137 }), cause('kill', { signal: 'SIGKILL' }), null, 'killed user 137 SIGKILL'],
  [
    'killed, and it handled that',
    up,
    ended({ exitCode: 1 }),
    cause('kill', { signal: 'SIGHUP' }),
    null,
    'killed user 1 SIGHUP',
  ],
  ['rebooted', up, { ...up, startedAtMs: 6_000, finishedAtMs: 5_000 }, cause('reboot'), event(), 'restarted user 3 -'],
  [
    'rebooted, no event',
    up,
    { ...up, startedAtMs: 6_000, finishedAtMs: 5_000 },
    cause('reboot'),
    null,
    'restarted user null -',
  ],
  ['rebuilt', up, { ...up, engineId: 'e2', finishedAtMs: null }, cause('rebuild'), null, 'rebuilt user null -'],
  ['healed', up, { ...up, engineId: 'e2' }, cause('rebuild', { byService: true }), null, 'rebuilt service null -'],
  ['deleted while it ran', up, ABSENT, cause('delete'), null, 'deleted user null -'],
  ['deleted when it was stopped', ended(), ABSENT, cause('delete'), null, undefined],
  [
    'restarted by policy',
    up,
    { ...up, startedAtMs: 6_000, finishedAtMs: 5_000 },
    null,
    event(),
    'exited container 3 -',
  ],
  [
    'restarted by policy, an event of another end',
    up,
    { ...up, finishedAtMs: 5_000 },
    null,
    event({ atMs: 1 }),
    'exited container null -',
  ],
  ['waits for its restart', up, ended({ state: 'restarting', exitCode: 2 }), null, null, 'exited container 2 -'],
  ['removed as it ended', up, ABSENT, null, event({ exitCode: 7 }), 'exited container 7 -'],
  [
    'removed as the kernel killed it',
    up,
    ABSENT,
    null,
    event({ exitCode: 137, outOfMemory: true }),
    'out_of_memory host 137 SIGKILL',
  ],
  ['lost', up, ABSENT, null, null, 'lost host null -'],
  ['lost when it was stopped', ended(), ABSENT, null, null, undefined],
]

for (const [what, before, seen, by, told, expected] of ROWS) {
  test(`why it ended: ${what}`, () => {
    const stop = stopBetween(before, seen, by, told)
    const said = stop && `${stop.reason} ${stop.actor} ${stop.exitCode} ${stop.signal ?? '-'}`
    assert.equal(said, expected)
    if (stop?.actor === 'user') assert.deepEqual([stop.userId, stop.requestId], ['u', 'req-1'])
    if (stop?.actor === 'container') assert.deepEqual([stop.userId, stop.requestId], [null, null])
  })
}

test('an end has the times of the life that ended', () => {
  const again = { ...up, startedAtMs: 6_000, finishedAtMs: 5_000 }
  const stop = stopBetween(up, again, null, event())
  assert.deepEqual([stop?.startedAtMs, stop?.endedAtMs], [1_000, 5_000])
  const gone = stopBetween(up, ABSENT, null, event())
  assert.deepEqual([gone?.engineId, gone?.startedAtMs, gone?.endedAtMs], ['e1', 1_000, 5_100])
})
