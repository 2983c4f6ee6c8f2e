/** What happened to containers, capsules and images, in the order in which it was committed. */
import type { ContainerStatus } from '../../domain/container/types.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { PullCount } from './wire.ts'

/** Rung when events have been committed. */
export const EVENTS_BELL = 'events'

/** By type; the container's are called `capsule.…` where it is one. */
export type EventDetails =
  | { readonly type: 'created'; readonly status: ContainerStatus; readonly status_reason: string | null }
  | {
      readonly type: 'status_changed'
      readonly status: ContainerStatus
      readonly previous_status: ContainerStatus
      readonly status_reason: string | null
    }
  | { readonly type: 'deleted'; readonly status: ContainerStatus }
  | (OfAction & { readonly type: 'started' })
  | (OfAction & {
      readonly type: 'step'
      readonly step: string
      readonly state: 'started' | 'finished' | 'failed'
      readonly message: string | null
    })
  | (OfAction & {
      readonly type: 'progress'
      readonly step: string
      readonly detail: string
      readonly pull: PullCount | null
    })
  | (OfAction & {
      readonly type: 'finished'
      readonly state: 'succeeded' | 'failed' | 'cancelled'
      readonly error_code: string | null
      readonly error_message: string | null
    })

/** Of images that are kept for themselves, not of those that containers bring along. */
export type ImageEventDetails =
  | { readonly type: 'created' }
  | { readonly type: 'progress'; readonly detail: string; readonly pull: PullCount }
  | { readonly type: 'stored'; readonly image_id: string; readonly size: number | null }
  | { readonly type: 'failed'; readonly error_message: string }
  | { readonly type: 'deleted' }

export interface OfAction {
  readonly action: Operation['verb']
  readonly request_id: string
  readonly user_id: string
}

export type EventKind = 'container' | 'capsule' | 'image'

export interface StoredEvent {
  readonly id: number
  readonly atMs: number
  /** As the API calls it. */
  readonly type: string
  readonly projectId: string
  /** Owner of what it tells of. */
  readonly userId: string
  readonly uuid: string
  readonly kind: EventKind
  readonly name: string | null
  readonly capsuleUuid: string | null
  /** JSON text of the fields that the type has. */
  readonly details: string
}

export interface EventReads {
  /** Behind this id, in their order. */
  after(id: number, max: number): Promise<StoredEvent[]>
  /** Ids of the oldest and the newest that are kept; both 0 before the first. Whatever is forgotten, the newest stays. */
  bounds(): Promise<{ readonly oldest: number; readonly newest: number }>
}

export interface EventWrites extends EventReads {
  /** Forgets up to `max` of the oldest: those above the number that is kept, and those older than that. Returns how many. */
  purge(kept: { readonly ageMs: number; readonly count: number }, max: number): Promise<number>
}
