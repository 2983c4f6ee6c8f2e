import { claimCpuset } from '../cpuset.ts'
import type { Filter } from '../types.ts'

/**
 * Dedicated ones go where one NUMA node has the cores and the memory for them. Shared ones stay off hosts that give
 * cores away, unless these have set some aside for them (`floating_cpu_set`).
 */
export const cpuSetFilter: Filter = {
  passes: (host, wanted) => {
    if (wanted.cpuPolicy === 'dedicated') return claimCpuset(host, wanted) !== undefined
    return !host.has.enableCpuPinning || host.has.floatingCpus.length > 0
  },
}
