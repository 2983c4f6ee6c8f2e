/**
 * Everything durable. Adapter: adapters/sql (SQLite here; PostgreSQL and MariaDB behind the same suite,
 * test/contract/store.suite.ts).
 *
 * Rules for implementers: a conditional write says whether it hit; every write of a container row adds 1 to `revision`
 * and sets `updated_at`; what becomes of containers and operations is told by events (events.ts) in the same transaction; times come from the database's clock; no method hides an outside call.
 */
import type { AdvanceReads, AdvanceWrites } from './advances.ts'
import type { Addresses, Container, ContainerKind, ContainerStatus } from '../../domain/container/types.ts'
import type { Operation, OperationState, Step } from '../../domain/operation/types.ts'
import type { QuotaLimits } from '../../domain/quota.ts'
import type { EventReads, EventWrites } from './events.ts'
import type { LeftProviderReads, LeftProviderWrites } from './left-providers.ts'
import type { LeftoverPortReads, LeftoverPortWrites } from './leftover-ports.ts'
import type { HistoryReads, HistoryWrites } from './history.ts'
import type { IdempotencyReads, IdempotencyWrites } from './idempotency.ts'
import type {
  DisposalReads,
  DisposalWrites,
  LocalNetworkReads,
  LocalNetworkWrites,
  LocalVolumeReads,
  LocalVolumeWrites,
} from './local-resources.ts'
import type { Page, Scope } from './query.ts'
import type {
  Allocation,
  Binding,
  BindingState,
  ContainerSpec,
  DesiredState,
  HeldOperation,
  HostAddress,
  HostHello,
  HostInventory,
  Observation,
  OperationParams,
  PullCount,
  Verb,
} from './wire.ts'

export type * from './local-resources.ts'
export type { Page, Scope }

export interface NewContainer {
  readonly uuid: string
  readonly kind: ContainerKind
  readonly projectId: string
  readonly userId: string
  readonly name: string | null
  readonly spec: ContainerSpec
  readonly desired: DesiredState
  readonly host: string | null
  /** What it holds of its host; null: nothing. */
  readonly allocation: Allocation | null
  readonly status: ContainerStatus
  readonly statusReason: string | null
  readonly addresses: Addresses
  readonly capsuleUuid?: string
  readonly annotations?: Readonly<Record<string, unknown>> | null
}

export interface ContainerPatch {
  readonly name?: string
  readonly spec?: ContainerSpec
  readonly desired?: DesiredState
  readonly generation?: number
  readonly host?: string | null
  readonly allocation?: Allocation | null
  readonly status?: ContainerStatus
  readonly statusReason?: string | null
  readonly taskState?: string | null
  readonly progress?: string | null
  readonly observed?: Observation | null
  readonly addresses?: Addresses
}

/** Exact-match filters; several values of one key mean any of them. Keys are the API's field names. */
export type ContainerFilters = Readonly<Partial<Record<ContainerFilterKey, readonly string[]>>>
export type ContainerFilterKey =
  | 'name'
  | 'image'
  | 'project_id'
  | 'user_id'
  | 'memory'
  | 'host'
  | 'task_state'
  | 'status'
  | 'auto_remove'

export interface ContainerQuery extends Page {
  readonly kind: NamedKind
  readonly scope: Scope
  readonly filters: ContainerFilters
}

/** What the API knows by itself: containers and capsules. Members are found through their capsule. */
export type NamedKind = Extract<ContainerKind, 0 | 1>

/** What names one exact content of a container row. */
export interface ContainerKey {
  readonly uuid: string
  readonly revision: number
}

export interface Usage {
  readonly containers: number
  readonly cpu: number
  readonly memoryMiB: number
  readonly diskGiB: number
}

