import { Forbidden } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import type { Asker, NetworkPlan, NetworksRequest } from '../ports/network-planner.ts'
import type { ContainerDeps } from './deps.ts'

/** The caller, as those see them who are asked about networks. */
export function askerOf({ token, requestId, signal }: RequestContext, projectId: string): Asker {
  return { token, projectId, requestId, signal }
}

/** What a request asks of networks, found and allowed. */
export async function planNetworks(
  { networks, policy }: Pick<ContainerDeps, 'networks' | 'policy'>,
  ctx: RequestContext,
  projectId: string,
  request: NetworksRequest,
): Promise<NetworkPlan> {
  const plan = await networks.plan(askerOf(ctx, projectId), request)
  const [external] = plan.external
  if (external !== undefined && !policy.allows('network:attach_external_network', ctx)) {
    throw new Forbidden(
      `It is not allowed to create an interface on external network ${external}.`,
      'external-network-attach-forbidden',
    )
  }
  return plan
}
