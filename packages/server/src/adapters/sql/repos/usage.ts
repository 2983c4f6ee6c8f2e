import { sql, type Kysely, type Selectable } from 'kysely'
import type { Usage } from '../../../orchestration/ports/store.ts'
import type { Allocation, OperationParams } from '../../../orchestration/ports/wire.ts'
import { prepared } from '../prepared.ts'
import type { ContainerUsageTable, Schema } from '../schema.ts'

/** A row that counts, as far as it does. */
export interface Counted {
  readonly kind: number
  readonly projectId: string
  readonly host: string | null
  /** What its project's quota is asked for. */
  readonly spec: Amounts
  /** What it holds of its host. */
  readonly allocation: Allocation | null
}

type Amounts = Pick<Allocation, 'cpu' | 'memoryMiB' | 'diskGiB'>

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
  return row === undefined ? { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 } : toUsage(row)
}

const ofKind = prepared((db, p: { kind: string }) =>
  db.selectFrom('container_usage').selectAll().where('kind', '=', p.kind),
)

export async function usageOfHosts(db: Kysely<Schema>): Promise<ReadonlyMap<string, Usage>> {
  return new Map((await ofKind(db, { kind: 'host' })).rows.map((row) => [row.owner, toUsage(row)]))
}

function toUsage(row: Selectable<ContainerUsageTable>): Usage {
  return { containers: row.containers, cpu: row.cpu / CPU_UNIT, memoryMiB: row.memory_mib, diskGiB: row.disk }
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
  // Differences of fractions of a core are not exact; what is counted is.
  return { ...inUse, cpu: Math.round(cpu * CPU_UNIT) / CPU_UNIT, memoryMiB }
}

/** Counts a row in (`sign` 1) or out (-1). */
export async function count(db: Kysely<Schema>, row: Counted, sign: 1 | -1): Promise<void> {
  for (const [[kind, owner], amounts] of countsOf(row)) {
    const change: Change = {
      kind,
      owner,
      containers: sign,
      cpu: sign * Math.round(amounts.cpu * CPU_UNIT),
      memory: sign * amounts.memoryMiB,
      disk: sign * amounts.diskGiB,
    }
    const { numAffectedRows } = await increase(db, change)
    if (numAffectedRows === 0n) await begin(db, change)
  }
}

/** A project's quota is about containers; what is held of a host, a capsule holds for all its members. */
function countsOf({ kind, projectId, host, spec, allocation }: Counted): [Owner, Amounts][] {
  const counts: [Owner, Amounts][] = []
  if (kind === 0) counts.push([['project', projectId], spec])
  if (host !== null && allocation !== null) counts.push([['host', host], allocation])
  return counts
}
