import { HostLacks } from '../../domain/errors.ts'
import type { Cpuset } from '../../orchestration/ports/wire.ts'

/** Of the simulated machine. */
export const CORES = 4

export function refuseUnknownCores({ cpus }: Cpuset): void {
  if (cpus.every((cpu) => cpu < CORES)) return
  throw new HostLacks(`Requested CPUs are not available - requested ${cpus.join(',')}, available: 0-${CORES - 1}`)
}
