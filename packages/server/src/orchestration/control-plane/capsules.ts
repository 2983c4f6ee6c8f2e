/** What is seen of the containers that make a capsule, what the capsule shows because of it, and how it is mended. */
import { verdictOf } from '../../domain/capsule/status.ts'
import { ABSENT, sameObservation, statusAfter, statusOf } from '../../domain/container/status.ts'
import type { Container } from '../../domain/container/types.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { ContainerPatch, Tx } from '../ports/store.ts'
import type { EventOfEnd, Observation, OperationEnd, SeenContainer } from '../ports/wire.ts'
import { acceptOwn, type Followed } from './own-operations.ts'
import { noteStop } from './stops.ts'
import { whatItUses } from './what-it-uses.ts'

/**
 * The sandbox or a member, whose records show what they are at any time; the capsule itself only between its operations.
 * While one is under way a part that is not there is none of our business: it is not made yet, or removed already.
 */
export async function observePart(
  tx: Tx,
  part: Container,
  { seen, end }: { seen: Observation; end?: EventOfEnd | undefined },
): Promise<Followed> {
  if (sameObservation(part.observed, seen)) return undefined
  const capsule = part.capsuleUuid ?? part.uuid
  const unfinished = await tx.operations.unfinished(capsule)
  const isBusy = unfinished.length > 0
  if (isBusy && (part.kind === 1 || seen.state === 'absent')) return undefined
  if (seen.state === 'absent' && part.observed === null) return undefined
  const running = unfinished.find(({ state }) => state === 'running') ?? null
  await noteStop(tx, part.uuid, { before: part.observed, seen, event: end }, running, capsule)
  await tx.containers.update(part.uuid, seenPatch(part, seen))
  return isBusy ? undefined : { capsule }
}

function seenPatch(part: Container, seen: Observation): ContainerPatch {
  if (seen.state === 'absent') {
    const engineId = part.observed?.engineId ?? null
    const observed = { ...ABSENT, engineId }
    // An init container has done its work, and prunes of the engine take what has ended.
    if (part.kind !== 2) return { observed }
    return { observed, status: 'Error', statusReason: `No such container: ${engineId ?? 'unknown'} in the engine` }
  }
  if (part.kind === 1) return { observed: seen, ...(part.allocation === null ? { allocation: whatItUses(part) } : {}) }
  return {
    observed: seen,
    status: statusOf(seen, part.status),
    ...(seen.state === 'running' ? { statusReason: null } : {}),
  }
}

/** True when an operation of the system's own was accepted. */
export async function settleCapsule(tx: Tx, newUuid: () => string, uuid: string): Promise<boolean> {
  const capsule = await tx.containers.byUuid(uuid, { kind: 'all' })
  if (capsule === undefined || capsule.kind !== 1 || capsule.host === null) return false
  if ((await tx.operations.unfinished(uuid)).length > 0) return false
  const members = (await tx.containers.membersOf([uuid])).filter(({ kind }) => kind === 2)
  const verdict = verdictOf(capsule, members)
  if (verdict === undefined) return false
  if (verdict.status === 'rejoin') {
    // What could not be mended once is not tried for ever.
    if (capsule.status === 'Error') return false
    await tx.containers.update(uuid, { status: 'Restarting' })
    await acceptOwn(tx, newUuid, capsule, 'start', { byService: true })
    return true
  }
  // The first reason is the cause.
  if (verdict.status === 'Error' && capsule.status === 'Error') return false
  if (verdict.status !== capsule.status || verdict.reason !== capsule.statusReason) {
    await tx.containers.update(uuid, { status: verdict.status, statusReason: verdict.reason })
  }
  return false
}

/** The end of a capsule's create or start, or of a delete that failed; `patch` is what its journal says of its row. */
export async function endOfCapsule(
  tx: Tx,
  newUuid: () => string,
  capsule: Container,
  op: Operation,
  patch: ContainerPatch,
  end: Extract<OperationEnd, { kind: 'succeeded' | 'failed' }>,
): Promise<void> {
  await updateMembers(tx, capsule, op, end)
  const isFollowed = (await tx.operations.unfinished(capsule.uuid)).length > 0
  const common = {
    ...patch,
    ...(end.seen === undefined ? {} : { observed: end.seen }),
    taskState: null,
    progress: null,
  }
  if (end.kind === 'failed') {
    const isAllAbsent = end.isAbsent === true && (end.members ?? []).every(({ seen }) => seen.state === 'absent')
    await tx.containers.update(capsule.uuid, {
      ...common,
      ...(op.verb === 'create' && isAllAbsent ? { allocation: null } : {}),
      status: 'Error',
      statusReason: end.message,
    })
    return
  }
  await tx.containers.update(capsule.uuid, {
    ...common,
    ...(isFollowed ? {} : { status: 'Running' }),
    statusReason: null,
  })
  await settleCapsule(tx, newUuid, capsule.uuid)
}

async function updateMembers(
  tx: Tx,
  capsule: Container,
  op: Operation,
  end: { readonly members?: readonly SeenContainer[]; readonly message?: string },
): Promise<void> {
  const found = new Map((end.members ?? []).map(({ uuid, seen }) => [uuid, seen]))
  for (const member of await tx.containers.membersOf([capsule.uuid])) {
    const { uuid } = member
    // Nobody could look: what was made of it is seen again when the engine answers.
    const seen = found.get(uuid) ?? member.observed ?? ABSENT
    await noteStop(tx, uuid, { before: member.observed, seen }, op)
    if (seen.state !== 'absent') {
      await tx.containers.update(uuid, { observed: seen, status: statusAfter(seen, member.status), statusReason: null })
    } else if (member.observed === null) {
      // It will not be made any more.
      await tx.containers.update(uuid, { status: 'Error', statusReason: end.message ?? null })
    } else await tx.containers.update(uuid, seenPatch(member, seen))
  }
}
