import type { EngineMount } from '../ports/engine.ts'
import type { BindingChange } from '../ports/wire.ts'
import { mountsOf, type Step } from './step.ts'

/** Mounts every volume of the container on the host. The driver is repeatable, so there is nothing to observe first. */
export const attachVolumes: Step = {
  name: 'attachVolumes',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const mounts: EngineMount[] = []
    const held = mountsOf(ctx.op)
    const bindings: BindingChange[] = []
    for (const { uuid, data } of held) {
      const { source, destination, data: learned } = await ctx.tools.volumes.attach(data, { signal: ctx.signal })
      mounts.push({ source, destination })
      bindings.push({ uuid, state: 'held', ...(learned === undefined ? {} : { data: learned }) })
    }
    ctx.brought.mounts = mounts
    return { bindings }
  },
}

/** Gives back every volume; those made for this container go with their data. */
export const detachVolumes: Step = {
  name: 'detachVolumes',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const held = mountsOf(ctx.op)
    for (const { data } of held) {
      await ctx.tools.volumes.detach(data, data.autoRemove || data.provider === 'file', { signal: ctx.signal })
    }
    return { bindings: held.map(({ uuid }) => ({ uuid, state: 'gone' as const })) }
  },
}
