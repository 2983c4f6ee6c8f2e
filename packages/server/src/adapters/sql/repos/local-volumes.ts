import { sql, type Kysely, type Selectable } from 'kysely'
import { SystemFault } from '../../../domain/errors.ts'
import type { LocalVolume, LocalVolumeWrites, NewLocalVolume, Scope } from '../../../orchestration/ports/store.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { LocalVolumeTable, Schema } from '../schema.ts'
import { scoped } from './container-query.ts'

export class LocalVolumeRepo implements LocalVolumeWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async byUuid(uuid: string, scope: Scope): Promise<LocalVolume | undefined> {
    const row = await scoped(
      this.#db.selectFrom('local_volume').selectAll().where('uuid', '=', uuid),
      scope,
    ).executeTakeFirst()
    return row === undefined ? undefined : toVolume(row)
  }

  async byName(name: string, scope: Scope): Promise<LocalVolume[]> {
    const named = this.#db.selectFrom('local_volume').selectAll().where('name', '=', name).where('deleting', '=', 0)
    const rows = await scoped(named, scope).execute()
    return rows.map(toVolume)
  }

  async list(scope: Scope): Promise<LocalVolume[]> {
    const rows = await scoped(this.#db.selectFrom('local_volume').selectAll(), scope).orderBy('created_at').execute()
    return rows.map(toVolume)
  }

  async users(volumeUuid: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('binding')
      .select('container_uuid')
      .where('volume_uuid', '=', volumeUuid)
      .execute()
    return rows.map((row) => row.container_uuid)
  }

  async insert(volume: NewLocalVolume): Promise<LocalVolume> {
    await this.#db
      .insertInto('local_volume')
      .values({
        uuid: volume.uuid,
        name: volume.name,
        project_id: volume.projectId,
        user_id: volume.userId,
        size_gib: volume.sizeGiB,
        host: volume.host,
        auto_remove: volume.autoRemove ? 1 : 0,
        created_at: sql<number>`${sql.raw(NOW_MS)}`,
      })
      .execute()
    const made = await this.byUuid(volume.uuid, { kind: 'all' })
    if (made === undefined) throw new SystemFault('store.lost', 'a volume was not stored')
    return made
  }

  async setHost(uuid: string, host: string): Promise<boolean> {
    const result = await this.#db.updateTable('local_volume').set({ host }).where('uuid', '=', uuid).executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async markDeleting(uuid: string): Promise<boolean> {
    const marked = this.#db.updateTable('local_volume').set({ deleting: 1 }).where('uuid', '=', uuid)
    return (await marked.executeTakeFirst()).numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    const result = await this.#db.deleteFrom('local_volume').where('uuid', '=', uuid).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
}

function toVolume(row: Selectable<LocalVolumeTable>): LocalVolume {
  return {
    uuid: row.uuid,
    name: row.name,
    projectId: row.project_id,
    userId: row.user_id,
    sizeGiB: row.size_gib,
    host: row.host,
    autoRemove: row.auto_remove === 1,
    createdAtMs: row.created_at,
    deleting: row.deleting === 1,
  }
}
