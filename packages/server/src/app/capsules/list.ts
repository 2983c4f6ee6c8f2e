import { capsuleOf } from '../../domain/capsule/capsule.ts'
import type { Capsule } from '../../domain/capsule/types.ts'
import type { Page } from '../../orchestration/ports/store.ts'
import { ownScope, type RequestContext } from '../context.ts'
import type { ContainerDeps } from '../containers/deps.ts'

export interface CapsuleListQuery {
  readonly page: Page
  /** Only an admin's is honoured; others get their own project's capsules all the same (capsules 8). */
  readonly allProjects: boolean
}

export async function listCapsules(
  { store, policy }: Pick<ContainerDeps, 'store' | 'policy'>,
  ctx: RequestContext,
  { page, allProjects }: CapsuleListQuery,
): Promise<Capsule[]> {
  policy.authorize('capsule:get_all', ctx)
  const scope = allProjects && ctx.isAdmin ? { kind: 'all' as const } : ownScope(ctx)
  const uuids = (await store.containers.keys({ ...page, kind: 1, scope, filters: {} })).map(({ uuid }) => uuid)
  const records = new Map((await store.containers.byUuids(uuids)).map((record) => [record.uuid, record]))
  const members = Map.groupBy(await store.containers.membersOf(uuids), ({ capsuleUuid }) => capsuleUuid)
  return uuids.flatMap((uuid) => {
    const record = records.get(uuid)
    return record === undefined ? [] : [capsuleOf(record, members.get(uuid) ?? [])]
  })
}
