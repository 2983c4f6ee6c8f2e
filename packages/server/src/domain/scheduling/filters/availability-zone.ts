import type { Filter } from '../types.ts'

export const availabilityZoneFilter: Filter = {
  passes: (host, wanted) => wanted.availabilityZone === null || host.availabilityZone === wanted.availabilityZone,
}
