import { claimDevices, freeDevices } from '../pci.ts'
import type { Filter } from '../types.ts'

export const pciPassthroughFilter: Filter = {
  passes: (host, wanted) =>
    wanted.pciRequests.length === 0 || claimDevices(freeDevices(host), wanted.pciRequests) !== undefined,
}
