import { sql, type Kysely, type Selectable } from 'kysely'
import type { Stop, StopActor, StopReason } from '../../../domain/container/stop.ts'
import type { ContainerKind } from '../../../domain/container/types.ts'
import { InvalidInput, NotFound } from '../../../domain/errors.ts'
import type {
  HistoryQuery,
  HistoryWrites,
  PastContainer,
  PastOperation,
  PastSummary,
  StopRecord,
} from '../../../orchestration/ports/history.ts'
import type { Scope } from '../../../orchestration/ports/store.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { ContainerHistoryTable, ContainerStopTable, Schema } from '../schema.ts'
import { scoped } from './container-query.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

/** A container that starts and ends all day must not fill the database. */
const STOPS_KEPT = 100

const SORT_COLUMNS = { deleted_at: 'deleted_at', created_at: 'created_at', name: 'name', uuid: 'uuid' } as const
type SortKey = keyof typeof SORT_COLUMNS

export class HistoryRepo implements HistoryWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async byUuid(uuid: string, scope: Scope): Promise<PastContainer | undefined> {
    const row = await scoped(
      this.#db.selectFrom('container_history').selectAll().where('uuid', '=', uuid),
      scope,
    ).executeTakeFirst()
    return row === undefined ? undefined : toPast(row)
  }

  async membersOf(capsuleUuid: string): Promise<PastSummary[]> {
    const rows = await this.#db
      .selectFrom('container_history')
      .selectAll()
      .where('capsule_uuid', '=', capsuleUuid)
      .orderBy('created_at')
      .orderBy('uuid')
      .execute()
    return rows.map(toPast)
  }

  async list(query: HistoryQuery): Promise<PastSummary[]> {
    if (!isSortKey(query.sortKey)) {
      throw new InvalidInput(
        `Invalid input for query parameters 'sort_key'. Value: '${query.sortKey.slice(0, 64)}'. It is not one of ${Object.keys(SORT_COLUMNS).join(', ')}`,
        'invalid-parameter-value',
      )
    }
    const column = SORT_COLUMNS[query.sortKey]
    let select = scoped(
      this.#db.selectFrom('container_history').selectAll().where('capsule_uuid', 'is', null),
      query.scope,
    )
    if (query.name !== null) select = select.where('name', '=', query.name)
    if (query.marker !== null) {
      const after = await this.byUuid(query.marker, query.scope)
      if (after === undefined) {
        throw new NotFound(`Marker ${query.marker.slice(0, 64)} could not be found.`, 'container-not-found')
      }
      const than = query.sortDir === 'asc' ? '>' : '<'
      const value = sortValue(after, query.sortKey)
      select = select.where((eb) =>
        eb.or([eb(column, than, value), eb.and([eb(column, '=', value), eb('uuid', than, after.uuid)])]),
      )
    }
    const rows = await select.orderBy(column, query.sortDir).orderBy('uuid', query.sortDir).limit(query.limit).execute()
    return rows.map(toPast)
  }

  async stops(containerUuid: string): Promise<StopRecord[]> {
    const rows = await this.#db
      .selectFrom('container_stop')
      .selectAll()
      .where('container_uuid', '=', containerUuid)
      .orderBy('id', 'desc')
      .execute()
    return rows.map(toStop)
  }

  async addStop(containerUuid: string, stop: Stop): Promise<void> {
    await this.#db
      .insertInto('container_stop')
      .values({
        container_uuid: containerUuid,
        reason: stop.reason,
        actor: stop.actor,
        user_id: stop.userId,
        request_id: stop.requestId,
        engine_id: stop.engineId,
        exit_code: stop.exitCode,
        exit_signal: stop.signal,
        out_of_memory: stop.outOfMemory ? 1 : 0,
        message: stop.message,
        started_at: stop.startedAtMs,
        ended_at: stop.endedAtMs,
        recorded_at: now,
      })
      .execute()
    const oldest = await this.#db
      .selectFrom('container_stop')
      .select('id')
      .where('container_uuid', '=', containerUuid)
      .orderBy('id', 'desc')
      .offset(STOPS_KEPT)
      .limit(1)
      .executeTakeFirst()
    if (oldest === undefined) return
    await this.#db
      .deleteFrom('container_stop')
      .where('container_uuid', '=', containerUuid)
      .where('id', '<=', oldest.id)
      .execute()
  }

  async archive(container: Omit<PastContainer, 'deletedAtMs'>): Promise<void> {
    await this.#db
      .insertInto('container_history')
      .values({
        uuid: container.uuid,
        container_type: container.kind,
        project_id: container.projectId,
        user_id: container.userId,
        name: container.name ?? '',
        capsule_uuid: container.capsuleUuid,
        image: container.image,
        host: container.host,
        created_at: container.createdAtMs,
        deleted_at: now,
        operations: JSON.stringify(container.operations),
      })
      .execute()
  }

  async purge(ageMs: number, max: number): Promise<number> {
    const rows = await this.#db
      .selectFrom('container_history')
      .select('uuid')
      .where('deleted_at', '<', sql<number>`${now} - ${ageMs}`)
      .orderBy('deleted_at')
      .limit(max)
      .execute()
    const uuids = rows.map((row) => row.uuid)
    if (uuids.length === 0) return 0
    await this.#db.deleteFrom('container_stop').where('container_uuid', 'in', uuids).execute()
    await this.#db.deleteFrom('container_history').where('uuid', 'in', uuids).execute()
    return uuids.length
  }
}

function isSortKey(text: string): text is SortKey {
  return Object.hasOwn(SORT_COLUMNS, text)
}

function sortValue(past: PastContainer, key: SortKey): string | number {
  const values: Readonly<Record<SortKey, string | number>> = {
    deleted_at: past.deletedAtMs,
    created_at: past.createdAtMs,
    name: past.name ?? '',
    uuid: past.uuid,
  }
  return values[key]
}

function toPast(row: Selectable<ContainerHistoryTable>): PastContainer {
  return {
    uuid: row.uuid,
    kind: row.container_type as ContainerKind,
    projectId: row.project_id,
    userId: row.user_id,
    name: row.name === '' ? null : row.name,
    capsuleUuid: row.capsule_uuid,
    image: row.image,
    host: row.host,
    createdAtMs: row.created_at,
    deletedAtMs: row.deleted_at,
    operations: JSON.parse(row.operations) as PastOperation[],
  }
}

function toStop(row: Selectable<ContainerStopTable>): StopRecord {
  return {
    reason: row.reason as StopReason,
    actor: row.actor as StopActor,
    userId: row.user_id,
    requestId: row.request_id,
    engineId: row.engine_id,
    exitCode: row.exit_code,
    signal: row.exit_signal,
    outOfMemory: row.out_of_memory === 1,
    message: row.message,
    startedAtMs: row.started_at,
    endedAtMs: row.ended_at,
    recordedAtMs: row.recorded_at,
  }
}
