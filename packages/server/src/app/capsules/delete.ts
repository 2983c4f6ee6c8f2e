import { hostLane } from '../../domain/operation/types.ts'
import { forget } from '../../orchestration/control-plane/forget.ts'
import { accept } from '../accept.ts'
import { isBeingDeleted } from '../being-deleted.ts'
import type { RequestContext } from '../context.ts'
import { hasService } from '../containers/delete.ts'
import type { ContainerDeps } from '../containers/deps.ts'
import { containerNotFound, policyTarget } from '../containers/find.ts'
import { findRecord } from './find.ts'

/** Whatever its status: what runs for it is told to stop. Its record goes when all that it holds is gone. */
export async function deleteCapsule(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  options: { readonly allProjects: boolean },
): Promise<void> {
  if (options.allProjects) deps.policy.authorize('capsule:delete_all_projects', ctx)
  const found = await findRecord(deps.store.containers, ctx, ident)
  deps.policy.authorize('capsule:delete', ctx, policyTarget(found))
  const lane = await deps.store.write(async (tx) => {
    const container = await tx.containers.byUuid(found.uuid, { kind: 'all' })
    if (container === undefined) throw containerNotFound(ident)
    if (container.host === null || !(await hasService(tx, container.host))) {
      await forget(tx, container)
      return null
    }
    if (await isBeingDeleted(tx, container.uuid)) return null
    await accept(tx, {
      container,
      verb: 'delete',
      params: {},
      requestId: ctx.requestId,
      userId: ctx.caller.userId,
      patch: { taskState: 'container_deleting' },
    })
    return hostLane(container.host)
  })
  if (lane !== null) deps.doorbell.ring(lane)
}
