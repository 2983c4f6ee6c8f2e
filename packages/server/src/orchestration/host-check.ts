import type { ClaimedOperation, HostInventory } from './ports/wire.ts'

/**
 * What this host is without, as a text for the user; undefined: nothing. The host was chosen by what it had said of itself
 * then; here it is what it has now.
 */
export function lackOf({ container }: ClaimedOperation, has: HostInventory): string | undefined {
  const { runtime, diskGiB, cpu, memoryMiB } = container.spec
  if (runtime !== null && !has.runtimes.includes(runtime)) return `The host does not have the runtime ${runtime}.`
  if (diskGiB > 0 && !has.diskQuotaSupported) return 'Your host does not support disk quota feature.'
  if (diskGiB > 0 && has.diskBaseGiB !== null && diskGiB < has.diskBaseGiB) {
    return `Disk size cannot be smaller than the ${has.diskBaseGiB} GiB that every container of this host has.`
  }
  const memory = has.memTotalMiB * has.allocation.ramRatio
  if (memoryMiB > memory) return `Insufficient compute resources: Free memory ${memory} MB < requested ${memoryMiB} MB.`
  const cores = has.cpus * has.allocation.cpuRatio
  if (cpu > cores) return `Insufficient compute resources: Free vcpu ${cores} vcpu < requested ${cpu} vcpu.`
  const known = new Set(has.numaNodes.flatMap((node) => node.cpus))
  const missing = container.cpuset?.cpus.filter((one) => !known.has(one)) ?? []
  return missing.length === 0 ? undefined : `The host cannot dedicate the cores ${missing.join(',')} any more.`
}
