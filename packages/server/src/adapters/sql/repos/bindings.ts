import type { Kysely, Selectable } from 'kysely'
import type { BindingWrites } from '../../../orchestration/ports/store.ts'
import type { Binding, BindingState } from '../../../orchestration/ports/wire.ts'
import type { BindingTable, Schema } from '../schema.ts'

export class BindingRepo implements BindingWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async ofContainer(containerUuid: string): Promise<Binding[]> {
    const rows = await this.#db
      .selectFrom('binding')
      .selectAll()
      .where('container_uuid', '=', containerUuid)
      .orderBy('position')
      .execute()
    return rows.map(toBinding)
  }

  async byUuid(uuid: string): Promise<{ containerUuid: string; binding: Binding } | undefined> {
    const row = await this.#db.selectFrom('binding').selectAll().where('uuid', '=', uuid).executeTakeFirst()
    return row === undefined ? undefined : { containerUuid: row.container_uuid, binding: toBinding(row) }
  }

  async insert(containerUuid: string, binding: Binding): Promise<void> {
    await this.#db
      .insertInto('binding')
      .values({
        uuid: binding.uuid,
        container_uuid: containerUuid,
        kind: binding.data.kind,
        state: binding.state,
        position: binding.order,
        data: JSON.stringify(binding.data),
        volume_uuid: binding.data.kind === 'mount' ? binding.data.volumeUuid : null,
      })
      .execute()
  }

  async setState(uuid: string, state: BindingState): Promise<boolean> {
    const result = await this.#db.updateTable('binding').set({ state }).where('uuid', '=', uuid).executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    await this.#db.deleteFrom('local_address').where('port_uuid', '=', uuid).execute()
    const result = await this.#db.deleteFrom('binding').where('uuid', '=', uuid).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
}

function toBinding(row: Selectable<BindingTable>): Binding {
  return {
    uuid: row.uuid,
    state: row.state as BindingState,
    order: row.position,
    data: JSON.parse(row.data) as Binding['data'],
  }
}
