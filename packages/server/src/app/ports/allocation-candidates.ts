/** Who else counts what hosts have, asked before a host is chosen. */
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'

export interface CandidateQuery {
  readonly cpu: number
  readonly memoryMiB: number
  readonly diskGiB: number
  /** Uuid of the one provider that may be; null: any. */
  readonly provider: string | null
  readonly requestId: string
}

export interface AllocationCandidates {
  /** Uuids of the resource providers that have room; undefined: it could not be asked. */
  find(query: CandidateQuery, o: CallOptions): Promise<ReadonlySet<string> | undefined>
}
