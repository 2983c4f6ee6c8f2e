/** The hosts as the scheduler sees them, read in the transaction that will hold what it chooses. */
import type { HostUsage, HostView, Wanted } from '../../domain/scheduling/types.ts'
import type { ContainerReads, Host, HostReads } from '../ports/store.ts'
import type { Allocation, HostInventory } from '../ports/wire.ts'

export interface LivenessOptions {
  /** service_down_time: seconds of silence after which a host counts as down. */
  readonly serviceDownTimeS: number
  /** Milliseconds an engine may be away before its host counts as down. */
  readonly engineGraceMs: number
}

/** Heard of lately, not forced down, and its engine answers or has only just stopped to. */
export function isUp(host: Host, options: LivenessOptions): boolean {
  return (
    !host.forcedDown &&
    host.silentMs <= options.serviceDownTimeS * 1000 &&
    host.engineTroubleMs <= options.engineGraceMs
  )
}

export interface SchedulerReads {
  readonly hosts: Pick<HostReads, 'list' | 'byName'>
  readonly containers: Pick<ContainerReads, 'usageOfHost' | 'usageOfHosts' | 'exclusiveAllocations'>
}

const NOTHING_USED: HostUsage = { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 }

export async function hostViews(
  reads: SchedulerReads,
  options: LivenessOptions,
  wanted: Pick<Wanted, 'cpuPolicy' | 'pciRequests'>,
): Promise<HostView[]> {
  const used = await reads.containers.usageOfHosts()
  const exclusive = await exclusiveFor(reads, wanted)
  return (await reads.hosts.list()).map((host) =>
    toView(host, options, used.get(host.name) ?? NOTHING_USED, exclusive.get(host.name) ?? []),
  )
}

/** undefined: there is no such host, or it has not said what it has. */
export async function hostView(
  reads: SchedulerReads,
  options: LivenessOptions,
  name: string,
  wanted: Pick<Wanted, 'cpuPolicy' | 'pciRequests'>,
): Promise<HostView | undefined> {
  const host = await reads.hosts.byName(name)
  if (host === undefined || host.inventory === null) return undefined
  const exclusive = await exclusiveFor(reads, wanted)
  return toView(host, options, await reads.containers.usageOfHost(name), exclusive.get(name) ?? [])
}

/** Few ask for cores or devices of their own; for the others it does not matter who has which. */
async function exclusiveFor(
  reads: SchedulerReads,
  { cpuPolicy, pciRequests }: Pick<Wanted, 'cpuPolicy' | 'pciRequests'>,
): Promise<ReadonlyMap<string, readonly Allocation[]>> {
  return cpuPolicy === 'dedicated' || pciRequests.length > 0 ? await reads.containers.exclusiveAllocations() : new Map()
}

function toView(host: Host, options: LivenessOptions, used: HostUsage, exclusive: readonly Allocation[]): HostView {
  return {
    name: host.name,
    availabilityZone: host.availabilityZone,
    up: isUp(host, options) && host.inventory !== null,
    disabled: host.disabled,
    has: host.inventory ?? NOTHING_YET,
    used,
    exclusive,
  }
}

/** Of a host that has not said yet what it has. */
const NOTHING_YET: HostInventory = {
  memTotalMiB: 0,
  cpus: 0,
  diskTotalGiB: 0,
  diskQuotaSupported: false,
  totalContainers: 0,
  architecture: '',
  osType: '',
  os: '',
  kernelVersion: '',
  labels: {},
  runtimes: [],
  defaultRuntime: '',
  engineVersion: '',
  engineApiVersion: '',
  enableCpuPinning: false,
  numaNodes: [],
  floatingCpus: [],
  pciDevices: [],
  diskBaseGiB: null,
  defaultDiskGiB: 0,
  allocation: { cpuRatio: 0, ramRatio: 0, diskRatio: 0, reservedCpus: 0, reservedMemoryMiB: 0, reservedDiskGiB: 0 },
  routedSubnets: [],
}
