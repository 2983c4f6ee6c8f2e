import { stopBetween, type StopCause } from '../../domain/container/stop.ts'
import type { StepName } from '../../domain/operation/recipes.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { Tx } from '../ports/store.ts'
import type { EventOfEnd, Observation } from '../ports/wire.ts'

/**
 * Records the end of a container's process, if there is one between the two observations. `owner`: the container whose
 * operations may be behind it, of a member of a capsule that one.
 */
export async function noteStop(
  tx: Tx,
  containerUuid: string,
  looks: { readonly before: Observation | null; readonly seen: Observation; readonly event?: EventOfEnd | undefined },
  op: Operation | null,
  owner = containerUuid,
): Promise<void> {
  const { before, seen, event = null } = looks
  const stop = stopBetween(before, seen, op === null ? null : causeOf(op), event)
  if (stop === undefined) return
  const behind = op === null ? await operationBehind(tx, owner) : undefined
  const explained = behind === undefined ? undefined : stopBetween(before, seen, causeOf(behind), event)
  await tx.history.addStop(containerUuid, explained ?? stop)
}

/** Steps that end a process. */
const ENDING: readonly StepName[] = [
  'stopContainer',
  'killContainer',
  'restartContainer',
  'removeOldContainer',
  'removeContainer',
  'rejoinMembers',
  'removeMembers',
]

/** What a container ended by that was seen between operations. */
async function operationBehind(tx: Tx, containerUuid: string): Promise<Operation | undefined> {
  // Its agent died when it had acted and not yet said so; it goes on after this.
  for (const op of await tx.operations.unfinished(containerUuid)) {
    const steps = op.attempt === 0 ? [] : await tx.operations.steps(op.id)
    if (steps.some(({ name }) => (ENDING as readonly string[]).includes(name))) return op
  }
  // A signal that the program took its time to heed: it ends when the request that sent it is over.
  const latest = await tx.operations.latestAction(containerUuid)
  // Of a stop the end was seen at once, unless the engine removes what ends.
  const isBehind = latest?.verb === 'kill' || latest?.verb === 'stop'
  return isBehind && latest.state === 'succeeded' ? latest : undefined
}

function causeOf({ verb, userId, requestId, params, recipe }: Operation): StopCause {
  return {
    // Members of a capsule that are brought back to their network run already.
    verb: recipe.includes('rejoinMembers' satisfies StepName) ? 'reboot' : verb,
    userId,
    requestId,
    signal: verb === 'kill' ? (params.signal ?? 'SIGKILL') : null,
    byService: params.byService === true,
  }
}
