import { sql, type Kysely, type Selectable } from 'kysely'
import type {
  EventDetails,
  EventKind,
  EventWrites,
  ImageEventDetails,
  OfAction,
  StoredEvent,
} from '../../../orchestration/ports/events.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import { prepared } from '../prepared.ts'
import type { ContainerTable, EventTable, ImageTable, Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

/** Of a container's row, what an event tells. */
export type EventSubject = Pick<
  Selectable<ContainerTable>,
  'uuid' | 'container_type' | 'project_id' | 'user_id' | 'name' | 'capsule_uuid'
>

export type ImageSubject = Pick<Selectable<ImageTable>, 'uuid' | 'project_id' | 'user_id' | 'repo' | 'tag'>

/** In the column of kinds of containers, of which there is none of this number. */
const IMAGE = 4

/**
 * Events are added by the repositories that make the change, in its transaction: so none is told that did not happen, and
 * none is missing. Ids are given in the order of the commits, since SQLite has one writer (docs/adr/0019).
 */
export class EventRepo implements EventWrites {
  readonly #db: Kysely<Schema>
  /** Grows with each event that is added, whether it is committed or not. */
  added = 0

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async ofContainer(subject: EventSubject, details: EventDetails): Promise<void> {
    await this.#add(subject, subject.container_type === 1 ? 'capsule' : 'container', details)
  }

  async ofAction(containerUuid: string, details: Extract<EventDetails, OfAction>): Promise<void> {
    const [subject] = (await subjectOf(this.#db, { uuid: containerUuid })).rows
    if (subject !== undefined) await this.#add(subject, 'action', details)
  }

  async ofImage({ uuid, project_id, user_id, repo, tag }: ImageSubject, details: ImageEventDetails): Promise<void> {
    const name = tag.includes(':') ? `${repo}@${tag}` : `${repo}:${tag}`
    const subject = { uuid, project_id, user_id, name, capsule_uuid: null, container_type: IMAGE }
    await this.#add(subject, 'image', details)
  }

  async #add(
    subject: EventSubject,
    family: string,
    { type, ...details }: EventDetails | ImageEventDetails,
  ): Promise<void> {
    this.added += 1
    await insertEvent(this.#db, {
      ...subject,
      type: `${family}.${type}`,
      details: JSON.stringify(details),
    })
  }

  async after(id: number, max: number): Promise<StoredEvent[]> {
    return (await behind(this.#db, { id, max })).rows.map(toEvent)
  }

  async bounds(): Promise<{ oldest: number; newest: number }> {
    const [row] = (await bounds(this.#db, {})).rows
    return { oldest: row?.oldest ?? 0, newest: row?.newest ?? 0 }
  }

  async purge(kept: { ageMs: number; count: number }, max: number): Promise<number> {
    const { newest } = await this.bounds()
    const rows = await this.#db
      .selectFrom('event')
      .select('id')
      // The newest stays: with it a place that never was is known from one that is over.
      .where('id', '<', newest)
      .where((eb) => eb.or([eb('id', '<=', newest - kept.count), eb('at', '<', sql<number>`${now} - ${kept.ageMs}`)]))
      .orderBy('id')
      .limit(max)
      .execute()
    const last = rows.at(-1)
    if (last === undefined) return 0
    // All below, too: if the clock was set back what is left must still be without gaps.
    const { numDeletedRows } = await this.#db.deleteFrom('event').where('id', '<=', last.id).executeTakeFirst()
    return Number(numDeletedRows)
  }
}

const subjectOf = prepared((db, p: { uuid: string }) =>
  db
    .selectFrom('container')
    .select(['uuid', 'container_type', 'project_id', 'user_id', 'name', 'capsule_uuid'])
    .where('uuid', '=', p.uuid),
)

const insertEvent = prepared((db, p: EventSubject & { readonly type: string; readonly details: string }) =>
  db.insertInto('event').values({
    at: now,
    type: p.type,
    project_id: p.project_id,
    user_id: p.user_id,
    container_uuid: p.uuid,
    container_type: p.container_type,
    name: p.name,
    capsule_uuid: p.capsule_uuid,
    details: p.details,
  }),
)

const behind = prepared((db, p: { id: number; max: number }) =>
  db.selectFrom('event').selectAll().where('id', '>', p.id).orderBy('id').limit(p.max),
)

const bounds = prepared((db) =>
  db
    .selectFrom('event')
    .select(({ fn }) => [fn.min<number | null>('id').as('oldest'), fn.max<number | null>('id').as('newest')]),
)

function kindOf(type: number): EventKind {
  if (type === IMAGE) return 'image'
  return type === 1 ? 'capsule' : 'container'
}

function toEvent(row: Selectable<EventTable>): StoredEvent {
  return {
    id: row.id,
    atMs: row.at,
    type: row.type,
    projectId: row.project_id,
    userId: row.user_id,
    uuid: row.container_uuid,
    kind: kindOf(row.container_type),
    name: row.name === '' ? null : row.name,
    capsuleUuid: row.capsule_uuid,
    details: row.details,
  }
}
