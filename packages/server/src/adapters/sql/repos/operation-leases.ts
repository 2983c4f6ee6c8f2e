/** Operations whose holder has not got them, or has them no more. */
import type { Kysely } from 'kysely'
import type { HeldOperation } from '../../../orchestration/ports/wire.ts'
import type { Schema } from '../schema.ts'

export const BACK_IN_THE_QUEUE = {
  state: 'queued',
  active_key: null,
  lease_owner: null,
  lease_until: null,
  run_after: 0,
} as const

export async function notHeld(
  db: Kysely<Schema>,
  { lane, owner }: { readonly lane: string; readonly owner: string },
  held: readonly HeldOperation[],
): Promise<HeldOperation[]> {
  const rows = await db
    .selectFrom('operation')
    .select(['id', 'fence'])
    .where('lane', '=', lane)
    .where('state', '=', 'running')
    .where('lease_owner', '=', owner)
    .execute()
  return rows
    .filter(({ id, fence }) => !held.some((one) => one.operationId === id && one.fence === fence))
    .map(({ id, fence }) => ({ operationId: id, fence }))
}

export async function requeue(db: Kysely<Schema>, held: readonly HeldOperation[]): Promise<number> {
  let requeued = 0n
  for (const { operationId, fence } of held) {
    const update = db.updateTable('operation').set(BACK_IN_THE_QUEUE)
    const ours = update.where('id', '=', operationId).where('fence', '=', fence).where('state', '=', 'running')
    requeued += (await ours.executeTakeFirst()).numUpdatedRows
  }
  return Number(requeued)
}
