import type { OperationParams, Verb } from '@zund/contract/link/messages.ts'

export type OperationState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** One accepted request. The public API calls it a container action. */
export interface Operation {
  readonly id: number
  readonly containerUuid: string
  readonly projectId: string
  readonly userId: string
  readonly requestId: string
  readonly verb: Verb
  readonly params: OperationParams
  /** Sequence number within the container. */
  readonly generation: number
  /** `conductor`, or `host:<name>`. */
  readonly lane: string
  readonly state: OperationState
  readonly recipe: readonly string[]
  /** Claims so far. */
  readonly attempt: number
  /** Of these, how many met an error that nobody foresaw. */
  readonly failures: number
  readonly fence: number
  readonly superseded: boolean
  /** False for verbs that the API does not record as an action (update, resize_container). */
  readonly recorded: boolean
  readonly errorCode: string | null
  readonly errorMessage: string | null
  readonly createdAtMs: number
  readonly firstClaimedAtMs: number | null
  /** Milliseconds since it was first claimed, by the database clock; 0 before. */
  readonly ageMs: number
  readonly finishedAtMs: number | null
}

export interface Step {
  readonly operationId: number
  readonly name: string
  readonly state: 'started' | 'finished' | 'failed'
  readonly mark: unknown
  readonly output: unknown
  readonly message: string | null
  readonly startedAtMs: number
  readonly finishedAtMs: number | null
}

export function hostLane(host: string): string {
  return `host:${host}`
}

export const CONDUCTOR_LANE = 'conductor'

/** By which it is found in the log. */
export function logFieldsOf({ id, containerUuid, requestId, userId, projectId }: Operation) {
  return { requestId, userId, projectId, operationId: id, containerId: containerUuid }
}
