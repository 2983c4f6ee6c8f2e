/** Why a container's process ended: what was seen of it, put together with who had asked for what. */
import type { EventOfEnd, Verb } from '@zund/contract/link/messages.ts'
import { signalName } from '../signals.ts'
import type { Observation } from './types.ts'

export const STOP_REASONS = [
  /** It ended by itself. */
  'exited',
  /** The kernel killed it because of the memory limit. */
  'out_of_memory',
  /** A signal ended it that nobody sent through this API. */
  'signal',
  /** The engine could not start it. */
  'start_failed',
  /** Asked for through the API: stop, kill, reboot, rebuild, delete. */
  'stopped',
  'killed',
  'restarted',
  'rebuilt',
  'deleted',
  /** The engine has it no more, and nobody knows what became of it. */
  'lost',
] as const
export type StopReason = (typeof STOP_REASONS)[number]

/**
 * Who made it end. `user`: by a request; `service`: zund itself, to heal or to clean up; `container`: its own program;
 * `host`: something on its host, such as the kernel, the engine or an administrator.
 */
export type StopActor = 'user' | 'service' | 'container' | 'host'

export interface Stop {
  readonly reason: StopReason
  readonly actor: StopActor
  /** Of the request; null unless the actor is a user or the service. */
  readonly userId: string | null
  readonly requestId: string | null
  readonly engineId: string | null
  /** null: the engine no longer said. */
  readonly exitCode: number | null
  /** With SIG before it; null: no signal ended it. */
  readonly signal: string | null
  readonly outOfMemory: boolean
  /** What the engine said of it, else empty. */
  readonly message: string
  /** By the engine's clock; null: not known. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
}

/** A request that was being carried out, or that was the last one. */
export interface StopCause {
  readonly verb: Verb
  readonly userId: string
  readonly requestId: string
  readonly signal: string | null
  readonly byService: boolean
}

const REASON_OF: Readonly<Partial<Record<Verb, StopReason>>> = {
  stop: 'stopped',
  kill: 'killed',
  reboot: 'restarted',
  rebuild: 'rebuilt',
  delete: 'deleted',
}

/** A start that fails leaves no end on the engine, only its text. */
const STARTING: readonly Verb[] = ['create', 'start', 'reboot', 'rebuild']

/** How far the engine's event and what it noted itself may lie apart. */
const SAME_END_MS = 1_000

/** An exit status above it means a signal. */
const SIGNAL_BASE = 128

/**
 * The end that lies between two looks at a container; undefined: there was none. Of several ends between two looks only
 * the last one is known.
 */
export function stopBetween(
  before: Observation | null,
  seen: Observation,
  cause: StopCause | null,
  event: EventOfEnd | null = null,
): Stop | undefined {
  const sameOne = before !== null && before.engineId === seen.engineId
  const endedAnew = seen.finishedAtMs !== null && !(sameOne && before.finishedAtMs === seen.finishedAtMs)
  if (endedAnew) return shownEnd(seen, sameOne ? before : null, cause, event)
  const couldNotBegin = cause !== null && STARTING.includes(cause.verb) && seen.state !== 'running' && seen.error !== ''
  if (couldNotBegin) return shownEnd(seen, null, cause, null)
  if (before === null || sameOne) return undefined
  const wasUp = ['running', 'paused', 'restarting'].includes(before.state)
  if (!wasUp && !ranUnseen(before, event)) return undefined
  // It is gone, or another one is in its place.
  return classified(
    {
      engineId: before.engineId,
      exitCode: event?.exitCode ?? null,
      outOfMemory: event?.outOfMemory ?? false,
      message: '',
      startedAtMs: before.startedAtMs,
      endedAtMs: typeof event?.exitCode === 'number' ? event.atMs : null,
    },
    cause,
  )
}

/** Started, ended and removed between the two looks. */
function ranUnseen({ startedAtMs, finishedAtMs }: Observation, event: EventOfEnd | null): boolean {
  if (typeof event?.exitCode !== 'number') return false
  if (finishedAtMs !== null) return event.atMs >= finishedAtMs + SAME_END_MS
  return startedAtMs === null || event.atMs >= startedAtMs
}

type Facts = Omit<Stop, 'reason' | 'actor' | 'userId' | 'requestId' | 'signal'>

function shownEnd(
  seen: Observation,
  before: Observation | null,
  cause: StopCause | null,
  event: EventOfEnd | null,
): Stop {
  const endedAtMs = seen.finishedAtMs
  const told = event !== null && endedAtMs !== null && Math.abs(event.atMs - endedAtMs) < SAME_END_MS ? event : null
  // A container that runs again shows the exit code 0 and the start of its new life.
  const showsEnd = ['created', 'exited', 'dead', 'restarting', 'removing'].includes(seen.state)
  return classified(
    {
      engineId: seen.engineId,
      exitCode: showsEnd ? seen.exitCode : (told?.exitCode ?? null),
      outOfMemory: (showsEnd && seen.oomKilled) || (told?.outOfMemory ?? false),
      message: seen.error,
      startedAtMs: showsEnd ? seen.startedAtMs : (before?.startedAtMs ?? null),
      endedAtMs,
    },
    cause,
  )
}

function classified(facts: Facts, cause: StopCause | null): Stop {
  const signal = facts.exitCode === null ? null : signalName(facts.exitCode - SIGNAL_BASE)
  const asked = cause === null || facts.message !== '' ? undefined : REASON_OF[cause.verb]
  if (cause !== null && asked !== undefined) {
    return {
      ...facts,
      reason: asked,
      actor: cause.byService ? 'service' : 'user',
      userId: cause.userId,
      requestId: cause.requestId,
      signal: signal ?? cause.signal,
    }
  }
  const nobody = { userId: null, requestId: null }
  if (facts.outOfMemory) return { ...facts, ...nobody, reason: 'out_of_memory', actor: 'host', signal }
  if (facts.message !== '') return { ...facts, ...nobody, reason: 'start_failed', actor: 'host', signal: null }
  if (facts.exitCode === null && facts.endedAtMs === null) {
    return { ...facts, ...nobody, reason: 'lost', actor: 'host', signal: null }
  }
  if (signal !== null) return { ...facts, ...nobody, reason: 'signal', actor: 'host', signal }
  return { ...facts, ...nobody, reason: 'exited', actor: 'container', signal: null }
}
