import type { RequestContext } from '../context.ts'
import type { AppOptions } from '../options.ts'
import { requireService, type ChangeServiceDeps, type ServiceName } from './change-service.ts'

export interface DeleteServiceDeps extends ChangeServiceDeps {
  readonly options: Pick<AppOptions, 'serviceDownTimeS'>
}

/**
 * Removes the record of a service that is gone. Nothing else goes with it.
 *
 * An agent that is alive would register again, and must not be cut off from its record meanwhile, or it would take
 * itself for replaced by another one; so its record stays and only loses what operators have set on it.
 */
export async function deleteService(deps: DeleteServiceDeps, ctx: RequestContext, name: ServiceName): Promise<void> {
  deps.policy.authorize('zun-service:delete', ctx)
  await deps.store.write(async (tx) => {
    const { silentMs } = await requireService(tx, name)
    if (silentMs > deps.options.serviceDownTimeS * 1000) {
      await tx.hosts.remove(name.host)
      return
    }
    await tx.hosts.setDisabled(name.host, false, null)
    await tx.hosts.setForcedDown(name.host, false)
  })
}