export interface ContainerReads {
  byUuid(uuid: string, scope: Scope): Promise<Container | undefined>
  /** What is there now under this uuid, without reading it; undefined: nothing in this scope. */
  key(uuid: string, scope: Scope): Promise<ContainerKey | undefined>
  /** Exact, case-sensitive. */
  byName(name: string, kind: NamedKind, scope: Scope): Promise<Container[]>
  /** NotFound `container-not-found` for an unknown marker, InvalidInput `invalid-parameter-value` for a bad sort key. */
  keys(query: ContainerQuery): Promise<ContainerKey[]>
  byUuids(uuids: readonly string[]): Promise<Container[]>
  /** Of all these capsules, each capsule's in the order in which they were inserted. */
  membersOf(capsuleUuids: readonly string[]): Promise<Container[]>
  onHost(host: string): Promise<Container[]>
  /**
   * Of all records of the project, whatever their status, kind 0 only. A resize that is under way holds what it grows
   * to, as long as it may still come to that.
   */
  usageOfProject(projectId: string): Promise<Usage>
  /** Of all that records hold of the host; a capsule holds for its members too. */
  usageOfHost(host: string): Promise<Usage>
  /** Of every host that is used, by its name. */
  usageOfHosts(): Promise<ReadonlyMap<string, Usage>>
  /** Those with cores or devices of their own, by host. */
  exclusiveAllocations(): Promise<ReadonlyMap<string, readonly Allocation[]>>
  /** Case-insensitive; `projectId` null looks in all projects; `exceptUuid` is left out. */
  nameTaken(name: string, projectId: string | null, exceptUuid: string | null): Promise<boolean>
  countByStatus(): Promise<Readonly<Record<string, number>>>
}

export interface ContainerWrites extends ContainerReads {
  insert(container: NewContainer): Promise<Container>
  /** False when there is no such row. */
  update(uuid: string, patch: ContainerPatch): Promise<boolean>
  /** With its operations, steps and bindings; a capsule with its members, and with theirs. */
  remove(uuid: string): Promise<boolean>
}

export interface NewOperation {
  readonly containerUuid: string
  readonly projectId: string
  readonly userId: string
  readonly requestId: string
  readonly verb: Verb
  readonly params: OperationParams
  readonly generation: number
  readonly lane: string
  readonly recipe: readonly string[]
  readonly recorded: boolean
}

export interface OperationReads {
  byId(id: number): Promise<Operation | undefined>
  /** queued or running, oldest first. */
  unfinished(containerUuid: string): Promise<Operation[]>
  /** Recorded ones, newest first. */
  actions(containerUuid: string): Promise<Operation[]>
  /** The newest recorded one. */
  latestAction(containerUuid: string): Promise<Operation | undefined>
  /** Recorded ones with this request id, newest first. */
  byRequest(containerUuid: string, requestId: string): Promise<Operation[]>
  steps(operationId: number): Promise<Step[]>
  /** Milliseconds until a head of line of the lane may run, 0 at once; null when none waits. */
  dueInMs(lane: string): Promise<number | null>
  countByState(): Promise<Readonly<Record<string, number>>>
  /** What this holder of leases has of the lane besides those. */
  notHeld(lane: string, owner: string, held: readonly HeldOperation[]): Promise<HeldOperation[]>
  /** Lanes with creates that have not ended. */
  createLanes(): Promise<string[]>
  /** Creates of a lane, queued or running, of which nothing was begun but at most an image obtained; by id. */
  unbegunCreates(lane: string, page: { readonly afterId: number; readonly max: number }): Promise<Operation[]>
}

export interface ReleasedOperation {
  readonly state: OperationState
  readonly afterMs?: number
  /** `failures` + 1. */
  readonly unforeseen?: boolean
  readonly errorCode?: string | null
  readonly errorMessage?: string | null
}

export interface OperationWrites extends OperationReads {
  insert(operation: NewOperation): Promise<Operation>
  /**
   * Heads of line of the lane that may run now: queued, `run_after` past, no older unfinished operation of the same
   * container. Oldest first.
   */
  claimable(lane: string, max: number): Promise<Operation[]>
  /**
   * queued → running, fence + 1, attempt + 1, lease set, `active_key` set. False when someone else was faster, or when
   * another operation of the container runs.
   */
  /**
   * To another lane, as if it had never been claimed: queued, fence + 1, without steps. False when the fence is old or it
   * has ended.
   */
  move(id: number, fence: number, to: { readonly lane: string; readonly params: OperationParams }): Promise<boolean>
  claim(id: number, seenFence: number, owner: string, ttlMs: number): Promise<boolean>
  /** Running under this fence: lease_until moves. False when it is not ours any more. */
  renew(id: number, fence: number, ttlMs: number): Promise<boolean>
  /** Running under this fence? For writes that follow in the same transaction. */
  holds(id: number, fence: number): Promise<Operation | undefined>
  /** Ends it, or (state `queued`) puts it back with `afterMs`. False when the fence is old. */
  release(id: number, fence: number, end: ReleasedOperation): Promise<boolean>
  /** Queued operations of the container end as cancelled. Returns how many. */
  cancelQueued(containerUuid: string, message: string): Promise<number>
  /** Marks the running operation of the container as superseded, if there is one. */
  supersedeRunning(containerUuid: string): Promise<boolean>
  /** Running operations of the lane go back to the queue (a new life of its only holder has begun). Returns how many. */
  requeueLane(lane: string): Promise<number>
  /** Those go back to the queue that still run under this fence. Returns how many. */
  requeue(held: readonly HeldOperation[]): Promise<number>
  /** Running operations of the lane whose lease ran out go back to the queue. */
  requeueExpired(lane: string): Promise<number>
  stepStarted(operationId: number, step: string, mark: unknown): Promise<void>
  stepEnded(
    operationId: number,
    step: string,
    end: { state: 'finished' | 'failed'; output?: unknown; message?: string },
  ): Promise<void>
  /** Told as an event, and not kept with the step. */
  stepProgress(
    operationId: number,
    step: string,
    far: { readonly detail: string; readonly pull: PullCount | null },
  ): Promise<void>
}

