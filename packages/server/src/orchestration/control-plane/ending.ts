/** How a claim of an operation ends, and what the container shows from then on. */
import { attachedAddresses } from '../../domain/container/addresses.ts'
import {
  ABSENT,
  REASON_CLEARING_VERBS,
  statusAfter,
  statusAfterFailure,
  statusOf,
} from '../../domain/container/status.ts'
import type { Container } from '../../domain/container/types.ts'
import { heldAfter } from '../../domain/scheduling/resize.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { ContainerPatch, Tx } from '../ports/store.ts'
import type { Observation, OperationEnd } from '../ports/wire.ts'
import { move, STAYS, type Moved, type MovingOptions } from '../scheduling/move.ts'
import { forget } from './forget.ts'
import { endOfCapsule } from './capsules.ts'
import { givenBack } from './given-back.ts'
import { gone, SHOWS_OWN_STATUS } from './observations.ts'
import { noteStop } from './stops.ts'

export interface EndingDeps {
  readonly newUuid: () => string
  readonly moving: MovingOptions
}

/**
 * Gives the lane where somebody may have to look now. `patch`: what the journal entries written along say of the
 * container's row.
 */
export async function endClaim(
  tx: Tx,
  { newUuid, moving }: EndingDeps,
  op: Operation,
  patch: ContainerPatch,
  end: OperationEnd,
): Promise<string> {
  const isMovable = (end.kind === 'failed' || end.kind === 'retry') && end.mayMove === true
  const moved: Moved = isMovable ? await move(tx, op, end.message, moving) : STAYS
  if (moved.kind === 'moved') return moved.lane
  const tried = end.kind === 'failed' && moved.reasons !== null ? { ...end, message: moved.reasons } : end
  await endHere(tx, newUuid, op, patch, tried)
  return op.lane
}

async function endHere(
  tx: Tx,
  newUuid: () => string,
  op: Operation,
  known: ContainerPatch,
  end: OperationEnd,
): Promise<void> {
  const container = await tx.containers.byUuid(op.containerUuid, { kind: 'all' })
  if (container === undefined) return
  const released = end.kind === 'failed' ? (end.released ?? []) : []
  const patch = released.length === 0 ? known : await givenBack(tx, op, container, known, released)
  if (end.kind === 'retry') {
    await tx.operations.release(op.id, op.fence, {
      state: 'queued',
      afterMs: end.afterMs,
      unforeseen: end.unforeseen,
      errorCode: end.code,
      errorMessage: end.message,
    })
    await tx.containers.update(container.uuid, { ...patch, progress: `Waiting: ${end.message}` })
    return
  }
  if (end.kind === 'cancelled') {
    await tx.operations.release(op.id, op.fence, { state: 'cancelled', errorMessage: end.message })
    if (op.params.imageUuid !== undefined) await tx.images.abandonCommit(op.params.imageUuid)
    await tx.containers.update(container.uuid, {
      ...patch,
      ...(await stillHeld(tx, op, container, false)),
      taskState: null,
      progress: null,
    })
    return
  }
  const before = patch.observed ?? container.observed
  if (container.kind === 1 && !(end.kind === 'succeeded' && op.verb === 'delete')) {
    const { state, ...why } =
      end.kind === 'succeeded'
        ? { state: 'succeeded' as const }
        : { state: 'failed' as const, errorCode: end.code, errorMessage: end.message }
    await tx.operations.release(op.id, op.fence, { state, ...why })
    await endOfCapsule(tx, newUuid, container, op, patch, end)
    return
  }
  if (end.kind === 'failed') {
    if (end.seen !== undefined) await noteStop(tx, container.uuid, { before, seen: end.seen }, op)
    await tx.operations.release(op.id, op.fence, { state: 'failed', errorCode: end.code, errorMessage: end.message })
    if (op.params.imageUuid !== undefined) await tx.images.abandonCommit(op.params.imageUuid)
    await tx.containers.update(container.uuid, {
      ...patch,
      ...(await forgetUnheldPorts(tx, op)),
      ...(end.seen === undefined ? {} : { observed: end.seen }),
      // It has removed it itself: that is no loss, and no reason of its own.
      ...((op.verb === 'rebuild' || op.verb === 'delete') && end.isAbsent === true ? { observed: ABSENT } : {}),
      ...(await stillHeld(tx, op, container, end.isAbsent === true)),
      status: statusAfterFailure(op.verb, end.seen, container.status),
      statusReason: end.message,
      taskState: null,
      progress: null,
    })
    return
  }
  await tx.operations.release(op.id, op.fence, { state: 'succeeded' })
  if (op.verb === 'delete') {
    await noteStop(tx, container.uuid, { before, seen: ABSENT }, op)
    for (const { uuid, observed } of container.kind === 1 ? await tx.containers.membersOf([container.uuid]) : []) {
      await noteStop(tx, uuid, { before: observed, seen: ABSENT }, op)
    }
    await forget(tx, container)
    return
  }
  const seen = end.seen
  if (seen !== undefined) await noteStop(tx, container.uuid, { before, seen }, op)
  const queued = await tx.operations.unfinished(container.uuid)
  // A later request (a delete, a reboot) has already put its own status on the row.
  const showsLater = queued.some((q) => SHOWS_OWN_STATUS.has(q.verb))
  // It was done, and is gone: the status it was accepted with must not stay.
  const isGone = seen === undefined && SHOWS_OWN_STATUS.has(op.verb)
  await tx.containers.update(container.uuid, {
    ...patch,
    ...(op.verb === 'resize' ? await afterResize(tx, container, resized(container, op)) : {}),
    ...groupsAfter(container, op),
    ...(seen === undefined ? {} : { observed: seen }),
    ...(seen === undefined || showsLater ? {} : { status: endStatus(container, op, seen) }),
    ...(isGone && !showsLater ? { status: 'Stopped' } : {}),
    ...(REASON_CLEARING_VERBS.includes(op.verb) ? { statusReason: null } : {}),
    taskState: null,
    progress: null,
  })
  // What goes when it ends is left to the agent's next look, which knows how it ended.
  const isLost = isGone && !showsLater && !container.spec.autoRemove
  if (seen?.state === 'absent' || isLost) await gone(tx, newUuid, op.containerUuid, undefined)
}

