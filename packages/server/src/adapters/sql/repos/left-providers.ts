import { sql, type Kysely } from 'kysely'
import type { LeftProvider, LeftProviderWrites } from '../../../orchestration/ports/left-providers.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export class LeftProviderRepo implements LeftProviderWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async list(max: number): Promise<LeftProvider[]> {
    const rows = this.#db.selectFrom('left_provider').select(['uuid', 'host']).orderBy('created_at').orderBy('uuid')
    return (await rows.limit(max).execute()).map(({ uuid, host }) => ({ uuid, host }))
  }

  async insert({ uuid, host }: LeftProvider): Promise<void> {
    await this.remove(uuid)
    await this.#db.insertInto('left_provider').values({ uuid, host, created_at: now }).execute()
  }

  async remove(uuid: string): Promise<boolean> {
    const removal = this.#db.deleteFrom('left_provider').where('uuid', '=', uuid)
    return (await removal.executeTakeFirst()).numDeletedRows > 0n
  }
}
