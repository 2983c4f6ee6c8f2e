import { sql, type Kysely } from 'kysely'
import type { LeftoverPort, LeftoverPortWrites } from '../../../orchestration/ports/leftover-ports.ts'
import type { PortData } from '../../../orchestration/ports/wire.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export class LeftoverPortRepo implements LeftoverPortWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async due(max: number): Promise<LeftoverPort[]> {
    const rows = await this.#db
      .selectFrom('leftover_port')
      .leftJoin('container', 'container.uuid', 'leftover_port.container_uuid')
      .select(['leftover_port.uuid', 'leftover_port.container_uuid', 'leftover_port.data'])
      .where('container.uuid', 'is', null)
      .orderBy('leftover_port.created_at')
      .limit(max)
      .execute()
    return rows.map((row) => ({
      uuid: row.uuid,
      containerUuid: row.container_uuid,
      data: JSON.parse(row.data) as PortData,
    }))
  }

  async insert({ uuid, containerUuid, data }: LeftoverPort): Promise<void> {
    await this.remove(uuid)
    await this.#db
      .insertInto('leftover_port')
      .values({ uuid, container_uuid: containerUuid, data: JSON.stringify(data), created_at: now })
      .execute()
  }

  async remove(uuid: string): Promise<boolean> {
    const removal = this.#db.deleteFrom('leftover_port').where('uuid', '=', uuid)
    return (await removal.executeTakeFirst()).numDeletedRows > 0n
  }
}
