import type { AssignedContainer, ClaimedOperation, MountData } from '../../ports/wire.ts'
import { mountsOf, type HeldMount, type Step } from '../step.ts'

export function allMembers({ initMembers, members }: ClaimedOperation): AssignedContainer[] {
  return [...initMembers, ...members]
}

/** Where members see volumes; of one volume there may be several. */
function mappingsOf(op: ClaimedOperation): HeldMount[] {
  return allMembers(op).flatMap((container) => mountsOf({ container }))
}

function volumesOf(mappings: readonly HeldMount[]): MountData[] {
  return [...new Map(mappings.map(({ data }) => [data.volumeUuid, data])).values()]
}

/** Each volume once, however many members see it. The driver is repeatable, so there is nothing to observe first. */
export const attachCapsuleVolumes: Step = {
  name: 'attachCapsuleVolumes',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const mappings = mappingsOf(ctx.op)
    const sources = new Map<string, string>()
    const attachments = new Map<string, MountData['attachment']>()
    for (const volume of volumesOf(mappings)) {
      const { source, data } = await ctx.tools.volumes.attach(volume, { signal: ctx.signal })
      sources.set(volume.volumeUuid, source)
      if (data?.attachment !== undefined) attachments.set(volume.volumeUuid, data.attachment)
    }
    ctx.brought.volumeSources = sources
    return {
      bindings: mappings.map(({ uuid, data }) => {
        const attachment = attachments.get(data.volumeUuid)
        return { uuid, state: 'held' as const, ...(attachment === undefined ? {} : { data: { ...data, attachment } }) }
      }),
    }
  },
}

/** After the members are gone. A volume that was made to go with the capsule goes with its data. */
export const detachCapsuleVolumes: Step = {
  name: 'detachCapsuleVolumes',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const mappings = mappingsOf(ctx.op)
    for (const volume of volumesOf(mappings)) {
      await ctx.tools.volumes.detach(volume, volume.autoRemove, { signal: ctx.signal })
    }
    return { bindings: mappings.map(({ uuid }) => ({ uuid, state: 'gone' as const })) }
  },
}
