import type { ImageRequest } from '../ports/drivers.ts'
import type { PullProgress } from '../ports/engine.ts'
import type { ClaimedOperation, PullCount } from '../ports/wire.ts'
import type { Step, StepContext } from './step.ts'

export function imageRequestOf(op: ClaimedOperation, container = op.container): ImageRequest {
  return {
    spec: container.spec,
    projectId: container.projectId,
    registryDomain: op.registryDomain,
    auth: op.registryAuth,
  }
}

export function pullOf(image: string, { layers, bytes }: PullProgress): PullCount {
  return { image, layers, bytes }
}

/** Finds or pulls the image, as the pull policy says. */
export const obtainImage: Step = {
  name: 'obtainImage',
  repeat: 'safe',
  async observe(ctx) {
    const image = await ctx.tools.images.find(imageRequestOf(ctx.op), { signal: ctx.signal })
    return image === undefined ? undefined : remember(ctx, image)
  },
  async apply(ctx) {
    const image = await ctx.tools.images.obtain(
      imageRequestOf(ctx.op),
      (p) => ctx.progress(p.detail, pullOf(ctx.op.container.spec.image, p)),
      { signal: ctx.signal },
    )
    return remember(ctx, image)
  },
}

function remember(ctx: StepContext, image: NonNullable<StepContext['brought']['image']>) {
  ctx.brought.image = image
  return { output: { reference: image.reference, id: image.id, driver: image.driver } }
}
