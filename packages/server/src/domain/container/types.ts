import { CONTAINER_STATUSES } from '@zund/contract/api/container.ts'
import type {
  Allocation,
  Binding,
  ContainerSpec,
  DesiredState,
  Observation,
  PortData,
} from '@zund/contract/link/container.ts'

/** Spellings of the public API; clients compare with them. */
export { CONTAINER_STATUSES }
export type ContainerStatus = (typeof CONTAINER_STATUSES)[number]

/** 0 container, 1 capsule, 2 capsule member, 3 capsule init member. */
export type ContainerKind = 0 | 1 | 2 | 3

/** A container's record: what was asked for, where it is, and what was last seen of it. */
export interface Container {
  /** Creation order; the default sort key. */
  readonly id: number
  readonly uuid: string
  /** Grows with every write of the row; with the uuid it names one exact content. */
  readonly revision: number
  readonly kind: ContainerKind
  readonly projectId: string
  readonly userId: string
  /** null: a capsule that was given none. */
  readonly name: string | null
  readonly spec: ContainerSpec
  readonly desired: DesiredState
  /** Accepted changes so far; also the sequence number of its newest operation. */
  readonly generation: number
  readonly host: string | null
  /** What it holds of its host; null: nothing, because it has none or could not be made there. */
  readonly allocation: Allocation | null
  readonly status: ContainerStatus
  readonly statusReason: string | null
  readonly taskState: string | null
  /** Text shown as `status_detail` while a step tells how far it is; else null and the detail is made from `observed`. */
  readonly progress: string | null
  readonly observed: Observation | null
  readonly addresses: Addresses
  /** Of a member: its capsule. */
  readonly capsuleUuid: string | null
  /** Of a capsule: free JSON of its user. */
  readonly annotations: Readonly<Record<string, unknown>> | null
  readonly createdAtMs: number
  readonly updatedAtMs: number | null
}

export interface Address {
  readonly addr: string
  readonly version: 4 | 6
  readonly port: string
  readonly subnet_id: string
  readonly preserve_on_delete: boolean
}

/** Keyed by network id, in the API's own shape. */
export type Addresses = Readonly<Record<string, readonly Address[]>>

export type { Allocation, Binding, ContainerSpec, DesiredState, Observation, PortData }
