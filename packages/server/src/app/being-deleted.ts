import type { Tx } from '../orchestration/ports/store.ts'

/**
 * Whether a delete that does all that is asked for is under way. One more would stop it and begin anew: a client that asks
 * until the record is gone would keep it from ever being gone.
 */
export async function isBeingDeleted(
  tx: Tx,
  uuid: string,
  options: { readonly force: boolean } = { force: false },
): Promise<boolean> {
  const unfinished = await tx.operations.unfinished(uuid)
  return unfinished.some(
    ({ verb, params, superseded }) => verb === 'delete' && !superseded && (params.force === true || !options.force),
  )
}
