import type { HostReads, Page } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import type { AppOptions } from '../options.ts'
import { pageOf } from '../page.ts'
import type { Policy } from '../ports/policy.ts'

export interface ListZonesDeps {
  readonly store: { readonly hosts: HostReads }
  readonly policy: Policy
  readonly options: AppOptions
}

/** Names of the zones that have a service, each once. */
export async function listZones(deps: ListZonesDeps, ctx: RequestContext, page: Page): Promise<string[]> {
  deps.policy.authorize('availability_zones:get_all', ctx)
  const { availabilityZone: fallback } = deps.options.defaults
  const names = (await deps.store.hosts.list()).map(({ availabilityZone }) => availabilityZone || fallback)
  return pageOf([...new Set(names)], page, {
    id: (name) => name,
    keys: { availability_zone: (name) => name },
    notFoundCode: 'resource-not-found',
  })
}
