import type { LocalImage } from '../../ports/drivers.ts'
import type { AssignedContainer } from '../../ports/wire.ts'
import { imageRequestOf, pullOf } from '../image.ts'
import type { Step, StepContext } from '../step.ts'
import { allMembers } from './volumes.ts'

/**
 * All of them before anything runs: an image that cannot be had is known before the first init container has begun, and
 * no registry has to answer after an hour of them.
 */
export const obtainMemberImages: Step = {
  name: 'obtainMemberImages',
  repeat: 'safe',
  async observe(ctx) {
    const images = new Map<string, LocalImage>()
    for (const [member, ...others] of byImage(ctx)) {
      const found = await ctx.tools.images.find(imageRequestOf(ctx.op, member), { signal: ctx.signal })
      if (found === undefined) return undefined
      for (const { uuid } of [member, ...others]) images.set(uuid, found)
    }
    ctx.brought.memberImages = images
    return {}
  },
  async apply(ctx) {
    const images = new Map<string, LocalImage>()
    for (const [member, ...others] of byImage(ctx)) {
      const image = await ctx.tools.images.obtain(
        imageRequestOf(ctx.op, member),
        (p) => ctx.progress(`${member.spec.image}: ${p.detail}`, pullOf(member.spec.image, p)),
        { signal: ctx.signal },
      )
      for (const { uuid } of [member, ...others]) images.set(uuid, image)
    }
    ctx.brought.memberImages = images
    return {}
  },
}

/** Members that run the same image, found in the same way. */
function byImage(ctx: StepContext): [AssignedContainer, ...AssignedContainer[]][] {
  const groups = new Map<string, [AssignedContainer, ...AssignedContainer[]]>()
  for (const member of allMembers(ctx.op)) {
    const key = JSON.stringify([member.spec.image, member.spec.imagePullPolicy])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [member])
    else group.push(member)
  }
  return [...groups.values()]
}
