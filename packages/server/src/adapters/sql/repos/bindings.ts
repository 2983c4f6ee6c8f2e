import type { Kysely, Selectable } from 'kysely'
import type { BindingWrites } from '../../../orchestration/ports/store.ts'
import type { Binding, BindingState } from '../../../orchestration/ports/wire.ts'
import { prepared } from '../prepared.ts'
import type { BindingTable, Schema } from '../schema.ts'

export class BindingRepo implements BindingWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async ofContainer(containerUuid: string): Promise<Binding[]> {
    return (await ofContainer(this.#db, { containerUuid })).rows.map(toBinding)
  }

  async byUuid(uuid: string): Promise<{ containerUuid: string; binding: Binding } | undefined> {
    const row = await this.#db.selectFrom('binding').selectAll().where('uuid', '=', uuid).executeTakeFirst()
    return row === undefined ? undefined : { containerUuid: row.container_uuid, binding: toBinding(row) }
  }

  async portUsers(portId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('binding')
      .select('container_uuid')
      .where('port_id', '=', portId)
      .where((is) =>
        is.or([
          is('state', '=', 'held'),
          is.exists(
            is
              .selectFrom('operation')
              .select('operation.id')
              .whereRef('operation.container_uuid', '=', 'binding.container_uuid')
              .where('operation.state', 'in', ['queued', 'running']),
          ),
        ]),
      )
      .execute()
    return rows.map((row) => row.container_uuid)
  }

  async insert(containerUuid: string, binding: Binding): Promise<void> {
    await insertRow(this.#db, {
      uuid: binding.uuid,
      containerUuid,
      kind: binding.data.kind,
      state: binding.state,
      position: binding.order,
      data: JSON.stringify(binding.data),
      ...usedBy(binding.data),
    })
  }

  async setState(uuid: string, state: BindingState): Promise<boolean> {
    return (await setState(this.#db, { uuid, state })).numAffectedRows !== 0n
  }

  async setData(uuid: string, data: Binding['data']): Promise<boolean> {
    const { volumeUuid, portId } = usedBy(data)
    const changed = await this.#db
      .updateTable('binding')
      .set({ data: JSON.stringify(data), volume_uuid: volumeUuid, port_id: portId })
      .where('uuid', '=', uuid)
      .where('kind', '=', data.kind)
      .executeTakeFirst()
    return changed.numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    await this.#db.deleteFrom('local_address').where('port_uuid', '=', uuid).execute()
    const result = await this.#db.deleteFrom('binding').where('uuid', '=', uuid).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
}

const ofContainer = prepared((db, p: { containerUuid: string }) =>
  db.selectFrom('binding').selectAll().where('container_uuid', '=', p.containerUuid).orderBy('position'),
)

interface InsertedRow {
  readonly uuid: string
  readonly containerUuid: string
  readonly kind: string
  readonly state: string
  readonly position: number
  readonly data: string
  readonly volumeUuid: string | null
  readonly portId: string | null
}

const insertRow = prepared((db, p: InsertedRow) =>
  db.insertInto('binding').values({
    uuid: p.uuid,
    container_uuid: p.containerUuid,
    kind: p.kind,
    state: p.state,
    position: p.position,
    data: p.data,
    volume_uuid: p.volumeUuid,
    port_id: p.portId,
  }),
)

const setState = prepared((db, p: { uuid: string; state: string }) =>
  db.updateTable('binding').set({ state: p.state }).where('uuid', '=', p.uuid),
)

/** By which it is found that something has a user. */
function usedBy(data: Binding['data']): Pick<InsertedRow, 'volumeUuid' | 'portId'> {
  return data.kind === 'mount'
    ? { volumeUuid: data.volumeUuid, portId: null }
    : { volumeUuid: null, portId: data.remote?.portId ?? null }
}

function toBinding(row: Selectable<BindingTable>): Binding {
  return {
    uuid: row.uuid,
    state: row.state as BindingState,
    order: row.position,
    data: JSON.parse(row.data) as Binding['data'],
  }
}
