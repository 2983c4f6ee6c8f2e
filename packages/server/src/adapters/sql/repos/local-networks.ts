import { sql, type Kysely, type Selectable } from 'kysely'
import { Conflict, SystemFault } from '../../../domain/errors.ts'
import type { LocalNetwork, LocalNetworkWrites, NewLocalNetwork, Scope } from '../../../orchestration/ports/store.ts'
import { isConstraint } from '../store-errors.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import { prepared } from '../prepared.ts'
import type { LocalNetworkTable, Schema } from '../schema.ts'

export class LocalNetworkRepo implements LocalNetworkWrites {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  /** A network belongs to a project as a whole; a caller without one has none. */
  #in(scope: Scope) {
    const select = this.#db.selectFrom('local_network').selectAll()
    if (scope.kind === 'project') return select.where('project_id', '=', scope.projectId)
    return scope.kind === 'all' ? select : select.where('project_id', '=', '')
  }

  async byUuid(uuid: string, scope: Scope): Promise<LocalNetwork | undefined> {
    const row = await this.#in(scope).where('uuid', '=', uuid).executeTakeFirst()
    return row === undefined ? undefined : toNetwork(row)
  }

  async byName(name: string, scope: Scope): Promise<LocalNetwork[]> {
    return (await this.#in(scope).where('name', '=', name).where('deleting', '=', 0).execute()).map(toNetwork)
  }

  async list(scope: Scope): Promise<LocalNetwork[]> {
    if (scope.kind === 'project') return (await ofProject(this.#db, { projectId: scope.projectId })).rows.map(toNetwork)
    return (await this.#in(scope).orderBy('created_at').execute()).map(toNetwork)
  }

  async addresses(networkUuid: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('local_address')
      .select('address')
      .where('network_uuid', '=', networkUuid)
      .execute()
    return rows.map((row) => row.address)
  }

  async usedCidrs(): Promise<string[]> {
    const rows = await this.#db.selectFrom('local_network').select(['cidr_v4', 'cidr_v6']).execute()
    return rows.flatMap((row) => (row.cidr_v6 === null ? [row.cidr_v4] : [row.cidr_v4, row.cidr_v6]))
  }

  async insert(network: NewLocalNetwork): Promise<LocalNetwork> {
    try {
      await this.#db
        .insertInto('local_network')
        .values({
          uuid: network.uuid,
          name: network.name,
          project_id: network.projectId,
          default_key: network.isDefault ? network.projectId : null,
          cidr_v4: network.cidrV4,
          gateway_v4: network.gatewayV4,
          subnet_v4: network.subnetV4,
          cidr_v6: network.cidrV6,
          gateway_v6: network.gatewayV6,
          subnet_v6: network.subnetV6,
          created_at: sql<number>`${sql.raw(NOW_MS)}`,
        })
        .execute()
    } catch (error) {
      if (!isConstraint(error)) throw error
      throw new Conflict(`Network ${network.name} (${network.cidrV4}) collides with one that exists.`)
    }
    const made = await this.byUuid(network.uuid, { kind: 'all' })
    if (made === undefined) throw new SystemFault('store.lost', 'a network was not stored')
    return made
  }

  async reserveAddress(networkUuid: string, address: string, portUuid: string): Promise<void> {
    try {
      await insertAddress(this.#db, { networkUuid, address, portUuid })
    } catch (error) {
      if (!isConstraint(error)) throw error
      throw new Conflict(`Address ${address} of network ${networkUuid} is in use.`, 'port-in-use')
    }
  }

  async isAddressReserved(networkUuid: string, address: string): Promise<boolean> {
    return (await oneAddress(this.#db, { networkUuid, address })).rows.length > 0
  }

  async setNextHost(uuid: string, nextHost: number): Promise<void> {
    await setNextHost(this.#db, { uuid, nextHost })
  }

  async markDeleting(uuid: string): Promise<boolean> {
    const result = await this.#db
      .updateTable('local_network')
      .set({ deleting: 1, default_key: null })
      .where('uuid', '=', uuid)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    const result = await this.#db.deleteFrom('local_network').where('uuid', '=', uuid).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
}

const ofProject = prepared((db, p: { projectId: string }) =>
  db.selectFrom('local_network').selectAll().where('project_id', '=', p.projectId).orderBy('created_at'),
)

const insertAddress = prepared((db, p: { networkUuid: string; address: string; portUuid: string }) =>
  db.insertInto('local_address').values({ network_uuid: p.networkUuid, address: p.address, port_uuid: p.portUuid }),
)

const oneAddress = prepared((db, p: { networkUuid: string; address: string }) =>
  db
    .selectFrom('local_address')
    .select('address')
    .where('network_uuid', '=', p.networkUuid)
    .where('address', '=', p.address),
)

const setNextHost = prepared((db, p: { uuid: string; nextHost: number }) =>
  db.updateTable('local_network').set({ next_host: p.nextHost }).where('uuid', '=', p.uuid),
)

function toNetwork(row: Selectable<LocalNetworkTable>): LocalNetwork {
  return {
    uuid: row.uuid,
    name: row.name,
    projectId: row.project_id,
    isDefault: row.default_key !== null,
    cidrV4: row.cidr_v4,
    gatewayV4: row.gateway_v4,
    subnetV4: row.subnet_v4,
    cidrV6: row.cidr_v6,
    gatewayV6: row.gateway_v6,
    subnetV6: row.subnet_v6,
    createdAtMs: row.created_at,
    deleting: row.deleting === 1,
    nextHost: row.next_host,
  }
}
