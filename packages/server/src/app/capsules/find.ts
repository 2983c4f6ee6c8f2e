import { capsuleOf } from '../../domain/capsule/capsule.ts'
import type { Capsule } from '../../domain/capsule/types.ts'
import type { Container } from '../../domain/container/types.ts'
import { Conflict } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { ContainerReads } from '../../orchestration/ports/store.ts'
import { lookupScope, type RequestContext } from '../context.ts'
import type { ContainerDeps } from '../containers/deps.ts'
import { containerNotFound, policyTarget } from '../containers/find.ts'

type FindDeps = Pick<ContainerDeps, 'store' | 'policy'>

export async function findCapsule(deps: FindDeps, ctx: RequestContext, ident: string): Promise<Capsule> {
  const record = await findRecord(deps.store.containers, ctx, ident)
  deps.policy.authorize('capsule:get', ctx, policyTarget(record))
  return capsuleOf(record, await deps.store.containers.membersOf([record.uuid]))
}

/** By uuid in any spelling, else by exact name. What is no capsule is not found under its uuid either. */
export async function findRecord(reads: ContainerReads, ctx: RequestContext, ident: string): Promise<Container> {
  const scope = lookupScope(ctx)
  const uuid = normaliseUuid(ident)
  if (uuid !== undefined) {
    const found = await reads.byUuid(uuid, scope)
    if (found === undefined || found.kind !== 1) throw containerNotFound(ident)
    return found
  }
  const [first, ...others] = ident === '' ? [] : await reads.byName(ident, 1, scope)
  if (first === undefined) throw containerNotFound(ident)
  if (others.length > 0) {
    throw new Conflict(`Multiple capsules exist with name '${ident}'. Please use the capsule uuid instead.`)
  }
  return first
}