/** Of its host, after an operation that came to nothing. */
async function stillHeld(tx: Tx, op: Operation, container: Container, isAbsent: boolean): Promise<ContainerPatch> {
  if (op.verb === 'create' && isAbsent) return { allocation: null }
  return op.verb === 'resize' ? await afterResize(tx, container, container.spec) : {}
}

async function afterResize(tx: Tx, container: Container, spec: Container['spec']): Promise<ContainerPatch> {
  if (container.allocation === null) return { spec }
  const underWay = (await tx.operations.unfinished(container.uuid)).filter(({ verb }) => verb === 'resize')
  const allocation = heldAfter(
    container.allocation,
    spec,
    underWay.map(({ params }) => params),
  )
  return { spec, allocation }
}

/** A failed attach gives back what was planned for it. */
async function forgetUnheldPorts(tx: Tx, op: Operation): Promise<ContainerPatch> {
  if (op.verb !== 'network_attach') return {}
  for (const uuid of op.params.ports ?? []) {
    const found = await tx.bindings.byUuid(uuid)
    if (found === undefined || found.binding.state === 'held') continue
    await tx.bindings.remove(uuid)
    const { data } = found.binding
    // It was given back if that could be; where it could not, it is found again when the container goes.
    if (data.kind === 'port' && data.remote !== undefined) {
      await tx.leftoverPorts.insert({ uuid, containerUuid: op.containerUuid, data })
    }
  }
  return { addresses: attachedAddresses(await tx.bindings.ofContainer(op.containerUuid)) }
}

function groupsAfter({ spec }: Container, { verb, params: { securityGroup } }: Operation): ContainerPatch {
  if (securityGroup === undefined) return {}
  const others = spec.securityGroups.filter((group) => group !== securityGroup)
  const securityGroups = verb === 'add_security_group' ? [...others, securityGroup] : others
  return { spec: { ...spec, securityGroups } }
}

function endStatus(container: Container, op: Operation, seen: Observation): Container['status'] {
  if (op.verb === 'commit' || op.verb === 'resize') return statusOf(seen, container.status)
  return statusAfter(seen, container.status)
}

function resized(container: Container, op: Operation): Container['spec'] {
  const { cpu, memoryMiB } = op.params
  return {
    ...container.spec,
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
  }
}