export interface BindingWrites extends BindingReads {
  insert(containerUuid: string, binding: Binding): Promise<void>
  setState(uuid: string, state: BindingState): Promise<boolean>
  /** Of the same kind as before. */
  setData(uuid: string, data: Binding['data']): Promise<boolean>
  /** Also gives back the addresses reserved for it. */
  remove(uuid: string): Promise<boolean>
}

export interface BindingReads {
  ofContainer(containerUuid: string): Promise<Binding[]>
  byUuid(uuid: string): Promise<{ containerUuid: string; binding: Binding } | undefined>
  /**
   * Containers that hold this port of another network service, or have an operation that may come to it. One whose create
   * has come to nothing has given it back.
   */
  portUsers(portId: string): Promise<string[]>
}

/** A compute host: its service record and what it has. */
export interface Host {
  readonly id: number
  /** Of the compute node. */
  readonly uuid: string
  readonly name: string
  readonly binary: string
  readonly availabilityZone: string
  /** Where it is reached for streams and live calls; null: in this very process, or nobody knows. */
  readonly address: HostAddress | null
  readonly epoch: number
  readonly inventory: HostInventory | null
  readonly disabled: boolean
  readonly disabledReason: string | null
  readonly forcedDown: boolean
  readonly lastSeenAtMs: number | null
  /** Milliseconds since `lastSeenAtMs`, by the database's clock. */
  readonly silentMs: number
  /** null: its engine answers. */
  readonly engineTrouble: string | null
  /** Milliseconds since the trouble began; 0 without trouble. */
  readonly engineTroubleMs: number
  readonly reportCount: number
  readonly createdAtMs: number
  readonly updatedAtMs: number | null
}

export interface HostReads {
  /** By id, ascending. */
  list(): Promise<Host[]>
  byName(name: string): Promise<Host | undefined>
  byUuid(uuid: string): Promise<Host | undefined>
  /** Asked at every write of an agent, so without reading what the host has; undefined: there is no such host. */
  epochOf(name: string): Promise<number | undefined>
}

export interface HostWrites extends HostReads {
  /** Upsert; epoch + 1. Returns the new epoch. */
  beginSession(hello: HostHello & { readonly uuidIfNew: string }): Promise<number>
  /** False when the epoch is old. */
  heartbeat(
    name: string,
    epoch: number,
    beat: { engineTrouble: string | null; inventory?: HostInventory },
  ): Promise<boolean>
  setDisabled(name: string, disabled: boolean, reason: string | null): Promise<boolean>
  setForcedDown(name: string, forcedDown: boolean): Promise<boolean>
  remove(name: string): Promise<boolean>
}

/** An image somebody asked a host to hold (GET /v1/images). */
export interface ImageRecord {
  readonly id: number
  readonly uuid: string
  readonly imageId: string | null
  readonly repo: string
  readonly tag: string
  readonly sizeBytes: number | null
  readonly host: string
  readonly projectId: string
  readonly userId: string
  /** `pull`, `commit`: what makes it; null when done; `delete` while it goes. */
  readonly pending: string | null
  readonly error: string | null
}

export interface ImageReads {
  byUuid(uuid: string, scope: Scope): Promise<ImageRecord | undefined>
  list(page: Page, scope: Scope): Promise<ImageRecord[]>
  /** The one record of a name on a host. */
  named(repo: string, tag: string, host: string): Promise<ImageRecord | undefined>
  pendingOn(host: string): Promise<ImageRecord[]>
}

