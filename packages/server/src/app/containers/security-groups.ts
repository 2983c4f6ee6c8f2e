import { InvalidInput } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import { acceptOn } from './act.ts'
import type { ContainerDeps } from './deps.ts'
import { findAuthorized, requireStatus } from './find.ts'
import { askerOf } from './networks-of-request.ts'

export type GroupChange = 'add_security_group' | 'remove_security_group'

/** Puts the ports of a container into a security group, or takes them out of it. */
export async function changeSecurityGroup(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  verb: GroupChange,
  group: string,
): Promise<void> {
  const found = await findAuthorized(deps, ctx, ident, `container:${verb}`)
  requireStatus(found, verb)
  const securityGroup = await deps.networks.groupToChange(askerOf(ctx, found.projectId), group)
  await acceptOn(deps, ctx, found, verb, async (tx, now) => {
    const has = now.spec.securityGroups.includes(securityGroup)
    if (has && verb === 'add_security_group') {
      throw new InvalidInput(`Security group ${group} is already that of container ${now.uuid}.`)
    }
    if (!has && verb === 'remove_security_group') {
      throw new InvalidInput(`Security group ${group} is not one of container ${now.uuid}.`)
    }
    const bindings = await tx.bindings.ofContainer(now.uuid)
    if (!bindings.some(({ data }) => data.kind === 'port')) {
      throw new InvalidInput(`Container ${now.uuid} is on no network.`, 'invalid')
    }
    return { verb, params: { securityGroup } }
  })
}
