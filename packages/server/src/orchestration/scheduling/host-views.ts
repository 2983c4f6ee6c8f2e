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
  readonly hosts: Pick<HostReads, 'list'>
  readonly containers: Pick<ContainerReads, 'usageOfHosts' | 'exclusiveAllocations'>
}

const NOTHING_USED: HostUsage = { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 }

export async function hostViews(
  reads: SchedulerReads,
  options: LivenessOptions,
  wanted: Pick<Wanted, 'cpuPolicy' | 'pciRequests'>,
): Promise<HostView[]> {
  const used = await reads.containers.usageOfHosts()
  // Few ask for cores or devices of their own; for the others it does not matter who has which.
  const isChoosy = wanted.cpuPolicy === 'dedicated' || wanted.pciRequests.length > 0
  const exclusive = isChoosy ? await reads.containers.exclusiveAllocations() : new Map<string, readonly Allocation[]>()
  return (await reads.hosts.list()).map((host) => ({
    name: host.name,
    availabilityZone: host.availabilityZone,
    up: isUp(host, options) && host.inventory !== null,
    disabled: host.disabled,
    has: host.inventory ?? NOTHING_YET,
    used: used.get(host.name) ?? NOTHING_USED,
    exclusive: exclusive.get(host.name) ?? [],
  }))
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
