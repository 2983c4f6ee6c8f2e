import { sql, type Kysely, type Selectable, type SelectQueryBuilder, type UpdateResult } from 'kysely'
import { InvalidInput, NotFound } from '../../../domain/errors.ts'
import type {
  Addresses,
  Allocation,
  Container,
  ContainerKind,
  ContainerStatus,
} from '../../../domain/container/types.ts'
import type {
  ContainerKey,
  ContainerPatch,
  ContainerQuery,
  ContainerWrites,
  NamedKind,
  NewContainer,
  Scope,
  Usage,
} from '../../../orchestration/ports/store.ts'
import type { ContainerSpec, DesiredState, Observation } from '../../../orchestration/ports/wire.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import { prepared, type Prepared } from '../prepared.ts'
import type { ContainerTable, Schema } from '../schema.ts'
import { filtered, scoped, SORT_COLUMNS } from './container-query.ts'
import { EventRepo } from './event-log.ts'
import { count, usageOf, usageOfHosts, usageOfProject } from './usage.ts'

export class ContainerRepo implements ContainerWrites {
  readonly #db: Kysely<Schema>
  /** Updates by the columns they set. */
  readonly #updates = new Map<string, Prepared<Record<string, unknown>, UpdateResult>>()

  readonly #events: EventRepo

  constructor(db: Kysely<Schema>, events = new EventRepo(db)) {
    this.#db = db
    this.#events = events
  }

