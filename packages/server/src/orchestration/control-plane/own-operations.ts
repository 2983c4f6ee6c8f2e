/** What the system asks of itself because of what was seen. */
import type { Container } from '../../domain/container/types.ts'
import { recipeFor } from '../../domain/operation/recipes.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { holdingsOf } from '../holdings.ts'
import type { Tx } from '../ports/store.ts'
import type { OperationParams } from '../ports/wire.ts'

/** `operation`: one of the system's own was accepted. `capsule`: what is seen of its parts is news for it. */
export type Followed = 'operation' | { readonly capsule: string } | undefined

/** An operation that nobody asked for. */
export async function acceptOwn(
  tx: Tx,
  newUuid: () => string,
  container: Container,
  verb: 'delete' | 'rebuild' | 'start',
  params: OperationParams,
): Promise<void> {
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
    recipe: recipeFor(verb, params, await holdingsOf(tx, container)),
    recorded: true,
  })
  await tx.containers.update(container.uuid, { generation })
}
