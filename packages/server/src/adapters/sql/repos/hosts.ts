import { sql, type CompiledQuery, type Kysely, type Selectable } from 'kysely'
import type { Host, HostWrites } from '../../../orchestration/ports/store.ts'
import type { HostHello, HostInventory } from '../../../orchestration/ports/wire.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import { prepared } from '../prepared.ts'
import type { HostTable, Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export class HostRepo implements HostWrites {
  readonly #db: Kysely<Schema>

  /** Read at every choice of a host, changed by few heartbeats. */
  readonly #inventories = new Map<number, { text: string; inventory: HostInventory }>()
  /** Its text is made once. */
  #epochQuery: CompiledQuery<{ epoch: number }> | undefined

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  #select() {
    return this.#db.selectFrom('host').selectAll().select(now.as('now'))
  }

  async list(): Promise<Host[]> {
    return (await all(this.#db, {})).rows.map((row) => this.#toHost(row))
  }

  async byName(name: string): Promise<Host | undefined> {
    const [row] = (await named(this.#db, { name })).rows
    return row === undefined ? undefined : this.#toHost(row)
  }

  async byUuid(uuid: string): Promise<Host | undefined> {
    const row = await this.#select().where('uuid', '=', uuid).executeTakeFirst()
    return row === undefined ? undefined : this.#toHost(row)
  }

  async epochOf(name: string): Promise<number | undefined> {
    const query = (this.#epochQuery ??= this.#db.selectFrom('host').select('epoch').where('name', '=', '').compile())
    const { rows } = await this.#db.executeQuery<{ epoch: number }>({ ...query, parameters: [name] })
    return rows[0]?.epoch
  }

  async beginSession(hello: HostHello & { readonly uuidIfNew: string }): Promise<number> {
    const epoch = await this.epochOf(hello.host)
    const dial = { dial_address: hello.address?.address ?? null, dial_port: hello.address?.port ?? null }
    if (epoch === undefined) {
      await this.#db
        .insertInto('host')
        .values({
          uuid: hello.uuidIfNew,
          name: hello.host,
          availability_zone: hello.availabilityZone,
          ...dial,
          epoch: 1,
          inventory: null,
          disabled: 0,
          disabled_reason: null,
          forced_down: 0,
          last_seen_at: now,
          engine_trouble: null,
          engine_trouble_since: null,
          report_count: 1,
          created_at: now,
          updated_at: null,
        })
        .execute()
      return 1
    }
    await this.#db
      .updateTable('host')
      .set({ ...dial, epoch: epoch + 1, availability_zone: hello.availabilityZone, last_seen_at: now, updated_at: now })
      .where('name', '=', hello.host)
      .execute()
    return epoch + 1
  }

  async heartbeat(
    name: string,
    epoch: number,
    beat: { engineTrouble: string | null; inventory?: HostInventory },
  ): Promise<boolean> {
    const result = await this.#db
      .updateTable('host')
      .set({
        last_seen_at: now,
        updated_at: now,
        report_count: sql<number>`report_count + 1`,
        engine_trouble: beat.engineTrouble,
        engine_trouble_since: beat.engineTrouble === null ? null : sql<number>`coalesce(engine_trouble_since, ${now})`,
        ...(beat.inventory === undefined ? {} : { inventory: JSON.stringify(beat.inventory) }),
      })
      .where('name', '=', name)
      .where('epoch', '=', epoch)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async setDisabled(name: string, disabled: boolean, reason: string | null): Promise<boolean> {
    return await this.#set(name, { disabled: disabled ? 1 : 0, disabled_reason: reason })
  }

  async setForcedDown(name: string, forcedDown: boolean): Promise<boolean> {
    return await this.#set(name, { forced_down: forcedDown ? 1 : 0 })
  }

  async #set(
    name: string,
    values: { disabled?: number; disabled_reason?: string | null; forced_down?: number },
  ): Promise<boolean> {
    const result = await this.#db
      .updateTable('host')
      .set({ ...values, updated_at: now })
      .where('name', '=', name)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  #toHost(row: HostRow): Host {
    const { id, inventory: text } = row
    if (text === null) return toHost(row, null)
    let known = this.#inventories.get(id)
    if (known?.text !== text) {
      known = { text, inventory: JSON.parse(text) as HostInventory }
      this.#inventories.set(id, known)
    }
    return toHost(row, known.inventory)
  }

  async remove(name: string): Promise<boolean> {
    const result = await this.#db.deleteFrom('host').where('name', '=', name).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
}

/** Asked once, not for each row. */
const oneNow = sql<number>`(SELECT ${now})`

const all = prepared((db) => db.selectFrom('host').selectAll().select(oneNow.as('now')).orderBy('id'))
const named = prepared((db, p: { name: string }) =>
  db.selectFrom('host').selectAll().select(now.as('now')).where('name', '=', p.name),
)

type HostRow = Selectable<HostTable> & { now: number }

function toHost(row: HostRow, inventory: HostInventory | null): Host {
  return {
    id: row.id,
    uuid: row.uuid,
    name: row.name,
    binary: 'zun-compute',
    availabilityZone: row.availability_zone,
    address: row.dial_address === null ? null : { address: row.dial_address, port: row.dial_port ?? 0 },
    epoch: row.epoch,
    inventory,
    disabled: row.disabled === 1,
    disabledReason: row.disabled_reason,
    forcedDown: row.forced_down === 1,
    lastSeenAtMs: row.last_seen_at,
    silentMs: Math.max(0, row.now - (row.last_seen_at ?? row.created_at)),
    engineTrouble: row.engine_trouble,
    engineTroubleMs: row.engine_trouble_since === null ? 0 : Math.max(0, row.now - row.engine_trouble_since),
    reportCount: row.report_count,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
  }
}
