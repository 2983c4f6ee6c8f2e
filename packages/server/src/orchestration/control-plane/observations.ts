/** What a host sees of its containers between operations, and what follows from it. */
import { ABSENT, sameObservation, statusOf } from '../../domain/container/status.ts'
import type { Container } from '../../domain/container/types.ts'
import { recipeFor } from '../../domain/operation/recipes.ts'
import { hostLane } from '../../domain/operation/types.ts'
import type { Tx } from '../ports/store.ts'
import type { Observation } from '../ports/wire.ts'

/** Verbs whose acceptance has set a status of its own, which stays until they end. */
export const SHOWS_OWN_STATUS: ReadonlySet<string> = new Set(['create', 'reboot', 'rebuild', 'delete'])
const HEALABLE: ReadonlySet<string> = new Set(['Created', 'Running', 'Stopped', 'Error'])

/** True when an operation of the system's own was accepted because of what was seen. */
export async function observe(
  tx: Tx,
  newUuid: () => string,
  host: string,
  uuid: string,
  seen: Observation,
): Promise<boolean> {
  const container = await tx.containers.byUuid(uuid, { kind: 'all' })
  if (container === undefined || container.host !== host) return false
  // Between operations only: while one runs, its end says what is true. While one waits, a status that the request
  // itself has set must stay, or clients would see a reboot go Restarting -> Running -> Restarting.
  const unfinished = await tx.operations.unfinished(uuid)
  if (unfinished.some((op) => op.state === 'running' || SHOWS_OWN_STATUS.has(op.verb))) return false
  if (container.status === 'Creating' || container.status === 'Deleted') return false
  if (sameObservation(container.observed, seen)) return false
  if (seen.state === 'absent') {
    if (container.observed === null || container.observed.engineId === null) return false
    return await gone(tx, newUuid, uuid)
  }
  await tx.containers.update(uuid, {
    observed: seen,
    status: statusOf(seen, container.status),
    // What happens by itself is explained by exit code and detail, not by the reason of an older failure.
    ...(seen.state === 'running' ? { statusReason: null } : {}),
  })
  return false
}

/** The engine has lost a container it had (container-states 6.3). */
export async function gone(tx: Tx, newUuid: () => string, uuid: string): Promise<boolean> {
  const container = await tx.containers.byUuid(uuid, { kind: 'all' })
  if (container === undefined || container.host === null) return false
  const engineId = container.observed?.engineId ?? 'unknown'
  if (container.spec.autoRemove) {
    await tx.containers.update(uuid, { observed: ABSENT, status: 'Deleted', desired: 'absent' })
    await acceptOwn(tx, newUuid, container, 'delete')
    return true
  }
  if (container.spec.autoHeal && HEALABLE.has(container.status)) {
    await tx.containers.update(uuid, { observed: ABSENT, status: 'Rebuilding' })
    await acceptOwn(tx, newUuid, container, 'rebuild')
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

async function acceptOwn(
  tx: Tx,
  newUuid: () => string,
  container: Container,
  verb: 'delete' | 'rebuild',
): Promise<void> {
  const bindings = await tx.bindings.ofContainer(container.uuid)
  const params = verb === 'delete' ? { force: true } : { run: container.status === 'Running' }
  const generation = container.generation + 1
  await tx.operations.insert({
    containerUuid: container.uuid,
    projectId: container.projectId,
    userId: container.userId,
    requestId: `req-${newUuid()}`,
    verb,
    params,
    generation,
    lane: hostLane(container.host ?? ''),
    recipe: recipeFor(verb, params, {
      ports: bindings.filter((b) => b.data.kind === 'port').length,
      mounts: bindings.filter((b) => b.data.kind === 'mount').length,
    }),
    recorded: true,
  })
  await tx.containers.update(container.uuid, { generation })
}
