/** A create that one host cannot do is given to the next best one, as long as nothing of it exists. */
import type { Operation } from '../../domain/operation/types.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { noHostReason } from '../../domain/scheduling/choose.ts'
import { diskOn } from '../../domain/scheduling/disk.ts'
import type { Wanted } from '../../domain/scheduling/types.ts'
import type { Tx } from '../ports/store.ts'
import type { Binding, PlacementParams } from '../ports/wire.ts'
import { place, type PlacingOptions } from './place.ts'

export interface MovingOptions extends PlacingOptions {
  /** Hosts that may try, the first one included. */
  readonly maxHosts: number
}

export type Moved =
  | { readonly kind: 'moved'; readonly lane: string }
  /** `reasons`: of all hosts that have tried, if it was not this one alone, and why there is no other. */
  | { readonly kind: 'stays'; readonly reasons: string | null }

export const STAYS: Moved = { kind: 'stays', reasons: null }

/**
 * In the transaction that has made sure that nothing of it was begun here, or is left. The fence of the operation goes up:
 * whoever held it is refused from now on, even if it comes back.
 */
export async function move(tx: Tx, op: Operation, reason: string, options: MovingOptions): Promise<Moved> {
  const { placement } = op.params
  const container = await tx.containers.byUuid(op.containerUuid, { kind: 'all' })
  if (op.verb !== 'create' || op.superseded || placement === undefined || container === undefined) return STAYS
  const { host: from, spec, allocation } = container
  // What was asked for by name is not to be had elsewhere; the other members of a capsule are where it is.
  if (from === null || placement.host !== null || container.kind !== 0) return STAYS
  // What waits behind it waits in the lane of this host.
  if ((await tx.operations.unfinished(container.uuid)).length > 1) return STAYS
  const bindings = await tx.bindings.ofContainer(container.uuid)
  if (await areTied(tx, bindings, container.uuid)) return STAYS
  const refusals = [...placement.refusals, { host: from, reason }]
  if (refusals.length >= options.maxHosts) return { kind: 'stays', reasons: reasonsOf(refusals) }
  const wanted: Wanted = {
    uuid: container.uuid,
    cpu: spec.cpu,
    memoryMiB: spec.memoryMiB,
    // The size in its spec may be the default of the host it was to be on.
    diskGiB: allocation?.diskGiB ?? 0,
    cpuPolicy: spec.cpuPolicy,
    runtime: spec.runtime,
    availabilityZone: placement.availabilityZone,
    hints: placement.hints,
    host: null,
    pciRequests: placement.pciRequests,
    refusedBy: refusals.map(({ host }) => host),
  }
  const choice = await place(tx, wanted, options)
  if (choice.kind === 'none') {
    const isOnly = refusals.length === 1
    return { kind: 'stays', reasons: isOnly ? null : `${reasonsOf(refusals)}; ${noHostReason(choice.removed)}` }
  }
  const lane = hostLane(choice.host.name)
  const params = { ...op.params, placement: { ...placement, refusals } satisfies PlacementParams }
  if (!(await tx.operations.move(op.id, op.fence, { lane, params }))) return STAYS
  for (const { uuid, state } of bindings) if (state === 'held') await tx.bindings.setState(uuid, 'planned')
  await tx.containers.update(container.uuid, {
    host: choice.host.name,
    allocation: choice.allocation,
    spec: { ...spec, diskGiB: diskOn(choice.host.has, wanted.diskGiB) },
    observed: null,
    taskState: null,
    progress: `Another host is tried: ${reason}`,
  })
  return { kind: 'moved', lane }
}

/** To this host, by a volume that is here, or that others have here as well. */
async function areTied(tx: Tx, bindings: readonly Binding[], containerUuid: string): Promise<boolean> {
  for (const { data } of bindings) {
    if (data.kind !== 'mount') continue
    if (data.provider === 'volume') return true
    if ((await tx.volumes.users(data.volumeUuid)).some((user) => user !== containerUuid)) return true
  }
  return false
}

/** Without the names of hosts, which not everybody may know. */
function reasonsOf(refusals: PlacementParams['refusals']): string {
  const reasons = [...new Set(refusals.map(({ reason }) => reason))]
  return `${refusals.length} hosts were tried: ${reasons.join('; ')}`
}
