/** Which host gets a container (scheduler 4). */
import type { Allocation } from '@zund/contract/link/container.ts'
import { allocate, allocateUnchecked, type Shortage } from './capacity.ts'
import { FILTERS, type FilterName } from './filters/index.ts'
import type { HostView, Wanted } from './types.ts'
import { byLot, weigh, type Weigher } from './weigh.ts'

export const DRIVERS = ['filter_scheduler', 'chance_scheduler'] as const

export interface SchedulerOptions {
  readonly driver: (typeof DRIVERS)[number]
  /** In the order in which they are asked. */
  readonly filters: readonly FilterName[]
  readonly weigher: Weigher
}

/** Who took a host away. */
export type Remover = 'RefusedBefore' | 'RequestedHost' | 'AllocationCandidates' | FilterName | Shortage

export type Choice =
  | { readonly kind: 'host'; readonly host: HostView; readonly allocation: Allocation }
  | { readonly kind: 'none'; readonly removed: ReadonlyMap<Remover, number> }

export function chooseHost(hosts: readonly HostView[], wanted: Wanted, options: SchedulerOptions): Choice {
  const removed = new Map<Remover, number>()
  const count = (remover: Remover, times: number): void => {
    if (times > 0) removed.set(remover, (removed.get(remover) ?? 0) + times)
  }
  let left = hosts
  const keep = (remover: Remover, passes: (host: HostView) => boolean): void => {
    const passing = left.filter(passes)
    count(remover, left.length - passing.length)
    left = passing
  }
  if (wanted.refusedBy.length > 0) keep('RefusedBefore', ({ name }) => !wanted.refusedBy.includes(name))
  if (wanted.host !== null) keep('RequestedHost', ({ name }) => name === wanted.host)
  const { candidates } = wanted
  if (candidates !== undefined) {
    keep('AllocationCandidates', ({ has }) => candidates.has(has.resourceProvider?.uuid ?? ''))
  }
  // By chance means: any that is up, however full.
  const byChance = options.driver === 'chance_scheduler'
  for (const name of byChance ? (['ComputeFilter'] as const) : options.filters) {
    const filter = FILTERS[name]
    keep(name, (host) => filter.passes(host, wanted))
  }
  const offers = new Map<HostView, Allocation>()
  for (const host of left) {
    const allocation = byChance ? allocateUnchecked(host, wanted) : allocate(host, wanted)
    if (typeof allocation === 'string') count(allocation, 1)
    else offers.set(host, allocation)
  }
  const fitting = [...offers.keys()]
  const [best] = byChance ? byLot(fitting, wanted.uuid) : weigh(fitting, options.weigher, wanted.uuid)
  const allocation = best === undefined ? undefined : offers.get(best)
  return best === undefined || allocation === undefined
    ? { kind: 'none', removed }
    : { kind: 'host', host: best, allocation }
}

const BECAUSE: Readonly<Partial<Record<Remover, string>>> = {
  DISK_QUOTA: 'no support for disk quotas',
  DISK_BASE: 'every disk there is larger',
  CPUSET: 'no free cores to dedicate on one NUMA node',
}

/** Text for `status_reason` when no host is left. */
export function noHostReason(removed: ReadonlyMap<Remover, number>): string {
  const parts = [...removed].map(([name, times]) => {
    const why = BECAUSE[name]
    return `${name} removed ${times}${why === undefined ? '' : `: ${why}`}`
  })
  return `There are not enough hosts available. (${parts.length === 0 ? 'no compute host is registered' : parts.join(', ')})`
}
