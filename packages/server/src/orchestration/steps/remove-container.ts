import { look, type Step } from './step.ts'

/** Before a rebuild makes the new one. A container of this operation's own generation is the new one already. */
export const removeOldContainer: Step = {
  name: 'removeOldContainer',
  repeat: 'safe',
  async observe(ctx) {
    const seen = await look(ctx)
    return seen === undefined || seen.generation === ctx.op.generation ? {} : undefined
  },
  async apply(ctx) {
    await ctx.tools.engine.remove(ctx.op.container.uuid, true, { signal: ctx.signal })
    delete ctx.brought.seen
    return {}
  },
}

/**
 * Always with force: the request was allowed by the status the record had, and a delete that was accepted must come to
 * its end whatever the process has done since.
 */
export const removeContainer: Step = {
  name: 'removeContainer',
  repeat: 'safe',
  async observe(ctx) {
    return (await look(ctx)) === undefined ? {} : undefined
  },
  async apply(ctx) {
    await ctx.tools.engine.remove(ctx.op.container.uuid, true, { signal: ctx.signal })
    delete ctx.brought.seen
    return {}
  },
}
