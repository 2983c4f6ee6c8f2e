import { sql, type CompiledQuery, type Kysely, type Selectable, type SelectQueryBuilder } from 'kysely'
import { InvalidInput, NotFound } from '../../../domain/errors.ts'
import type { Addresses, Container, ContainerKind, ContainerStatus } from '../../../domain/container/types.ts'
import type {
  ContainerFilterKey,
  ContainerFilters,
  ContainerKey,
  ContainerPatch,
  ContainerQuery,
  ContainerWrites,
  NewContainer,
  Scope,
  Usage,
} from '../../../orchestration/ports/store.ts'
import type { ContainerSpec, DesiredState, Observation } from '../../../orchestration/ports/wire.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { ContainerTable, Schema } from '../schema.ts'

/** API field name → column that sorts it. */
const SORT_COLUMNS: Readonly<Record<string, keyof ContainerTable>> = {
  id: 'id',
  uuid: 'uuid',
  name: 'name',
  image: 'image',
  memory: 'memory',
  cpu: 'cpu',
  disk: 'disk',
  auto_remove: 'auto_remove',
  project_id: 'project_id',
  user_id: 'user_id',
  host: 'host',
  status: 'status',
  status_reason: 'status_reason',
  task_state: 'task_state',
  created_at: 'created_at',
  updated_at: 'updated_at',
}

const FILTER_COLUMNS: Readonly<Record<ContainerFilterKey, keyof ContainerTable>> = {
  name: 'name',
  image: 'image',
  project_id: 'project_id',
  user_id: 'user_id',
  memory: 'memory',
  host: 'host',
  task_state: 'task_state',
  status: 'status',
  auto_remove: 'auto_remove',
}

export class ContainerRepo implements ContainerWrites {
  readonly #db: Kysely<Schema>
  /** Asked at every GET of one container: building the text each time would cost more than the answer. */
  readonly #keyQueries: Partial<Record<Scope['kind'], CompiledQuery<ContainerKey>>> = {}

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  async byUuid(uuid: string, scope: Scope): Promise<Container | undefined> {
    const row = await scoped(
      this.#db.selectFrom('container').selectAll().where('uuid', '=', uuid),
      scope,
    ).executeTakeFirst()
    return row === undefined ? undefined : toContainer(row)
  }

