import { disposed } from '../../orchestration/disposals.ts'
import { LEFT_PROVIDERS_BELL } from '../../orchestration/ports/left-providers.ts'
import type { Doorbell, Host, Tx } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import type { AppOptions } from '../options.ts'
import type { AllocationCandidates } from '../ports/allocation-candidates.ts'
import { requireService, type ChangeServiceDeps, type ServiceName } from './change-service.ts'

export interface DeleteServiceDeps extends ChangeServiceDeps {
  readonly doorbell: Pick<Doorbell, 'ring'>
  /** undefined: no cloud counts what hosts have. */
  readonly candidates?: AllocationCandidates | undefined
  readonly options: Pick<AppOptions, 'serviceDownTimeS'>
}

/**
 * Removes the record of a service that is gone. Of its host only the resource provider in a cloud's count goes with it, once no
 * container holds anything of it.
 *
 * An agent that is alive would register again, and must not be cut off from its record meanwhile, or it would take
 * itself for replaced by another one; so its record stays and only loses what operators have set on it.
 */
export async function deleteService(deps: DeleteServiceDeps, ctx: RequestContext, name: ServiceName): Promise<void> {
  deps.policy.authorize('zun-service:delete', ctx)
  await deps.store.write(async (tx) => {
    const found = await requireService(tx, name)
    if (found.silentMs > deps.options.serviceDownTimeS * 1000) {
      await tx.hosts.remove(name.host)
      await forgetNetworks(tx, name.host)
      if (deps.candidates !== undefined) await noteProvider(tx, found)
      return
    }
    await tx.hosts.setDisabled(name.host, false, null)
    await tx.hosts.setForcedDown(name.host, false)
  })
  deps.doorbell.ring(LEFT_PROVIDERS_BELL)
}

/**
 * The one of this record's uuid, which nobody else makes. It may be there although the host never came to say so; one that is shared,
 * or was there before the record, has another and is not ours to take away.
 */
async function noteProvider(tx: Tx, { uuid, name, inventory }: Host): Promise<void> {
  const known = inventory?.resourceProvider?.uuid ?? uuid
  if (known === uuid) await tx.leftProviders.insert({ uuid, host: name })
}

/** A network that is being deleted need not wait for a host that is gone. Volumes do: they have somebody's data. */
async function forgetNetworks(tx: Tx, host: string): Promise<void> {
  for (const { kind, uuid } of await tx.disposals.onHost(host)) {
    if (kind === 'network') await disposed(tx, uuid, host)
  }
}
