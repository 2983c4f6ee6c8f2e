import { isLive } from '../../../domain/capsule/rejoin.ts'
import { EngineConflict, EngineNotFound } from '../../../domain/errors.ts'
import type { AssignedContainer } from '../../ports/wire.ts'
import type { Step, StepContext } from '../step.ts'
import { seenOf } from './member.ts'

/** Members, then init members; each is asked to stop, all at the same time, before any of them is removed. */
export const removeMembers: Step = {
  name: 'removeMembers',
  repeat: 'safe',
  async observe(ctx) {
    for (const { uuid } of inOrder(ctx)) if ((await seenOf(ctx, uuid)) !== undefined) return undefined
    return {}
  },
  async apply(ctx) {
    const stops = await Promise.allSettled(inOrder(ctx).map((member) => stop(ctx, member)))
    for (const stopped of stops) {
      if (stopped.status === 'rejected') throw stopped.reason
      if (stopped.value !== undefined) await ctx.tools.engine.remove(stopped.value, true, { signal: ctx.signal })
    }
    return {}
  },
}

function inOrder({ op }: StepContext): AssignedContainer[] {
  return [...op.members, ...op.initMembers]
}

/** Gives its uuid when there is something to remove. */
async function stop(ctx: StepContext, { uuid }: AssignedContainer): Promise<string | undefined> {
  const seen = await seenOf(ctx, uuid)
  if (seen === undefined) return undefined
  if (!isLive(seen)) return uuid
  try {
    await ctx.tools.engine.stop(uuid, null, { signal: ctx.signal })
  } catch (error) {
    // Removed with force afterwards, whatever it does now.
    if (!(error instanceof EngineNotFound || error instanceof EngineConflict)) throw error
  }
  return uuid
}
