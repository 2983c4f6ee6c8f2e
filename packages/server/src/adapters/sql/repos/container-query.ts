/** Lists of containers: what they may be sorted and filtered by. */
import { sql, type SelectQueryBuilder } from 'kysely'
import type { ContainerFilterKey, ContainerFilters, Scope } from '../../../orchestration/ports/store.ts'
import type { ContainerTable, Schema } from '../schema.ts'

/** API field name → column that sorts it. */
export const SORT_COLUMNS: Readonly<Record<string, keyof ContainerTable>> = {
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

export function scoped<O, T extends 'container' | 'image' | 'local_volume' | 'container_history'>(
  select: SelectQueryBuilder<Schema, T, O>,
  scope: Scope,
): SelectQueryBuilder<Schema, T, O> {
  if (scope.kind === 'project') return select.where(sql<string>`project_id`, '=', scope.projectId)
  if (scope.kind === 'user') return select.where(sql<string>`user_id`, '=', scope.userId)
  return select
}

export function filtered<O>(
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
