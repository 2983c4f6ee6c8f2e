/** What stays known of containers: why they stopped, and after a delete what had been done to them. */
import type { ContainerKind } from '../../domain/container/types.ts'
import type { Stop } from '../../domain/container/stop.ts'
import type { Operation, Step } from '../../domain/operation/types.ts'
import type { Page, Scope } from './query.ts'

export interface StopRecord extends Stop {
  readonly recordedAtMs: number
}

/** Of an operation, what is kept after its container. */
export interface PastOperation
  extends Pick<
    Operation,
    | 'verb'
    | 'requestId'
    | 'userId'
    | 'projectId'
    | 'state'
    | 'errorCode'
    | 'errorMessage'
    | 'createdAtMs'
    | 'finishedAtMs'
  > {
  /** In the order they ran. */
  readonly steps: readonly Pick<Step, 'name' | 'state' | 'message' | 'startedAtMs' | 'finishedAtMs'>[]
}

/** A container, a capsule or a member of one that has been deleted. */
export interface PastContainer {
  readonly uuid: string
  readonly kind: ContainerKind
  readonly projectId: string
  readonly userId: string
  /** null: a capsule that was given none. */
  readonly name: string | null
  readonly capsuleUuid: string | null
  readonly image: string
  readonly host: string | null
  readonly createdAtMs: number
  readonly deletedAtMs: number
  /** Newest first, the newest ones. */
  readonly operations: readonly PastOperation[]
}

export type PastSummary = Omit<PastContainer, 'operations'>

export interface HistoryQuery extends Page {
  readonly scope: Scope
  /** Exact; null: any. */
  readonly name: string | null
}

export interface HistoryReads {
  byUuid(uuid: string, scope: Scope): Promise<PastContainer | undefined>
  /** Members of a deleted capsule, without their operations. */
  membersOf(capsuleUuid: string): Promise<PastSummary[]>
  /** Without members. NotFound for an unknown marker, InvalidInput for a bad sort key. */
  list(query: HistoryQuery): Promise<PastSummary[]>
  /** Newest first. */
  stops(containerUuid: string): Promise<StopRecord[]>
}

export interface HistoryWrites extends HistoryReads {
  /** Of one container only the newest hundred are kept. */
  addStop(containerUuid: string, stop: Stop): Promise<void>
  /** `deletedAtMs` is now. */
  archive(container: Omit<PastContainer, 'deletedAtMs'>): Promise<void>
  /** Forgets, with their stops, up to `max` containers that were deleted more than `ageMs` ago. Returns how many. */
  purge(ageMs: number, max: number): Promise<number>
}
