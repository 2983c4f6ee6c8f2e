import type { Step } from '../step.ts'
import { ensureStarted, seenOf, wasStarted } from './member.ts'

/** In the order of the template, without waiting for anything of theirs. */
export const startMembers: Step = {
  name: 'startMembers',
  repeat: 'safe',
  async observe(ctx) {
    for (const { uuid } of ctx.op.members) if (!wasStarted(ctx, await seenOf(ctx, uuid))) return undefined
    return {}
  },
  async apply(ctx) {
    for (const member of ctx.op.members) await ensureStarted(ctx, member)
    return {}
  },
}
