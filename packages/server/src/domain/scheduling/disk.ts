import type { HostInventory } from '@zund/contract/link/messages.ts'

/**
 * Limit in GiB of a container's disk on this host; 0: none. Who asked for none gets the host's default where disk can be
 * limited at all, and never less than every container there has anyway (scheduler 7.4).
 */
export function diskOn(has: HostInventory, askedGiB: number): number {
  if (askedGiB > 0) return askedGiB
  if (!has.diskQuotaSupported) return 0
  return Math.max(has.diskBaseGiB ?? 0, has.defaultDiskGiB)
}