  async key(uuid: string, scope: Scope): Promise<ContainerKey | undefined> {
    const query = (this.#keyQueries[scope.kind] ??= scoped(
      this.#db.selectFrom('container').select(['uuid', 'revision']).where('uuid', '=', ''),
      scope,
    ).compile())
    const owner = scope.kind === 'project' ? [scope.projectId] : scope.kind === 'user' ? [scope.userId] : []
    const { rows } = await this.#db.executeQuery<ContainerKey>({ ...query, parameters: [uuid, ...owner] })
    return rows[0]
  }

  async byName(name: string, scope: Scope): Promise<Container[]> {
    const rows = await scoped(
      this.#db.selectFrom('container').selectAll().where('name', '=', name).where('container_type', '=', 0),
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
        this.#db.selectFrom('container').select(['uuid', 'revision']).where('container_type', '=', 0),
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
      this.#db.selectFrom('container').selectAll().where('uuid', '=', marker),
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

  async onHost(host: string): Promise<Container[]> {
    return (await this.#db.selectFrom('container').selectAll().where('host', '=', host).execute()).map(toContainer)
  }

  async usageOfProject(projectId: string): Promise<Usage> {
    return await usage(
      this.#db.selectFrom('container').where('project_id', '=', projectId).where('container_type', '=', 0),
    )
  }

  async usageOfHost(host: string): Promise<Usage> {
    return await usage(this.#db.selectFrom('container').where('host', '=', host))
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
    await this.#db
      .insertInto('container')
      .values({
        uuid: container.uuid,
        revision: 1,
        container_type: container.kind,
        project_id: container.projectId,
        user_id: container.userId,
        name: container.name,
        ...specColumns(container.spec),
        desired: container.desired,
        generation: 0,
        host: container.host,
        status: container.status,
        status_reason: container.statusReason,
        task_state: null,
        progress: null,
        observed: null,
        addresses: JSON.stringify(container.addresses),
        created_at: sql<number>`${sql.raw(NOW_MS)}`,
        updated_at: null,
      })
      .execute()
    const made = await this.byUuid(container.uuid, { kind: 'all' })
    if (made === undefined) throw new NotFound(`Container ${container.uuid} could not be found.`, 'container-not-found')
    return made
  }

  async update(uuid: string, patch: ContainerPatch): Promise<boolean> {
    const result = await this.#db
      .updateTable('container')
      .set({
        revision: sql<number>`revision + 1`,
        updated_at: sql<number>`${sql.raw(NOW_MS)}`,
        ...(patch.name === undefined ? {} : { name: patch.name }),
        ...(patch.spec === undefined ? {} : specColumns(patch.spec)),
        ...(patch.desired === undefined ? {} : { desired: patch.desired }),
        ...(patch.generation === undefined ? {} : { generation: patch.generation }),
        ...(patch.host === undefined ? {} : { host: patch.host }),
        ...(patch.status === undefined ? {} : { status: patch.status }),
        ...(patch.statusReason === undefined ? {} : { status_reason: patch.statusReason }),
        ...(patch.taskState === undefined ? {} : { task_state: patch.taskState }),
        ...(patch.progress === undefined ? {} : { progress: patch.progress }),
        ...(patch.observed === undefined
          ? {}
          : { observed: patch.observed === null ? null : JSON.stringify(patch.observed) }),
        ...(patch.addresses === undefined ? {} : { addresses: JSON.stringify(patch.addresses) }),
      })
      .where('uuid', '=', uuid)
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  async remove(uuid: string): Promise<boolean> {
    await this.#db
      .deleteFrom('local_address')
      .where('port_uuid', 'in', this.#db.selectFrom('binding').select('uuid').where('container_uuid', '=', uuid))
      .execute()
    const result = await this.#db.deleteFrom('container').where('uuid', '=', uuid).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
}

export function scoped<O, T extends 'container' | 'image' | 'local_volume'>(
  select: SelectQueryBuilder<Schema, T, O>,
  scope: Scope,
): SelectQueryBuilder<Schema, T, O> {
  if (scope.kind === 'project') return select.where(sql<string>`project_id`, '=', scope.projectId)
  if (scope.kind === 'user') return select.where(sql<string>`user_id`, '=', scope.userId)
  return select
}

function filtered<O>(
  select: SelectQueryBuilder<Schema, 'container', O>,
  filters: ContainerFilters,
): SelectQueryBuilder<Schema, 'container', O> {
  let narrowed = select
  for (const [key, values] of Object.entries(filters)) {
    if (values === undefined) continue
    const column = FILTER_COLUMNS[key as ContainerFilterKey]
    const wanted = column === 'auto_remove' ? values.map((v) => (isTrue(v) ? 1 : 0)) : [...values]
    narrowed = narrowed.where(column, 'in', wanted)
  }
  return narrowed
}

function isTrue(text: string): boolean {
  return ['1', 't', 'true', 'on', 'y', 'yes'].includes(text.toLowerCase())
}

async function usage(select: SelectQueryBuilder<Schema, 'container', object>): Promise<Usage> {
  const row = await select
    .select((eb) => [
      eb.fn.countAll<number>().as('containers'),
      eb.fn.sum<number | null>('cpu').as('cpu'),
      eb.fn.sum<number | null>('memory_mib').as('memory'),
      eb.fn.sum<number | null>('disk').as('disk'),
    ])
    .executeTakeFirst()
  return {
    containers: Number(row?.containers ?? 0),
    cpu: Number(row?.cpu ?? 0),
    memoryMiB: Number(row?.memory ?? 0),
    diskGiB: Number(row?.disk ?? 0),
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
    spec: JSON.stringify(spec),
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
    name: row.name,
    spec: JSON.parse(row.spec) as ContainerSpec,
    desired: row.desired as DesiredState,
    generation: row.generation,
    host: row.host,
    status: row.status as ContainerStatus,
    statusReason: row.status_reason,
    taskState: row.task_state,
    progress: row.progress,
    observed: row.observed === null ? null : (JSON.parse(row.observed) as Observation),
    addresses: JSON.parse(row.addresses) as Addresses,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
  }
}
