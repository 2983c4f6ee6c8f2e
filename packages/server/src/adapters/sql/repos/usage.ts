import { sql, type Kysely } from 'kysely'
import type { Usage } from '../../../orchestration/ports/store.ts'
import type { OperationParams } from '../../../orchestration/ports/wire.ts'
import { prepared } from '../prepared.ts'
import type { Schema } from '../schema.ts'

/** A row that counts, as far as it does. */
export interface Counted {
  readonly kind: number
  readonly projectId: string
  readonly host: string | null
  readonly spec: { readonly cpu: number; readonly memoryMiB: number; readonly diskGiB: number }
}

type Owner = readonly [kind: 'project' | 'host', owner: string]

interface Change {
  readonly kind: string
  readonly owner: string
  readonly containers: number
  readonly cpu: number
  readonly memory: number
  readonly disk: number
}

const CPU_UNIT = 1_000_000

const find = prepared((db, p: { kind: string; owner: string }) =>
  db.selectFrom('container_usage').selectAll().where('kind', '=', p.kind).where('owner', '=', p.owner),
)

const increase = prepared((db, p: Change) =>
  db
    .updateTable('container_usage')
    .set({
      containers: sql<number>`containers + ${p.containers}`,
      cpu: sql<number>`cpu + ${p.cpu}`,
      memory_mib: sql<number>`memory_mib + ${p.memory}`,
      disk: sql<number>`disk + ${p.disk}`,
    })
    .where('kind', '=', p.kind)
    .where('owner', '=', p.owner),
)

const begin = prepared((db, p: Change) =>
  db.insertInto('container_usage').values({
    kind: p.kind,
    owner: p.owner,
    containers: p.containers,
    cpu: p.cpu,
    memory_mib: p.memory,
    disk: p.disk,
  }),
)

export async function usageOf(db: Kysely<Schema>, [kind, owner]: Owner): Promise<Usage> {
  const [row] = (await find(db, { kind, owner })).rows
  return {
    containers: row?.containers ?? 0,
    cpu: (row?.cpu ?? 0) / CPU_UNIT,
    memoryMiB: row?.memory_mib ?? 0,
    diskGiB: row?.disk ?? 0,
  }
}

/** What resizes ask for that have not come to their end. */
const growing = prepared((db, p: { projectId: string; verb: string; waits: string; runs: string; kind: number }) =>
  db
    .selectFrom('operation')
    .innerJoin('container', 'container.uuid', 'operation.container_uuid')
    .select(['container.uuid', 'container.cpu', 'container.memory_mib', 'operation.params'])
    .where('operation.project_id', '=', p.projectId)
    .where('operation.verb', '=', p.verb)
    .where('operation.state', 'in', [p.waits, p.runs])
    .where('container.container_type', '=', p.kind),
)

/**
 * In use, and what is held for resizes under way: of several of one container the largest, since which of them comes to
 * its end is not known. Otherwise two of them could be accepted into the same room.
 */
export async function usageOfProject(db: Kysely<Schema>, projectId: string): Promise<Usage> {
  const inUse = await usageOf(db, ['project', projectId])
  const { rows } = await growing(db, { projectId, verb: 'resize', waits: 'queued', runs: 'running', kind: 0 })
  if (rows.length === 0) return inUse
  const peaks = new Map<string, { cpu: number; memory: number }>()
  let { cpu, memoryMiB } = inUse
  for (const row of rows) {
    const before = peaks.get(row.uuid) ?? { cpu: row.cpu, memory: row.memory_mib }
    const wanted = JSON.parse(row.params) as OperationParams
    const peak = {
      cpu: Math.max(before.cpu, wanted.cpu ?? 0),
      memory: Math.max(before.memory, wanted.memoryMiB ?? 0),
    }
    peaks.set(row.uuid, peak)
    cpu += peak.cpu - before.cpu
    memoryMiB += peak.memory - before.memory
  }
  return { ...inUse, cpu, memoryMiB }
}

/** Counts a row in (`sign` 1) or out (-1). */
export async function count(db: Kysely<Schema>, row: Counted, sign: 1 | -1): Promise<void> {
  for (const [kind, owner] of ownersOf(row)) {
    const change: Change = {
      kind,
      owner,
      containers: sign,
      cpu: sign * Math.round(row.spec.cpu * CPU_UNIT),
      memory: sign * row.spec.memoryMiB,
      disk: sign * row.spec.diskGiB,
    }
    const { numAffectedRows } = await increase(db, change)
    if (numAffectedRows === 0n) await begin(db, change)
  }
}

/** A project's quota is about containers; a capsule counts on its host only, and for its members too. */
function ownersOf({ kind, projectId, host }: Counted): Owner[] {
  const owners: Owner[] = []
  if (kind === 0) owners.push(['project', projectId])
  if (host !== null && kind <= 1) owners.push(['host', host])
  return owners
}
