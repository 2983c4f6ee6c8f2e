import { NotFound } from '../../domain/errors.ts'
import type { Store, Tx } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import type { Policy } from '../ports/policy.ts'

export interface ChangeServiceDeps {
  readonly store: Store
  readonly policy: Policy
}

/** One service is named by both. */
export interface ServiceName {
  readonly host: string
  readonly binary: string
}

export type ServiceChange =
  | { readonly kind: 'enable' }
  | { readonly kind: 'disable'; readonly reason: string | null }
  | { readonly kind: 'force_down'; readonly forcedDown: boolean }

/** What an operator sets on a service; new containers avoid one that is disabled, nothing waits for one forced down. */
export async function changeService(
  deps: ChangeServiceDeps,
  ctx: RequestContext,
  name: ServiceName,
  change: ServiceChange,
): Promise<void> {
  deps.policy.authorize(`zun-service:${change.kind}`, ctx)
  await deps.store.write(async (tx) => {
    await requireService(tx, name)
    if (change.kind === 'force_down') await tx.hosts.setForcedDown(name.host, change.forcedDown)
    else if (change.kind === 'disable') await tx.hosts.setDisabled(name.host, true, change.reason)
    else await tx.hosts.setDisabled(name.host, false, null)
  })
}

export async function requireService(tx: Tx, { host, binary }: ServiceName) {
  const found = await tx.hosts.byName(host)
  if (found !== undefined && found.binary === binary) return found
  throw new NotFound(`Zun service ${binary} on host ${host} could not be found.`, 'zun-service-not-found')
}
