/** What a host sees of its containers between operations, and what follows from it. */
import { ABSENT, sameObservation, statusOf } from '../../domain/container/status.ts'
import type { Container } from '../../domain/container/types.ts'
import { observePart } from './capsules.ts'
import { acceptOwn, type Followed } from './own-operations.ts'
import type { Tx } from '../ports/store.ts'
import type { EventOfEnd, Observation } from '../ports/wire.ts'
import { noteStop } from './stops.ts'
import { whatItUses } from './what-it-uses.ts'

/** Verbs whose acceptance has set a status of its own, which stays until they end. */
export const SHOWS_OWN_STATUS: ReadonlySet<string> = new Set(['create', 'reboot', 'rebuild', 'delete'])
const HEALABLE: ReadonlySet<string> = new Set(['Created', 'Running', 'Stopped', 'Error'])

export async function observe(
  tx: Tx,
  newUuid: () => string,
  host: string,
  uuid: string,
  { seen, end, resume }: { seen: Observation; end?: EventOfEnd | undefined; resume?: boolean },
): Promise<Followed> {
  const container = await tx.containers.byUuid(uuid, { kind: 'all' })
  if (container === undefined || container.host !== host) return undefined
  if (container.kind !== 0) return await observePart(tx, container, { seen, end })
  // Between operations only: while one runs, its end says what is true. While one waits, a status that the request
  // itself has set must stay, or clients would see a reboot go Restarting -> Running -> Restarting.
  const unfinished = await tx.operations.unfinished(uuid)
  if (unfinished.some((op) => op.state === 'running' || SHOWS_OWN_STATUS.has(op.verb))) return undefined
  if (container.status === 'Creating' || container.status === 'Deleted') return undefined
  if (sameObservation(container.observed, seen)) return undefined
  await noteStop(tx, uuid, { before: container.observed, seen, event: end }, null)
  if (seen.state === 'absent') {
    if (container.observed === null || container.observed.engineId === null) return undefined
    return (await gone(tx, newUuid, uuid, end)) ? 'operation' : undefined
  }
  await tx.containers.update(uuid, {
    observed: seen,
    status: statusOf(seen, container.status),
    ...(container.allocation === null ? { allocation: whatItUses(container) } : {}),
    // What happens by itself is explained by exit code and detail, not by the reason of an older failure.
    ...(seen.state === 'running' ? { statusReason: null } : {}),
  })
  if (resume !== true) return undefined
  await acceptOwn(tx, newUuid, container, 'start', { byService: true })
  return 'operation'
}

/** The engine has lost a container it had (container-states 6.3). */
export async function gone(tx: Tx, newUuid: () => string, uuid: string, end: EventOfEnd | undefined): Promise<boolean> {
  const container = await tx.containers.byUuid(uuid, { kind: 'all' })
  if (container === undefined || container.host === null) return false
  const engineId = container.observed?.engineId ?? 'unknown'
  if (container.spec.autoRemove) {
    await tx.containers.update(uuid, { observed: ABSENT, status: 'Deleted', desired: 'absent' })
    await acceptOwn(tx, newUuid, container, 'delete', { force: true, byService: true })
    return true
  }
  if (container.spec.autoHeal && HEALABLE.has(container.status)) {
    await tx.containers.update(uuid, { observed: ABSENT, status: 'Rebuilding' })
    await acceptOwn(tx, newUuid, container, 'rebuild', { run: wasUp(container, end), byService: true })
    return true
  }
  await tx.containers.update(uuid, {
    observed: { ...ABSENT, engineId },
    status: 'Error',
    statusReason: `No such container: ${engineId} in the engine`,
    taskState: null,
    progress: null,
  })
  return false
}

/** A removal by force kills first: what ended only a moment before it was removed was up until then. */
const KILLED_AND_REMOVED_MS = 5_000

function wasUp({ status, desired, observed }: Container, removal: EventOfEnd | undefined): boolean {
  if (status === 'Running') return true
  const endedAtMs = observed?.finishedAtMs ?? null
  if (desired !== 'running' || removal === undefined || endedAtMs === null) return false
  return removal.atMs - endedAtMs < KILLED_AND_REMOVED_MS
}
