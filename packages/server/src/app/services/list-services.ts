import type { Host, HostReads } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { isUp } from '../../orchestration/scheduling/host-views.ts'
import type { AppOptions } from '../options.ts'
import type { Policy } from '../ports/policy.ts'

export interface ServiceState {
  readonly host: Host
  readonly up: boolean
}

export interface ListServicesDeps {
  readonly store: { readonly hosts: HostReads }
  readonly policy: Policy
  readonly options: AppOptions
}

/** Every compute service there is, oldest first. */
export async function listServices(deps: ListServicesDeps, ctx: RequestContext): Promise<ServiceState[]> {
  deps.policy.authorize('zun-service:get_all', ctx)
  return (await deps.store.hosts.list()).map((host) => ({ host, up: isUp(host, deps.options) }))
}
