import { stopBetween, type StopCause } from '../../domain/container/stop.ts'
import type { Operation } from '../../domain/operation/types.ts'
import type { Tx } from '../ports/store.ts'
import type { EventOfEnd, Observation } from '../ports/wire.ts'

/** Records the end of a container's process, if there is one between the two observations. */
export async function noteStop(
  tx: Tx,
  containerUuid: string,
  looks: { readonly before: Observation | null; readonly seen: Observation; readonly event?: EventOfEnd | undefined },
  op: Operation | null,
): Promise<void> {
  const { before, seen, event = null } = looks
  const stop = stopBetween(before, seen, op === null ? null : causeOf(op), event)
  if (stop === undefined) return
  const late = op === null ? await lateCause(tx, containerUuid) : null
  await tx.history.addStop(containerUuid, (late && stopBetween(before, seen, late, event)) ?? stop)
}

/** A signal that the program took its time to heed: it ends when the request that sent it is over. */
async function lateCause(tx: Tx, containerUuid: string): Promise<StopCause | null> {
  const latest = await tx.operations.latestAction(containerUuid)
  return latest?.verb === 'kill' && latest.state === 'succeeded' ? causeOf(latest) : null
}

function causeOf({ verb, userId, requestId, params }: Operation): StopCause {
  return {
    verb,
    userId,
    requestId,
    signal: verb === 'kill' ? (params.signal ?? 'SIGKILL') : null,
    byService: params.byService === true,
  }
}
