import type { StateKey } from '../../domain/container/verbs.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { forget } from '../../orchestration/control-plane/forget.ts'
import type { Tx } from '../../orchestration/ports/store.ts'
import { accept } from '../accept.ts'
import { isBeingDeleted } from '../being-deleted.ts'
import type { RequestContext } from '../context.ts'
import type { ContainerDeps } from './deps.ts'
import { containerNotFound, findContainer, policyTarget, requireStatus } from './find.ts'

export interface DeleteOptions {
  readonly force: boolean
  readonly stop: boolean
  readonly allProjects: boolean
}

/** Seconds the stop before a delete is given (containers 7). */
const STOP_BEFORE_DELETE_S = 10

export async function deleteContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  options: DeleteOptions,
): Promise<void> {
  if (options.force && ctx.minor < 7) throw notBefore('force', 7, ctx.minor)
  if (options.stop && ctx.minor < 12) throw notBefore('stop', 12, ctx.minor)
  if (options.allProjects) deps.policy.authorize('container:delete_all_projects', ctx)
  const found = await findContainer(deps.store.containers, ctx, ident)
  const target = policyTarget(found)
  deps.policy.authorize('container:delete', ctx, target)
  if (options.force) deps.policy.authorize('container:delete_force', ctx, target)
  const key: StateKey = options.stop ? 'delete_after_stop' : options.force ? 'delete_force' : 'delete'
  requireStatus(found, key)
  const lane = await deps.store.write(async (tx) => {
    const container = await tx.containers.byUuid(found.uuid, { kind: 'all' })
    if (container === undefined) throw containerNotFound(ident)
    requireStatus(container, key)
    if (container.host === null || !(await hasService(tx, container.host))) {
      await forget(tx, container)
      return null
    }
    if (await isBeingDeleted(tx, container.uuid, options)) return null
    const stopFirst = options.stop && container.status === 'Running'
    if (stopFirst) deps.policy.authorize('container:stop', ctx, target)
    await accept(tx, {
      container,
      verb: 'delete',
      params: {
        force: options.force,
        ...(stopFirst ? { stopFirst: true, timeoutS: STOP_BEFORE_DELETE_S } : {}),
      },
      requestId: ctx.requestId,
      userId: ctx.caller.userId,
    })
    return hostLane(container.host)
  })
  if (lane !== null) deps.doorbell.ring(lane)
}

/**
 * Without a host nothing was ever made for it outside of the database. A host whose service was deleted will do nothing any
 * more; should it come back after all, its agent removes what is nobody's.
 */
export async function hasService(tx: Tx, host: string): Promise<boolean> {
  return (await tx.hosts.byName(host)) !== undefined
}

function notBefore(name: string, since: number, minor: number): InvalidInput {
  return new InvalidInput(
    `Invalid param ${name} because current request version is 1.${minor}. ${name} is only supported from version 1.${since}.`,
    'invalid-param-in-version',
  )
}
