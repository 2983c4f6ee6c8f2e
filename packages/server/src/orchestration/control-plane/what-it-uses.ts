import type { Container } from '../../domain/container/types.ts'
import type { Allocation } from '../ports/wire.ts'

/** Of one that was given up for lost and is there after all: its room is taken, whoever may have been promised it since. */
export function whatItUses({ spec: { cpu, memoryMiB, diskGiB } }: Container): Allocation {
  return { cpu, memoryMiB, diskGiB, cpuset: null, pciDevices: [] }
}
