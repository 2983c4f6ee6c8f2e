/** What is known of a container's past, while it lives and after it was deleted (docs/design/history.md). */
import { NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Operation, Step } from '../../domain/operation/types.ts'
import type {
  HistoryQuery,
  PastContainer,
  PastOperation,
  PastSummary,
  StopRecord,
} from '../../orchestration/ports/history.ts'
import type { Store } from '../../orchestration/ports/store.ts'
import { lookupScope, ownScope, type RequestContext } from '../context.ts'
import type { AppOptions } from '../options.ts'
import type { Policy } from '../ports/policy.ts'

export interface HistoryDeps {
  readonly store: Store
  readonly policy: Policy
  readonly options: AppOptions
}

export interface ContainerPast extends Omit<PastContainer, 'deletedAtMs'> {
  /** null: it is still there. */
  readonly deletedAtMs: number | null
  /** Of a capsule. */
  readonly members: readonly { readonly uuid: string; readonly name: string | null }[]
  /** Newest first. */
  readonly stops: readonly StopRecord[]
}

export interface HistoryList extends Omit<HistoryQuery, 'scope'> {
  readonly allProjects: boolean
}

/** Deleted containers, as long as they are remembered. */
export async function listHistory(
  deps: HistoryDeps,
  ctx: RequestContext,
  { allProjects, ...query }: HistoryList,
): Promise<PastSummary[]> {
  deps.policy.authorize('history:get_all', ctx)
  if (allProjects) deps.policy.authorize('history:get_all_all_projects', ctx)
  return await deps.store.history.list({ ...query, scope: allProjects ? { kind: 'all' } : ownScope(ctx) })
}

/** NotFound for what never was, is forgotten, or is another project's. */
export async function showHistory(deps: HistoryDeps, ctx: RequestContext, ident: string): Promise<ContainerPast> {
  const { store, policy } = deps
  const uuid = normaliseUuid(ident)
  const past = uuid === undefined ? undefined : await found(store, ctx, uuid)
  if (past === undefined) {
    throw new NotFound(`No history of container ${ident.slice(0, 255)} could be found.`, 'container-not-found')
  }
  const target = { uuid: past.uuid, project_id: past.projectId, user_id: past.userId, name: past.name }
  policy.authorize('history:get_one', ctx, target)
  return { ...past, stops: await store.history.stops(past.uuid), members: await membersOf(store, past) }
}

async function found(
  store: Store,
  ctx: RequestContext,
  uuid: string,
): Promise<Omit<ContainerPast, 'stops' | 'members'> | undefined> {
  const scope = lookupScope(ctx)
  const live = await store.containers.byUuid(uuid, scope)
  if (live === undefined) return await store.history.byUuid(uuid, scope)
  const operations: PastOperation[] = []
  for (const op of (await store.operations.actions(uuid)).slice(0, OPERATIONS_SHOWN)) {
    operations.push(pastOperation(op, await store.operations.steps(op.id)))
  }
  const { spec, ...container } = live
  return { ...container, image: spec.image, deletedAtMs: null, operations }
}

async function membersOf(
  store: Store,
  { uuid, kind, deletedAtMs }: Omit<ContainerPast, 'stops' | 'members'>,
): Promise<ContainerPast['members']> {
  if (kind !== 1) return []
  return deletedAtMs === null ? await store.containers.membersOf([uuid]) : await store.history.membersOf(uuid)
}

/** As many as stay after a delete. */
const OPERATIONS_SHOWN = 100

function pastOperation(op: Operation, steps: readonly Step[]): PastOperation {
  return { ...op, steps }
}