export interface ImageWrites extends ImageReads {
  /** Conflict `image-already-exists` when (repo, tag, host) is taken. */
  insert(image: Omit<ImageRecord, 'id'>): Promise<ImageRecord>
  update(
    uuid: string,
    patch: Partial<Pick<ImageRecord, 'imageId' | 'repo' | 'tag' | 'sizeBytes' | 'pending' | 'error'>>,
  ): Promise<boolean>
  remove(uuid: string): Promise<boolean>
  /** An event; the record does not show it. */
  tellProgress(uuid: string, progress: { readonly detail: string; readonly pull: PullCount }): Promise<void>
  /** After a commit that came to nothing: the record shows the image that was there before, or goes. */
  abandonCommit(uuid: string): Promise<void>
}

/** Who a limit is set for. */
export type QuotaOwner = readonly [kind: 'project', projectId: string] | readonly [kind: 'class', name: string]

export interface QuotaReads {
  /** Only the limits that were set. */
  limitsOf(owner: QuotaOwner): Promise<Partial<QuotaLimits>>
}

export interface QuotaWrites extends QuotaReads {
  /** Those that are not given stay as they are. */
  set(owner: QuotaOwner, limits: Partial<QuotaLimits>): Promise<void>
  /** As if none had been set; also when none had. */
  clear(owner: QuotaOwner): Promise<void>
}

/** A private image registry of a project. */
export interface Registry {
  readonly id: number
  readonly uuid: string
  /** Not unique. */
  readonly name: string | null
  /** As it stands before an image's name; may have a path after it. */
  readonly domain: string
  readonly username: string | null
  readonly sealedPassword: string | null
  readonly projectId: string
  readonly userId: string
}

export type RegistryPatch = Partial<Pick<Registry, 'name' | 'domain' | 'username' | 'sealedPassword'>>

export interface RegistryReads {
  byUuid(uuid: string, scope: Scope): Promise<Registry | undefined>
  byName(name: string, scope: Scope): Promise<Registry[]>
  /** By id, ascending. */
  list(scope: Scope): Promise<Registry[]>
  /** Whether a container, whatever its status, was made with it. */
  isUsed(uuid: string): Promise<boolean>
}

export interface RegistryWrites extends RegistryReads {
  insert(registry: Omit<Registry, 'id'>): Promise<Registry>
  update(uuid: string, patch: RegistryPatch): Promise<boolean>
  /** Fails while it is used. */
  remove(uuid: string): Promise<boolean>
}

export interface StoreReads {
  readonly containers: ContainerReads
  readonly operations: OperationReads
  readonly bindings: BindingReads
  readonly hosts: HostReads
  readonly advances: AdvanceReads
  readonly leftoverPorts: LeftoverPortReads
  readonly leftProviders: LeftProviderReads
  readonly images: ImageReads
  readonly networks: LocalNetworkReads
  readonly volumes: LocalVolumeReads
  readonly disposals: DisposalReads
  readonly quotas: QuotaReads
  readonly registries: RegistryReads
  readonly history: HistoryReads
  readonly events: EventReads
  readonly idempotency: IdempotencyReads
}

export interface Tx {
  readonly containers: ContainerWrites
  readonly operations: OperationWrites
  readonly bindings: BindingWrites
  readonly hosts: HostWrites
  readonly advances: AdvanceWrites
  readonly leftoverPorts: LeftoverPortWrites
  readonly leftProviders: LeftProviderWrites
  readonly images: ImageWrites
  readonly networks: LocalNetworkWrites
  readonly volumes: LocalVolumeWrites
  readonly disposals: DisposalWrites
  readonly quotas: QuotaWrites
  readonly registries: RegistryWrites
  readonly history: HistoryWrites
  readonly events: EventWrites
  readonly idempotency: IdempotencyWrites
}

export interface Store extends StoreReads {
  /**
   * One durable transaction: when this resolves it is on the disk. If `work` throws nothing of it is kept. Inside, only
   * `tx` may be used, and nothing but `tx` may be awaited. `work` may run again after a serialisation failure.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface Doorbell {
  /** "Look at this lane." Never awaited, never relied upon. */
  ring(lane: string): void
  /** Calls back at every ring of the lane until aborted. */
  listen(lane: string, onRing: () => void, signal: AbortSignal): void
}
