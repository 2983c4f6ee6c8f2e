/** Room on the host that a container is on already, held in the transaction that accepts the request. */
import type { Container } from '../../domain/container/types.ts'
import { Conflict } from '../../domain/errors.ts'
import { allocate } from '../../domain/scheduling/capacity.ts'
import { grow, insufficient } from '../../domain/scheduling/resize.ts'
import type { Wanted } from '../../domain/scheduling/types.ts'
import { hostView, type SchedulerReads } from '../../orchestration/scheduling/host-views.ts'
import type { Allocation } from '../../orchestration/ports/wire.ts'
import type { AppOptions } from '../options.ts'

type Options = Pick<AppOptions, 'serviceDownTimeS' | 'engineGraceMs'>

/** Conflict when its host has not as much. A host that never said what it has bounds nothing. */
export async function holdForResize(
  tx: SchedulerReads,
  container: Container,
  to: { readonly cpu: number | undefined; readonly memoryMiB: number | undefined },
  options: Options,
): Promise<Allocation | null> {
  const { allocation: held, host, spec } = container
  if (held === null || host === null) return held
  const view = await hostView(tx, options, host, { cpuPolicy: spec.cpuPolicy, pciRequests: [] })
  const size = { cpu: to.cpu ?? spec.cpu, memoryMiB: to.memoryMiB ?? spec.memoryMiB }
  if (view === undefined) {
    if (held.cpuset === null || size.cpu <= held.cpuset.cpus.length) return held
    throw new Conflict('Nothing is known of the cores of its host yet.')
  }
  const grown = grow(view, held, size)
  if ('cpu' in grown) return grown
  throw new Conflict(insufficient(grown))
}

/** One that could not be made has given back what it held, and needs it again to be made after all. */
export async function holdAgain(
  tx: SchedulerReads,
  container: Container,
  options: Options,
): Promise<Allocation | null> {
  const { allocation: held, host, uuid, spec } = container
  const isComplete = held !== null && (spec.cpuPolicy === 'shared' || held.cpuset !== null)
  if (isComplete || host === null) return held
  const { cpu, memoryMiB, diskGiB, cpuPolicy, runtime } = spec
  const wanted: Wanted = { ...NOTHING_ELSE, uuid, cpu, memoryMiB, diskGiB, cpuPolicy, runtime, host }
  const view = await hostView(tx, options, host, wanted)
  if (view === undefined) return { cpu, memoryMiB, diskGiB, cpuset: null, pciDevices: [] }
  const allocation = allocate(view, wanted)
  if (typeof allocation !== 'string') return allocation
  throw new Conflict(insufficient([`its host has no ${allocation} left for it`]))
}

const NOTHING_ELSE = { availabilityZone: null, hints: {}, pciRequests: [], refusedBy: [] } as const
