/** The verbs that only change how a container runs. */
import type { Container } from '../../domain/container/types.ts'
import type { StateKey } from '../../domain/container/verbs.ts'
import { hostLane } from '../../domain/operation/types.ts'
import type { ContainerPatch, Tx } from '../../orchestration/ports/store.ts'
import type { OperationParams, Verb } from '../../orchestration/ports/wire.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { accept } from '../accept.ts'
import type { RequestContext } from '../context.ts'
import type { ContainerDeps } from './deps.ts'
import { containerNotFound, findAuthorized, requireStatus } from './find.ts'

export interface Act {
  readonly ident: string
  readonly rule: string
  readonly key: StateKey
  readonly verb: Verb
  readonly params: OperationParams
}

/** Looks up, checks rule and state, and accepts; the state is looked at in the accepting transaction. */
export async function act(deps: ContainerDeps, ctx: RequestContext, request: Act): Promise<Container> {
  const found = await findAuthorized(deps, ctx, request.ident, request.rule)
  requireStatus(found, request.key)
  return await acceptOn(deps, ctx, found, request.key, async () => ({ verb: request.verb, params: request.params }))
}

/** What is to be accepted, decided in the transaction. */
export interface Decision {
  readonly verb: Verb
  readonly params: OperationParams
  readonly patch?: ContainerPatch
}

export async function acceptOn(
  deps: ContainerDeps,
  ctx: RequestContext,
  found: Container,
  key: StateKey,
  decide: (tx: Tx, now: Container) => Promise<Decision>,
): Promise<Container> {
  const now = await deps.store.write(async (tx) => {
    const container = await tx.containers.byUuid(found.uuid, { kind: 'all' })
    if (container === undefined) throw containerNotFound(found.uuid)
    requireStatus(container, key)
    requireHost(container)
    const decision = await decide(tx, container)
    await accept(tx, { container, requestId: ctx.requestId, userId: ctx.caller.userId, ...decision })
    return container
  })
  if (now.host !== null) deps.doorbell.ring(hostLane(now.host))
  return now
}

function requireHost(container: Container): void {
  if (container.host !== null) return
  throw new InvalidInput(`Container ${container.uuid} was never created on a host.`, 'invalid')
}
