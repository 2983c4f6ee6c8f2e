import { sql, type Kysely } from 'kysely'
import type { Advance, AdvanceWrites } from '../../../orchestration/ports/advances.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export class AdvanceRepo implements AdvanceWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async due(ageMs: number, max: number): Promise<Advance[]> {
    const rows = await this.#db
      .selectFrom('advance')
      .select(['uuid', 'kind', 'container_uuid'])
      .where(({ eb, or }) =>
        or([eb('container_uuid', 'is not', null), eb('created_at', '<=', sql<number>`${now} - ${ageMs}`)]),
      )
      .orderBy('created_at')
      .limit(max)
      .execute()
    return rows.map((row) => ({ uuid: row.uuid, kind: row.kind, containerUuid: row.container_uuid }))
  }

  async insert({ uuid, kind }: Pick<Advance, 'uuid' | 'kind'>): Promise<void> {
    await this.#db.insertInto('advance').values({ uuid, kind, container_uuid: null, created_at: now }).execute()
  }

  async hand(uuid: string, containerUuid: string): Promise<boolean> {
    const change = this.#db.updateTable('advance').set({ container_uuid: containerUuid }).where('uuid', '=', uuid)
    return (await change.executeTakeFirst()).numUpdatedRows > 0n
  }

  async abandon(uuid: string): Promise<boolean> {
    const change = this.#db.updateTable('advance').set({ created_at: 0 }).where('uuid', '=', uuid)
    return (await change.executeTakeFirst()).numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    const removal = this.#db.deleteFrom('advance').where('uuid', '=', uuid)
    return (await removal.executeTakeFirst()).numDeletedRows > 0n
  }
}
