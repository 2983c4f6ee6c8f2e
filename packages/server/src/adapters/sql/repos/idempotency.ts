import { sql, type Kysely } from 'kysely'
import type {
  IdempotencyOwner,
  IdempotencyWrites,
  IdempotentRequest,
} from '../../../orchestration/ports/idempotency.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export class IdempotencyRepo implements IdempotencyWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async find({ projectId, userId, key }: IdempotencyOwner): Promise<IdempotentRequest | undefined> {
    const row = await this.#db
      .selectFrom('idempotency_key')
      .select(['request_hash', 'container_uuid'])
      .where('project_id', '=', projectId)
      .where('user_id', '=', userId)
      .where('key_text', '=', key)
      .executeTakeFirst()
    return row === undefined ? undefined : { requestHash: row.request_hash, containerUuid: row.container_uuid }
  }

  async insert({ projectId, userId, key }: IdempotencyOwner, request: IdempotentRequest): Promise<void> {
    await this.#db
      .insertInto('idempotency_key')
      .values({
        project_id: projectId,
        user_id: userId,
        key_text: key,
        request_hash: request.requestHash,
        container_uuid: request.containerUuid,
        created_at: now,
      })
      .execute()
  }

  async purge(ageMs: number, max: number): Promise<number> {
    const rows = await this.#db
      .selectFrom('idempotency_key')
      .select('id')
      .where('created_at', '<', sql<number>`${now} - ${ageMs}`)
      .orderBy('created_at')
      .limit(max)
      .execute()
    const ids = rows.map(({ id }) => id)
    if (ids.length > 0) await this.#db.deleteFrom('idempotency_key').where('id', 'in', ids).execute()
    return ids.length
  }
}
