/** Which host gets a container: pure functions over what is known of the hosts (scheduler.md 4 and 5). */

export interface HostView {
  readonly name: string
  readonly availabilityZone: string
  readonly up: boolean
  readonly disabled: boolean
  readonly runtimes: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly enableCpuPinning: boolean
  readonly cpus: number
  readonly memTotalMiB: number
  readonly cpuUsed: number
  readonly memUsedMiB: number
}

export interface Wanted {
  readonly availabilityZone: string | null
  readonly runtime: string | null
  readonly hints: Readonly<Record<string, unknown>>
  readonly cpuPolicy: 'shared' | 'dedicated'
  /** Host name; null: any. */
  readonly host: string | null
}

interface Filter {
  readonly name: string
  passes(host: HostView, wanted: Wanted): boolean
}

const FILTERS: readonly Filter[] = [
  {
    name: 'RequestedHost',
    passes: (host, wanted) => wanted.host === null || host.name === wanted.host,
  },
  {
    name: 'AvailabilityZoneFilter',
    passes: (host, wanted) => wanted.availabilityZone === null || host.availabilityZone === wanted.availabilityZone,
  },
  { name: 'ComputeFilter', passes: (host) => host.up && !host.disabled },
  {
    name: 'RuntimeFilter',
    passes: (host, wanted) => wanted.runtime === null || host.runtimes.includes(wanted.runtime),
  },
  {
    name: 'LabelFilter',
    passes: (host, wanted) =>
      Object.entries(wanted.hints).every(
        ([key, value]) => !key.startsWith('label:') || host.labels[key.slice('label:'.length)] === value,
      ),
  },
  { name: 'CpuSetFilter', passes: (host, wanted) => wanted.cpuPolicy === 'shared' || host.enableCpuPinning },
]

export type Choice =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'none'; readonly removed: Readonly<Record<string, number>> }

/** The host with the most free memory among those that pass; or how many each filter took away. */
export function chooseHost(hosts: readonly HostView[], wanted: Wanted): Choice {
  let left = hosts
  const removed: Record<string, number> = {}
  for (const filter of FILTERS) {
    const passing = left.filter((host) => filter.passes(host, wanted))
    if (passing.length < left.length) removed[filter.name] = left.length - passing.length
    left = passing
  }
  const [best] = left.toSorted((a, b) => freeMemory(b) - freeMemory(a) || a.name.localeCompare(b.name))
  return best === undefined ? { kind: 'none', removed } : { kind: 'host', host: best.name }
}

function freeMemory(host: HostView): number {
  return host.memTotalMiB - host.memUsedMiB
}

/** Text for `status_reason` when no host is left. */
export function noHostReason(removed: Readonly<Record<string, number>>): string {
  const parts = Object.entries(removed).map(([name, count]) => `${name} removed ${count}`)
  const detail = parts.length === 0 ? 'no compute host is registered' : parts.join(', ')
  return `There are not enough hosts available. (${detail})`
}