  async byUuid(uuid: string, scope: Scope): Promise<Container | undefined> {
    const [row] = (await ROW[scope.kind](this.#db, { uuid, owner: ownerOf(scope) })).rows
    return row === undefined ? undefined : toContainer(row)
  }

  async key(uuid: string, scope: Scope): Promise<ContainerKey | undefined> {
    return (await KEY[scope.kind](this.#db, { uuid, owner: ownerOf(scope) })).rows[0]
  }

  async byName(name: string, kind: NamedKind, scope: Scope): Promise<Container[]> {
    const rows = await scoped(
      this.#db.selectFrom('container').selectAll().where('name', '=', name).where('container_type', '=', kind),
      scope,
    ).execute()
    return rows.map(toContainer)
  }

  async keys(query: ContainerQuery): Promise<ContainerKey[]> {
    const column = Object.hasOwn(SORT_COLUMNS, query.sortKey) ? SORT_COLUMNS[query.sortKey] : undefined
    if (column === undefined) {
      throw new InvalidInput(
        `Invalid input for query parameters 'sort_key'. Value: '${query.sortKey}'. It is not one of ${Object.keys(SORT_COLUMNS).join(', ')}`,
        'invalid-parameter-value',
      )
    }
    let select = filtered(
      scoped(
        this.#db.selectFrom('container').select(['uuid', 'revision']).where('container_type', '=', query.kind),
        query.scope,
      ),
      query.filters,
    )
    if (query.marker !== null) select = await this.#after(select, column, query.marker, query)
    return await select.orderBy(column, query.sortDir).orderBy('id', query.sortDir).limit(query.limit).execute()
  }

  /** Rows behind the marker; NULL sorts before every value, as SQLite and MariaDB have it. */
  async #after<O>(
    select: SelectQueryBuilder<Schema, 'container', O>,
    column: keyof ContainerTable,
    marker: string,
    query: ContainerQuery,
  ): Promise<SelectQueryBuilder<Schema, 'container', O>> {
    const row = await scoped(
      this.#db.selectFrom('container').selectAll().where('uuid', '=', marker).where('container_type', '=', query.kind),
      query.scope,
    ).executeTakeFirst()
    if (row === undefined) throw new NotFound(`Container ${marker} could not be found.`, 'container-not-found')
    const beyond = query.sortDir === 'asc' ? '>' : '<'
    if (column === 'id') return select.where('id', beyond, row.id)
    const value = row[column]
    return select.where((eb) => {
      const tie = eb.and([value === null ? eb(column, 'is', null) : eb(column, '=', value), eb('id', beyond, row.id)])
      if (value === null) return query.sortDir === 'asc' ? eb.or([eb(column, 'is not', null), tie]) : tie
      const further = eb(column, beyond, value)
      return query.sortDir === 'asc' ? eb.or([further, tie]) : eb.or([further, eb(column, 'is', null), tie])
    })
  }

  async byUuids(uuids: readonly string[]): Promise<Container[]> {
    const found: Container[] = []
    // Engines bound the number of parameters of a statement.
    for (let i = 0; i < uuids.length; i += 500) {
      const rows = await this.#db
        .selectFrom('container')
        .selectAll()
        .where('uuid', 'in', uuids.slice(i, i + 500))
        .execute()
      for (const row of rows) found.push(toContainer(row))
    }
    return found
  }

  async membersOf(capsuleUuids: readonly string[]): Promise<Container[]> {
    const found: Container[] = []
    for (let i = 0; i < capsuleUuids.length; i += 500) {
      const rows = await this.#db
        .selectFrom('container')
        .selectAll()
        .where('capsule_uuid', 'in', capsuleUuids.slice(i, i + 500))
        .orderBy('id')
        .execute()
      for (const row of rows) found.push(toContainer(row))
    }
    return found
  }

  async onHost(host: string): Promise<Container[]> {
    return (await this.#db.selectFrom('container').selectAll().where('host', '=', host).execute()).map(toContainer)
  }

  async usageOfProject(projectId: string): Promise<Usage> {
    return await usageOfProject(this.#db, projectId)
  }

  async usageOfHost(host: string): Promise<Usage> {
    return await usageOf(this.#db, ['host', host])
  }

  async usageOfHosts(): Promise<ReadonlyMap<string, Usage>> {
    return await usageOfHosts(this.#db)
  }

  async exclusiveAllocations(): Promise<ReadonlyMap<string, readonly Allocation[]>> {
    const byHost = new Map<string, Allocation[]>()
    for (const { host, allocation } of (await exclusive(this.#db, { exclusive: 1 })).rows) {
      if (host === null || allocation === null) continue
      const held = byHost.get(host) ?? []
      held.push(JSON.parse(allocation) as Allocation)
      byHost.set(host, held)
    }
    return byHost
  }

  async nameTaken(name: string, projectId: string | null, exceptUuid: string | null): Promise<boolean> {
    let select = this.#db.selectFrom('container').select('id').where(sql<string>`lower(name)`, '=', name.toLowerCase())
    if (projectId !== null) select = select.where('project_id', '=', projectId)
    if (exceptUuid !== null) select = select.where('uuid', '!=', exceptUuid)
    return (await select.limit(1).executeTakeFirst()) !== undefined
  }

  async countByStatus(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#db
      .selectFrom('container')
      .select(['status', (eb) => eb.fn.countAll<number>().as('n')])
      .groupBy('status')
      .execute()
    return Object.fromEntries(rows.map((row) => [row.status, Number(row.n)]))
  }

  async insert(container: NewContainer): Promise<Container> {
    await insertRow(this.#db, {
      uuid: container.uuid,
      kind: container.kind,
      projectId: container.projectId,
      userId: container.userId,
      name: container.name ?? '',
      ...specColumns(container.spec),
      desired: container.desired,
      host: container.host,
      ...allocationColumns(container.allocation),
      status: container.status,
      statusReason: container.statusReason,
      addresses: JSON.stringify(container.addresses),
      capsuleUuid: container.capsuleUuid ?? null,
      annotations: container.annotations == null ? null : JSON.stringify(container.annotations),
    })
    await count(this.#db, container, 1)
    const made = await this.byUuid(container.uuid, { kind: 'all' })
    if (made === undefined) throw new NotFound(`Container ${container.uuid} could not be found.`, 'container-not-found')
    const { uuid, kind, projectId, userId, name, status, statusReason, capsuleUuid } = made
    await this.#events.ofContainer(
      {
        uuid,
        container_type: kind,
        project_id: projectId,
        user_id: userId,
        name: name ?? '',
        capsule_uuid: capsuleUuid,
      },
      { type: 'created', status, status_reason: statusReason },
    )
    return made
  }

  async update(uuid: string, patch: ContainerPatch): Promise<boolean> {
    const before =
      patch.spec === undefined && patch.host === undefined && patch.allocation === undefined
        ? undefined
        : await this.byUuid(uuid, { kind: 'all' })
    if (patch.status !== undefined) await this.#tellStatus(uuid, patch.status, patch)
    const columns = columnsOf(patch)
    const { numAffectedRows } = await this.#updateOf(Object.keys(columns))(this.#db, { ...columns, uuid })
    if (before !== undefined) {
      await count(this.#db, before, -1)
      await count(
        this.#db,
        {
          ...before,
          host: patch.host === undefined ? before.host : patch.host,
          spec: patch.spec ?? before.spec,
          allocation: patch.allocation === undefined ? before.allocation : patch.allocation,
        },
        1,
      )
    }
    return numAffectedRows !== 0n
  }

  async #tellStatus(uuid: string, status: ContainerStatus, { name, statusReason }: ContainerPatch): Promise<void> {
    const [row] = (await told(this.#db, { uuid })).rows
    if (row === undefined || row.status === status) return
    await this.#events.ofContainer(
      { ...row, name: name ?? row.name },
      {
        type: 'status_changed',
        status,
        previous_status: row.status as ContainerStatus,
        status_reason: statusReason === undefined ? row.status_reason : statusReason,
      },
    )
  }

  #updateOf(columns: readonly string[]): Prepared<Record<string, unknown>, UpdateResult> {
    const key = columns.join()
    let made = this.#updates.get(key)
    if (made === undefined) {
      made = prepared((db, p: Record<string, unknown>) =>
        db
          .updateTable('container')
          .set({
            revision: sql<number>`revision + 1`,
            updated_at: sql<number>`${sql.raw(NOW_MS)}`,
            ...Object.fromEntries(columns.map((column) => [column, p[column]])),
          })
          .where('uuid', '=', p['uuid'] as string),
      )
      this.#updates.set(key, made)
    }
    return made
  }

  async remove(uuid: string): Promise<boolean> {
    const before = await this.byUuid(uuid, { kind: 'all' })
    if (before === undefined) return false
    await this.#db
      .deleteFrom('local_address')
      .where('port_uuid', 'in', this.#db.selectFrom('binding').select('uuid').where('container_uuid', '=', uuid))
      .execute()
    // What could open a terminal of it; only those of the last minute are there.
    await this.#db.deleteFrom('stream_ticket').where('container_uuid', '=', uuid).execute()
    const gone = (await toldOfCapsule(this.#db, { uuid })).rows
    await this.#db.deleteFrom('container').where('uuid', '=', uuid).execute()
    for (const row of gone) {
      await this.#events.ofContainer(row, { type: 'deleted', status: row.status as ContainerStatus })
    }
    await count(this.#db, before, -1)
    return true
  }
}

interface OneRow {
  readonly uuid: string
  /** Project or user, by the scope. */
  readonly owner: string
}

const ownerOf = (scope: Scope): string =>
  scope.kind === 'project' ? scope.projectId : scope.kind === 'user' ? scope.userId : ''

const oneRow = (db: Kysely<Schema>, { uuid }: OneRow) => db.selectFrom('container').selectAll().where('uuid', '=', uuid)
const oneKey = (db: Kysely<Schema>, { uuid }: OneRow) =>
  db.selectFrom('container').select(['uuid', 'revision']).where('uuid', '=', uuid)

const TOLD = [
  'uuid',
  'container_type',
  'project_id',
  'user_id',
  'name',
  'capsule_uuid',
  'status',
  'status_reason',
] as const

const told = prepared((db, p: { uuid: string }) => db.selectFrom('container').select(TOLD).where('uuid', '=', p.uuid))
/** With its members, which come first. */
const toldOfCapsule = prepared((db, p: { uuid: string }) =>
  db
    .selectFrom('container')
    .select(TOLD)
    .where((eb) => eb.or([eb('uuid', '=', p.uuid), eb('capsule_uuid', '=', p.uuid)]))
    .orderBy('id', 'desc'),
)

const ROW = {
  all: prepared(oneRow),
  project: prepared((db, p: OneRow) => oneRow(db, p).where('project_id', '=', p.owner)),
  user: prepared((db, p: OneRow) => oneRow(db, p).where('user_id', '=', p.owner)),
}

const KEY = {
  all: prepared(oneKey),
  project: prepared((db, p: OneRow) => oneKey(db, p).where('project_id', '=', p.owner)),
  user: prepared((db, p: OneRow) => oneKey(db, p).where('user_id', '=', p.owner)),
}

interface InsertedRow extends ReturnType<typeof specColumns>, ReturnType<typeof allocationColumns> {
  readonly uuid: string
  readonly kind: number
  readonly projectId: string
  readonly userId: string
  readonly name: string
  readonly desired: string
  readonly host: string | null
  readonly status: string
  readonly statusReason: string | null
  readonly addresses: string
  readonly capsuleUuid: string | null
  readonly annotations: string | null
}

const exclusive = prepared((db, p: { exclusive: number }) =>
  db.selectFrom('container').select(['host', 'allocation']).where('exclusive', '=', p.exclusive).orderBy('id'),
)

const insertRow = prepared((db, p: InsertedRow) =>
  db.insertInto('container').values({
    uuid: p.uuid,
    revision: 1,
    container_type: p.kind,
    project_id: p.projectId,
    user_id: p.userId,
    name: p.name,
    image: p.image,
    memory: p.memory,
    cpu: p.cpu,
    memory_mib: p.memory_mib,
    disk: p.disk,
    auto_remove: p.auto_remove,
    registry_uuid: p.registry_uuid,
    spec: p.spec,
    desired: p.desired,
    generation: 0,
    host: p.host,
    allocation: p.allocation,
    exclusive: p.exclusive,
    status: p.status,
    status_reason: p.statusReason,
    task_state: null,
    progress: null,
    observed: null,
    addresses: p.addresses,
    capsule_uuid: p.capsuleUuid,
    annotations: p.annotations,
    created_at: sql<number>`${sql.raw(NOW_MS)}`,
    updated_at: null,
  }),
)

function columnsOf(patch: ContainerPatch): Readonly<Record<string, unknown>> {
  return {
    ...(patch.name === undefined ? {} : { name: patch.name }),
    ...(patch.spec === undefined ? {} : specColumns(patch.spec)),
    ...(patch.desired === undefined ? {} : { desired: patch.desired }),
    ...(patch.generation === undefined ? {} : { generation: patch.generation }),
    ...(patch.host === undefined ? {} : { host: patch.host }),
    ...(patch.allocation === undefined ? {} : allocationColumns(patch.allocation)),
    ...(patch.status === undefined ? {} : { status: patch.status }),
    ...(patch.statusReason === undefined ? {} : { status_reason: patch.statusReason }),
    ...(patch.taskState === undefined ? {} : { task_state: patch.taskState }),
    ...(patch.progress === undefined ? {} : { progress: patch.progress }),
    ...(patch.observed === undefined
      ? {}
      : { observed: patch.observed === null ? null : JSON.stringify(patch.observed) }),
    ...(patch.addresses === undefined ? {} : { addresses: JSON.stringify(patch.addresses) }),
  }
}

function specColumns(spec: ContainerSpec) {
  return {
    image: spec.image,
    memory: String(spec.memoryMiB),
    cpu: spec.cpu,
    memory_mib: spec.memoryMiB,
    disk: spec.diskGiB,
    auto_remove: spec.autoRemove ? 1 : 0,
    registry_uuid: spec.registryUuid,
    spec: JSON.stringify(spec),
  }
}

function allocationColumns(allocation: Allocation | null) {
  return {
    allocation: allocation === null ? null : JSON.stringify(allocation),
    exclusive: allocation !== null && (allocation.cpuset !== null || allocation.pciDevices.length > 0) ? 1 : 0,
  }
}

function toContainer(row: Selectable<ContainerTable>): Container {
  return {
    id: row.id,
    uuid: row.uuid,
    revision: row.revision,
    kind: row.container_type as ContainerKind,
    projectId: row.project_id,
    userId: row.user_id,
    name: row.container_type === 1 && row.name === '' ? null : row.name,
    spec: JSON.parse(row.spec) as ContainerSpec,
    desired: row.desired as DesiredState,
    generation: row.generation,
    host: row.host,
    allocation: row.allocation === null ? null : (JSON.parse(row.allocation) as Allocation),
    status: row.status as ContainerStatus,
    statusReason: row.status_reason,
    taskState: row.task_state,
    progress: row.progress,
    observed: row.observed === null ? null : (JSON.parse(row.observed) as Observation),
    addresses: JSON.parse(row.addresses) as Addresses,
    capsuleUuid: row.capsule_uuid,
    annotations: row.annotations === null ? null : (JSON.parse(row.annotations) as Record<string, unknown>),
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
  }
}
