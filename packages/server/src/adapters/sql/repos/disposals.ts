import type { Kysely } from 'kysely'
import type { LostMount } from '../../../orchestration/ports/local-resources.ts'
import type { DisposalWrites } from '../../../orchestration/ports/store.ts'
import type { Disposal, MountData } from '../../../orchestration/ports/wire.ts'
import type { DisposalTable, Schema } from '../schema.ts'

export class DisposalRepo implements DisposalWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async onHost(host: string): Promise<Disposal[]> {
    const rows = await this.#db
      .selectFrom('disposal')
      .select(['uuid', 'kind', 'mount'])
      .where('host', '=', host)
      .execute()
    return rows.map(toDisposal)
  }

  async hostsOf(uuid: string): Promise<string[]> {
    const rows = await this.#db.selectFrom('disposal').select('host').where('uuid', '=', uuid).execute()
    return rows.map((row) => row.host)
  }

  async mountsOfLostHosts(): Promise<LostMount[]> {
    const rows = await this.#db
      .selectFrom('disposal')
      .leftJoin('host', 'host.name', 'disposal.host')
      .select(['disposal.uuid', 'disposal.host', 'disposal.mount'])
      .where('disposal.kind', '=', 'mount')
      .where('host.name', 'is', null)
      .execute()
    const lost = rows.map(({ uuid, host, mount }) => ({ uuid, host, mount: JSON.parse(mount ?? '{}') as MountData }))
    // A file is of its host alone.
    return lost.filter(({ mount }) => mount.provider === 'block-storage')
  }

  async insert(disposal: Disposal, host: string): Promise<void> {
    const { uuid, kind } = disposal
    const mount = kind === 'mount' ? JSON.stringify(disposal.mount) : null
    await this.#db.insertInto('disposal').values({ uuid, kind, host, mount }).execute()
  }

  async remove(uuid: string, host: string): Promise<boolean> {
    const removal = this.#db.deleteFrom('disposal').where('uuid', '=', uuid).where('host', '=', host)
    return (await removal.executeTakeFirst()).numDeletedRows > 0n
  }
}

function toDisposal({ uuid, kind, mount }: Pick<DisposalTable, 'uuid' | 'kind' | 'mount'>): Disposal {
  return mount === null
    ? { uuid, kind: kind as 'network' | 'volume' }
    : { uuid, kind: 'mount', mount: JSON.parse(mount) as MountData }
}
