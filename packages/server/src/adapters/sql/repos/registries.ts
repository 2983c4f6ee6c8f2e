import { sql, type Kysely, type Selectable, type SelectQueryBuilder } from 'kysely'
import { SystemFault } from '../../../domain/errors.ts'
import type { Registry, RegistryPatch, RegistryWrites, Scope } from '../../../orchestration/ports/store.ts'
import type { RegistryTable, Schema } from '../schema.ts'

export class RegistryRepo implements RegistryWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async byUuid(uuid: string, scope: Scope): Promise<Registry | undefined> {
    const row = await this.#select(scope).where('uuid', '=', uuid).executeTakeFirst()
    return row === undefined ? undefined : toRegistry(row)
  }

  async byName(name: string, scope: Scope): Promise<Registry[]> {
    return (await this.#select(scope).where('name', '=', name).orderBy('id').execute()).map(toRegistry)
  }

  async list(scope: Scope): Promise<Registry[]> {
    return (await this.#select(scope).orderBy('id').execute()).map(toRegistry)
  }

  async isUsed(uuid: string): Promise<boolean> {
    const user = await this.#db
      .selectFrom('container')
      .select('id')
      .where('registry_uuid', '=', uuid)
      .limit(1)
      .executeTakeFirst()
    return user !== undefined
  }

  async insert(registry: Omit<Registry, 'id'>): Promise<Registry> {
    const { uuid, name, domain, username, sealedPassword, projectId, userId } = registry
    await this.#db
      .insertInto('registry')
      .values({ uuid, name, domain, username, password: sealedPassword, project_id: projectId, user_id: userId })
      .execute()
    const made = await this.byUuid(uuid, { kind: 'all' })
    if (made === undefined) throw new SystemFault('store.failed', 'a registry is not there after its insert')
    return made
  }

  async update(uuid: string, patch: RegistryPatch): Promise<boolean> {
    const columns = {
      ...(patch.name === undefined ? {} : { name: patch.name }),
      ...(patch.domain === undefined ? {} : { domain: patch.domain }),
      ...(patch.username === undefined ? {} : { username: patch.username }),
      ...(patch.sealedPassword === undefined ? {} : { password: patch.sealedPassword }),
    }
    if (Object.keys(columns).length === 0) return (await this.byUuid(uuid, { kind: 'all' })) !== undefined
    const { numUpdatedRows } = await this.#db
      .updateTable('registry')
      .set(columns)
      .where('uuid', '=', uuid)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('registry').where('uuid', '=', uuid).executeTakeFirst()
    return numDeletedRows > 0n
  }

  #select(scope: Scope): SelectQueryBuilder<Schema, 'registry', Selectable<RegistryTable>> {
    const select = this.#db.selectFrom('registry').selectAll()
    if (scope.kind === 'project') return select.where(sql<string>`project_id`, '=', scope.projectId)
    if (scope.kind === 'user') return select.where(sql<string>`user_id`, '=', scope.userId)
    return select
  }
}

function toRegistry(row: Selectable<RegistryTable>): Registry {
  return {
    id: row.id,
    uuid: row.uuid,
    name: row.name,
    domain: row.domain,
    username: row.username,
    sealedPassword: row.password,
    projectId: row.project_id,
    userId: row.user_id,
  }
}
