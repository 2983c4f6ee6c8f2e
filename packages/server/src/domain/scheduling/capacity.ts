/**
 * What a host can still take. It stands in for Placement: the same classes, ratios and reserves, counted in our own
 * database.
 */
import type { Allocation } from '@zund/contract/link/container.ts'
import type { HostInventory } from '@zund/contract/link/messages.ts'
import { claimCpuset } from './cpuset.ts'
import { claimDevices, freeDevices } from './pci.ts'
import type { HostUsage, HostView, Wanted } from './types.ts'

/** Why a host is passed over although the filters let it through, in the order in which it is looked at. */
export type Shortage = 'VCPU' | 'MEMORY_MB' | 'DISK_QUOTA' | 'DISK_BASE' | 'DISK_GB' | 'CPUSET' | 'PCI_DEVICE'

type Amounts = Pick<HostUsage, 'cpu' | 'memoryMiB' | 'diskGiB'>

/** Sums of fractions of cores are compared with this much tolerance. */
const TOLERANCE = 1e-6

/** All that may be promised of a host: (total - reserved) × ratio. */
export function capacityOf(has: HostInventory): Amounts {
  const { cpuRatio, ramRatio, diskRatio, reservedCpus, reservedMemoryMiB, reservedDiskGiB } = has.allocation
  return {
    cpu: unreserved(has.cpus, reservedCpus) * cpuRatio,
    memoryMiB: unreserved(has.memTotalMiB, reservedMemoryMiB) * ramRatio,
    diskGiB: unreserved(has.diskTotalGiB, reservedDiskGiB) * diskRatio,
  }
}

/** A reserve made for servers must not eat up a small machine: half of what there is stays. */
function unreserved(total: number, reserved: number): number {
  return total - Math.min(reserved, total / 2)
}

export function freeOf({ has, used }: HostView): Amounts {
  const capacity = capacityOf(has)
  return {
    cpu: capacity.cpu - used.cpu,
    memoryMiB: capacity.memoryMiB - used.memoryMiB,
    diskGiB: capacity.diskGiB - used.diskGiB,
  }
}

/** What it would hold of this host, or what the host is short of. */
export function allocate(host: HostView, wanted: Wanted): Allocation | Shortage {
  const free = freeOf(host)
  if (wanted.cpu > 0 && wanted.cpu > free.cpu + TOLERANCE) return 'VCPU'
  if (wanted.memoryMiB > 0 && wanted.memoryMiB > free.memoryMiB + TOLERANCE) return 'MEMORY_MB'
  if (wanted.diskGiB > 0) {
    const { diskQuotaSupported, diskBaseGiB } = host.has
    if (!diskQuotaSupported) return 'DISK_QUOTA'
    if (wanted.diskGiB < (diskBaseGiB ?? 0)) return 'DISK_BASE'
    if (wanted.diskGiB > free.diskGiB + TOLERANCE) return 'DISK_GB'
  }
  return allocateUnchecked(host, wanted)
}

/** However full the host is; but what only one can have is never given twice. */
export function allocateUnchecked(host: HostView, wanted: Wanted): Allocation | Shortage {
  const cpuset = wanted.cpuPolicy === 'dedicated' ? claimCpuset(host, wanted) : null
  if (cpuset === undefined) return 'CPUSET'
  const pciDevices = wanted.pciRequests.length === 0 ? [] : claimDevices(freeDevices(host), wanted.pciRequests)
  if (pciDevices === undefined) return 'PCI_DEVICE'
  const { cpu, memoryMiB, diskGiB } = wanted
  const provider = host.has.resourceProvider?.uuid
  return { cpu, memoryMiB, diskGiB, cpuset, pciDevices, ...(provider === undefined ? {} : { provider }) }
}
