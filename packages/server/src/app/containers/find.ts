import type { Container } from '../../domain/container/types.ts'
import { isAllowed, type StateKey } from '../../domain/container/verbs.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { ContainerReads } from '../../orchestration/ports/store.ts'
import { lookupScope, type RequestContext } from '../context.ts'
import type { Policy, PolicyTarget } from '../ports/policy.ts'

/** By uuid in any spelling, else by exact name (api-conventions 9). Another project's container is not found. */
export async function findContainer(reads: ContainerReads, ctx: RequestContext, ident: string): Promise<Container> {
  const scope = lookupScope(ctx)
  const uuid = normaliseUuid(ident)
  if (uuid !== undefined) {
    const found = await reads.byUuid(uuid, scope)
    if (found === undefined || found.kind !== 0) throw containerNotFound(ident)
    return found
  }
  const [first, ...others] = await reads.byName(ident, 0, scope)
  if (first === undefined) throw containerNotFound(ident)
  if (others.length > 0) {
    throw new Conflict(`Multiple containers exist with name '${ident}'. Please use the container uuid instead.`)
  }
  return first
}

export function containerNotFound(ident: string): NotFound {
  return new NotFound(`Container ${ident.slice(0, 255)} could not be found.`, 'container-not-found')
}

/** Finds it, then checks the rule against it. */
export async function findAuthorized(
  deps: { readonly store: { readonly containers: ContainerReads }; readonly policy: Policy },
  ctx: RequestContext,
  ident: string,
  rule: string,
): Promise<Container> {
  const container = await findContainer(deps.store.containers, ctx, ident)
  deps.policy.authorize(rule, ctx, policyTarget(container))
  return container
}

export function requireStatus(container: Container, key: StateKey): void {
  if (isAllowed(key, container.status)) return
  throw new Conflict(
    `Cannot ${key} container ${container.uuid} in ${container.status} state`,
    'invalid-state-exception',
  )
}

/** Fields of the record that a rule may name, under their names in the API. */
export function policyTarget({ spec, ...container }: Container): PolicyTarget {
  return {
    uuid: container.uuid,
    project_id: container.projectId,
    user_id: container.userId,
    name: container.name,
    host: container.host,
    status: container.status,
    image: spec.image,
    image_driver: spec.imageDriver,
    image_pull_policy: spec.imagePullPolicy,
    labels: spec.labels,
    environment: spec.environment,
    hostname: spec.hostname,
    workdir: spec.workdir,
    cpu_policy: spec.cpuPolicy,
    interactive: spec.interactive,
    tty: spec.tty,
    auto_remove: spec.autoRemove,
    auto_heal: spec.autoHeal,
    privileged: spec.privileged,
    runtime: spec.runtime,
    security_groups: spec.securityGroups,
  }
}
