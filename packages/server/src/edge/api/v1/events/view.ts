import type { Told } from '../../../../app/events/listen.ts'
import type { StoredEvent } from '../../../../orchestration/ports/events.ts'
import { iso } from '../../timestamps.ts'

/** Milliseconds after which a client comes back. */
export const RETRY = 'retry: 2000\n\n'

/** As server-sent events. */
export function frames(told: Told): string {
  switch (told.kind) {
    case 'ready':
      return frame({ id: String(told.cursor), type: 'ready' })
    case 'reset':
      return frame({ id: String(told.cursor), type: 'reset', reason: told.reason })
    case 'quiet':
      // An id alone is kept by clients, and is no event.
      return `:\nid: ${told.cursor}\n\n`
    case 'events':
      return told.events.map(textOf).join('')
    default:
      return told satisfies never
  }
}

/** The same for everybody, however many listen. */
const known = new WeakMap<StoredEvent, string>()

function textOf(event: StoredEvent): string {
  let text = known.get(event)
  if (text === undefined) {
    text = frame(view(event))
    known.set(event, text)
  }
  return text
}

interface Frame {
  readonly id: string
  readonly type: string
  readonly [field: string]: unknown
}

function view(event: StoredEvent): Frame {
  return {
    id: String(event.id),
    type: event.type,
    time: iso(event.atMs),
    project_id: event.projectId,
    uuid: event.uuid,
    kind: event.kind,
    name: event.name,
    capsule_uuid: event.capsuleUuid,
    ...(JSON.parse(event.details) as Readonly<Record<string, unknown>>),
  }
}

function frame(event: Frame): string {
  const { id, type } = event
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`
}
