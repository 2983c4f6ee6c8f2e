/** The filters by the names that `[scheduler] enabled_filters` knows them by. */
import type { Filter } from '../types.ts'
import { availabilityZoneFilter } from './availability-zone.ts'
import { computeFilter } from './compute.ts'
import { cpuSetFilter } from './cpu-set.ts'
import { cpuFilter } from './cpu.ts'
import { diskFilter } from './disk.ts'
import { labelFilter } from './label.ts'
import { pciPassthroughFilter } from './pci-passthrough.ts'
import { ramFilter } from './ram.ts'
import { runtimeFilter } from './runtime.ts'

export const FILTERS = {
  AvailabilityZoneFilter: availabilityZoneFilter,
  ComputeFilter: computeFilter,
  RuntimeFilter: runtimeFilter,
  LabelFilter: labelFilter,
  PciPassthroughFilter: pciPassthroughFilter,
  CpuSetFilter: cpuSetFilter,
  CPUFilter: cpuFilter,
  RamFilter: ramFilter,
  DiskFilter: diskFilter,
} as const satisfies Readonly<Record<string, Filter>>

export type FilterName = keyof typeof FILTERS

export function isFilterName(name: string): name is FilterName {
  return Object.hasOwn(FILTERS, name)
}
