/** From what the engine says to what the API shows (container-states 6.2). */
import type { Verb } from '@zund/contract/link/messages.ts'
import type { Container, ContainerStatus, Observation } from './types.ts'

/** Status after an observation made between operations. */
export function statusOf(seen: Observation, previous: ContainerStatus): ContainerStatus {
  switch (seen.state) {
    case 'running':
      return 'Running'
    case 'paused':
      return 'Paused'
    case 'restarting':
      return 'Restarting'
    case 'dead':
      return 'Dead'
    case 'created':
      return previous === 'Creating' ? 'Created' : previous
    case 'removing':
      return 'Stopped'
    case 'exited':
      // Started but never finished, and yet not running: the engine itself does not know.
      return seen.startedAtMs !== null && seen.finishedAtMs === null ? 'Unknown' : 'Stopped'
    case 'absent':
      return previous
    case 'unknown':
      return 'Unknown'
    default:
      return seen.state satisfies never
  }
}

/** Status at the end of an operation that succeeded: here `created` is news, not "no change". */
export function statusAfter(seen: Observation, previous: ContainerStatus): ContainerStatus {
  return seen.state === 'created' ? 'Created' : statusOf(seen, previous)
}

/** Verbs whose failure leaves the container in `Error`; after the others it shows what the engine says. */
const FATAL_VERBS: readonly Verb[] = ['create', 'start', 'rebuild', 'delete']

export function statusAfterFailure(
  verb: Verb,
  seen: Observation | undefined,
  previous: ContainerStatus,
): ContainerStatus {
  if (FATAL_VERBS.includes(verb)) return 'Error'
  if (seen === undefined) return previous === 'Restarting' ? 'Error' : previous
  if (seen.state === 'absent') return 'Error'
  return statusAfter(seen, previous)
}

/** Verbs that clear `status_reason` when they succeed. */
export const REASON_CLEARING_VERBS: readonly Verb[] = [
  'create',
  'start',
  'stop',
  'reboot',
  'pause',
  'unpause',
  'kill',
  'rebuild',
]

/** Text for people; clients rely only on how it begins. */
export function statusDetail(
  container: Pick<Container, 'progress' | 'observed' | 'status'>,
  nowMs: number,
): string | null {
  const seen = container.observed
  if (container.progress !== null) return container.progress
  if (seen === null) return null
  switch (seen.state) {
    case 'running':
      return `Up ${ago(seen.startedAtMs, nowMs)}`
    case 'paused':
      return `Up ${ago(seen.startedAtMs, nowMs)} (paused)`
    case 'restarting':
      return 'Restarting'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    case 'exited':
    case 'removing':
      return exitedDetail(seen, nowMs)
    case 'absent':
    case 'unknown':
      return null
    default:
      return seen.state satisfies never
  }
}

/** True while the text of `statusDetail` changes by itself as time passes. */
export function detailMoves(container: Pick<Container, 'progress' | 'observed'>): boolean {
  const state = container.observed?.state
  return container.progress === null && (state === 'running' || state === 'paused' || state === 'exited')
}

function exitedDetail(seen: Observation, nowMs: number): string {
  if (seen.startedAtMs !== null && seen.finishedAtMs === null) return ''
  const text = `Exited(${seen.exitCode ?? 0}) ${ago(seen.finishedAtMs, nowMs)} ago `
  return seen.error === '' ? text : `${text}(error)`
}

/** One unit, never singular: `1 hours`. Clocks that disagree count as no time at all. */
export function ago(thenMs: number | null, nowMs: number): string {
  if (thenMs === null) return ''
  const seconds = Math.max(0, Math.floor((nowMs - thenMs) / 1000))
  if (seconds >= 86_400) return `${Math.floor(seconds / 86_400)} days`
  if (seconds >= 3_600) return `${Math.floor(seconds / 3_600)} hours`
  if (seconds >= 60) return `${Math.floor(seconds / 60)} mins`
  return `${seconds} seconds`
}

/** Same facts? An observation that says nothing new must not change what an operation's end decided. */
export function sameObservation(a: Observation | null, b: Observation): boolean {
  return (
    a !== null &&
    a.state === b.state &&
    a.engineId === b.engineId &&
    a.generation === b.generation &&
    a.startedAtMs === b.startedAtMs &&
    a.finishedAtMs === b.finishedAtMs &&
    a.exitCode === b.exitCode &&
    a.oomKilled === b.oomKilled &&
    a.error === b.error &&
    a.restartCount === b.restartCount
  )
}

/** What a missing engine container looks like. */
export const ABSENT: Observation = {
  state: 'absent',
  engineId: null,
  generation: null,
  startedAtMs: null,
  finishedAtMs: null,
  exitCode: null,
  oomKilled: false,
  error: '',
  restartCount: 0,
  hostname: null,
  ports: [],
  runtime: null,
  command: null,
  entrypoint: null,
}
