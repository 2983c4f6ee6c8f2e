import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ABSENT, ago, statusAfter, statusAfterFailure, statusDetail, statusOf } from './status.ts'
import type { ContainerStatus, Observation } from './types.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
const seen = (patch: Partial<Observation>): Observation => ({ ...ABSENT, engineId: 'e', ...patch })

test('engine states map to statuses as the contract says', () => {
  const rows: readonly [Partial<Observation>, ContainerStatus, ContainerStatus][] = [
    [{ state: 'running' }, 'Stopped', 'Running'],
    [{ state: 'running' }, 'Error', 'Running'],
    [{ state: 'paused' }, 'Running', 'Paused'],
    [{ state: 'restarting' }, 'Running', 'Restarting'],
    [{ state: 'dead' }, 'Stopped', 'Dead'],
    [{ state: 'created' }, 'Creating', 'Created'],
    [{ state: 'created' }, 'Error', 'Error'],
    [{ state: 'created' }, 'Rebuilding', 'Rebuilding'],
    [{ state: 'exited', startedAtMs: 1, finishedAtMs: 2 }, 'Running', 'Stopped'],
    [{ state: 'exited', startedAtMs: 1, finishedAtMs: null }, 'Running', 'Unknown'],
    [{ state: 'removing', startedAtMs: 1, finishedAtMs: 2 }, 'Running', 'Stopped'],
    [{ state: 'unknown' }, 'Running', 'Unknown'],
  ]
  for (const [patch, before, after] of rows) assert.equal(statusOf(seen(patch), before), after, JSON.stringify(patch))
})

test('a rebuild that succeeded without a start shows Created', () => {
  assert.equal(statusAfter(seen({ state: 'created' }), 'Rebuilding'), 'Created')
})

test('a failed create, start, rebuild or delete ends in Error, other verbs show what the engine says', () => {
  assert.equal(
    statusAfterFailure('start', seen({ state: 'exited', startedAtMs: 1, finishedAtMs: 2 }), 'Stopped'),
    'Error',
  )
  assert.equal(statusAfterFailure('stop', seen({ state: 'running' }), 'Running'), 'Running')
  assert.equal(statusAfterFailure('reboot', seen({ state: 'running' }), 'Restarting'), 'Running')
  assert.equal(statusAfterFailure('reboot', undefined, 'Restarting'), 'Error')
  assert.equal(statusAfterFailure('pause', ABSENT, 'Running'), 'Error')
})

test('details begin as clients expect and are cut to one unit', () => {
  const detail = (patch: Partial<Observation>) =>
    statusDetail({ progress: null, status: 'Running', observed: seen(patch) }, NOW)
  assert.equal(detail({ state: 'running', startedAtMs: NOW - 200 }), 'Up 0 seconds')
  assert.equal(detail({ state: 'running', startedAtMs: NOW - 3_600_000 }), 'Up 1 hours')
  assert.equal(detail({ state: 'paused', startedAtMs: NOW - 120_000 }), 'Up 2 mins (paused)')
  assert.equal(
    detail({ state: 'exited', startedAtMs: 1, finishedAtMs: NOW - 2 * 86_400_000, exitCode: 3 }),
    'Exited(3) 2 days ago ',
  )
  assert.equal(
    detail({ state: 'exited', startedAtMs: 1, finishedAtMs: NOW, exitCode: 127, error: 'no such file' }),
    'Exited(127) 0 seconds ago (error)',
  )
  assert.equal(detail({ state: 'created' }), 'Created')
  assert.equal(statusDetail({ progress: '41 %', status: 'Creating', observed: null }, NOW), '41 %')
})

test('clocks that disagree never give negative times', () => {
  assert.equal(ago(NOW + 5_000, NOW), '0 seconds')
  assert.equal(ago(null, NOW), '')
})
