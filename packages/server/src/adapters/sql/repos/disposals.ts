import type { Kysely } from 'kysely'
import type { DisposalWrites } from '../../../orchestration/ports/store.ts'
import type { Disposal } from '../../../orchestration/ports/wire.ts'
import type { Schema } from '../schema.ts'

export class DisposalRepo implements DisposalWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async onHost(host: string): Promise<Disposal[]> {
    const rows = await this.#db.selectFrom('disposal').select(['uuid', 'kind']).where('host', '=', host).execute()
    return rows.map((row) => ({ uuid: row.uuid, kind: row.kind as Disposal['kind'] }))
  }

  async hostsOf(uuid: string): Promise<string[]> {
    const rows = await this.#db.selectFrom('disposal').select('host').where('uuid', '=', uuid).execute()
    return rows.map((row) => row.host)
  }

  async insert({ uuid, kind }: Disposal, host: string): Promise<void> {
    await this.#db.insertInto('disposal').values({ uuid, kind, host }).execute()
  }

  async remove(uuid: string, host: string): Promise<boolean> {
    const removal = this.#db.deleteFrom('disposal').where('uuid', '=', uuid).where('host', '=', host)
    return (await removal.executeTakeFirst()).numDeletedRows > 0n
  }
}
