/** What `GET /v1/events` tells, one object for each event (docs/api/events.md). */
import { Type } from 'typebox'
import { exact, IsoTime, named, nullable, Uuid, words, type Wire } from './schema.ts'

const EventId = Type.String({ pattern: '^[0-9]{1,16}$' })

/** The first event of a stream: its place. */
export const ReadySchema = named('Ready', { id: EventId, type: Type.Literal('ready') })
/** What follows the place that was asked for is not there: list anew, and read on. */
export const ResetSchema = named('Reset', {
  id: EventId,
  type: Type.Literal('reset'),
  reason: words(['expired', 'unknown']),
})

const subject = {
  id: EventId,
  time: IsoTime,
  project_id: Type.String(),
  uuid: Uuid,
  name: nullable(Type.String()),
}
const common = { ...subject, kind: words(['container', 'capsule']), capsule_uuid: nullable(Uuid) }
const image = { ...subject, kind: Type.Literal('image'), name: Type.String(), capsule_uuid: Type.Null() }

const action = { ...common, action: Type.String(), request_id: Type.String(), user_id: Type.String() }

const Count = exact({ current: Type.Integer(), total: Type.Integer() })
const Pull = exact({ image: Type.String(), layers: Count, bytes: nullable(Count) })

export const CreatedEventSchema = named('CreatedEvent', {
  ...common,
  type: words(['container.created', 'capsule.created']),
  status: Type.String(),
  status_reason: nullable(Type.String()),
})
export const StatusEventSchema = named('StatusEvent', {
  ...common,
  type: words(['container.status_changed', 'capsule.status_changed']),
  status: Type.String(),
  previous_status: Type.String(),
  status_reason: nullable(Type.String()),
})
export const DeletedEventSchema = named('DeletedEvent', {
  ...common,
  type: words(['container.deleted', 'capsule.deleted']),
  status: Type.String(),
})
export const ActionStartedEventSchema = named('ActionStartedEvent', { ...action, type: Type.Literal('action.started') })
export const ActionStepEventSchema = named('ActionStepEvent', {
  ...action,
  type: Type.Literal('action.step'),
  step: Type.String(),
  state: words(['started', 'finished', 'failed']),
  message: nullable(Type.String()),
})
export const ActionProgressEventSchema = named('ActionProgressEvent', {
  ...action,
  type: Type.Literal('action.progress'),
  step: Type.String(),
  detail: Type.String(),
  pull: nullable(Pull),
})
export const ActionFinishedEventSchema = named('ActionFinishedEvent', {
  ...action,
  type: Type.Literal('action.finished'),
  state: words(['succeeded', 'failed', 'cancelled']),
  error_code: nullable(Type.String()),
  error_message: nullable(Type.String()),
})

export const ImageCreatedEventSchema = named('ImageCreatedEvent', { ...image, type: Type.Literal('image.created') })
export const ImageProgressEventSchema = named('ImageProgressEvent', {
  ...image,
  type: Type.Literal('image.progress'),
  detail: Type.String(),
  pull: Pull,
})
export const ImageStoredEventSchema = named('ImageStoredEvent', {
  ...image,
  type: Type.Literal('image.stored'),
  image_id: Type.String(),
  size: nullable(Type.Integer()),
})
export const ImageFailedEventSchema = named('ImageFailedEvent', {
  ...image,
  type: Type.Literal('image.failed'),
  error_message: Type.String(),
})
export const ImageDeletedEventSchema = named('ImageDeletedEvent', { ...image, type: Type.Literal('image.deleted') })

export const EventSchema = Type.Union([
  CreatedEventSchema,
  StatusEventSchema,
  DeletedEventSchema,
  ActionStartedEventSchema,
  ActionStepEventSchema,
  ActionProgressEventSchema,
  ActionFinishedEventSchema,
  ImageCreatedEventSchema,
  ImageProgressEventSchema,
  ImageStoredEventSchema,
  ImageFailedEventSchema,
  ImageDeletedEventSchema,
])
export const StreamedEventSchema = Type.Union([ReadySchema, ResetSchema, EventSchema])

export type ContainerEvent = Wire<typeof EventSchema>
export type StreamedEvent = Wire<typeof StreamedEventSchema>

export const EVENT_TYPES = [
  'container.created',
  'container.status_changed',
  'container.deleted',
  'capsule.created',
  'capsule.status_changed',
  'capsule.deleted',
  'action.started',
  'action.step',
  'action.progress',
  'action.finished',
  'image.created',
  'image.progress',
  'image.stored',
  'image.failed',
  'image.deleted',
] as const satisfies readonly ContainerEvent['type'][]
