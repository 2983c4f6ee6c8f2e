import { look, type Step } from './step.ts'

/** Repeating it is harmless, and the engine does not say which limits it was given, so it is never observed. */
export const updateContainer: Step = {
  name: 'updateContainer',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const { cpu, memoryMiB } = ctx.op.params
    const { cpuset } = ctx.op.container
    await ctx.tools.engine.update(
      ctx.op.container.uuid,
      {
        ...(cpu === undefined ? {} : { cpu }),
        ...(memoryMiB === undefined ? {} : { memoryMiB }),
        ...(cpu === undefined || cpuset === null ? {} : { cpuset: { ...cpuset, cpus: cpuset.cpus.slice(0, cpu) } }),
      },
      { signal: ctx.signal },
    )
    const seen = await look(ctx)
    return seen === undefined ? {} : { seen }
  },
}
