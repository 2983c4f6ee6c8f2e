import type { Kysely } from 'kysely'
import { QUOTA_RESOURCES, type QuotaLimits } from '../../../domain/quota.ts'
import type { QuotaOwner, QuotaWrites } from '../../../orchestration/ports/store.ts'
import { prepared } from '../prepared.ts'
import type { Schema } from '../schema.ts'

const find = prepared((db, p: { kind: string; owner: string }) =>
  db.selectFrom('quota').select(['resource', 'hard_limit']).where('kind', '=', p.kind).where('owner', '=', p.owner),
)

export class QuotaRepo implements QuotaWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async limitsOf([kind, owner]: QuotaOwner): Promise<Partial<QuotaLimits>> {
    const { rows } = await find(this.#db, { kind, owner })
    return Object.fromEntries(rows.map((row) => [row.resource, row.hard_limit]))
  }

  async set([kind, owner]: QuotaOwner, limits: Partial<QuotaLimits>): Promise<void> {
    for (const resource of QUOTA_RESOURCES) {
      const limit = limits[resource]
      if (limit === undefined) continue
      const { numUpdatedRows } = await this.#db
        .updateTable('quota')
        .set({ hard_limit: limit })
        .where('kind', '=', kind)
        .where('owner', '=', owner)
        .where('resource', '=', resource)
        .executeTakeFirst()
      if (numUpdatedRows > 0n) continue
      await this.#db.insertInto('quota').values({ kind, owner, resource, hard_limit: limit }).execute()
    }
  }

  async clear([kind, owner]: QuotaOwner): Promise<void> {
    await this.#db.deleteFrom('quota').where('kind', '=', kind).where('owner', '=', owner).execute()
  }
}
