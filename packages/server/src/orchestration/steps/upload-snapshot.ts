import { SystemFault } from '../../domain/errors.ts'
import { uploadName } from '../../domain/image/service-image.ts'
import type { SnapshotStore } from '../ports/drivers.ts'
import type { ClaimedOperation } from '../ports/wire.ts'
import type { Step, StepContext } from './step.ts'

/** Id of the record that an image service has of the snapshot; undefined: it stays on the host. */
export function uploadOf({ params }: Pick<ClaimedOperation, 'params'>): string | undefined {
  return params.uploadImage === true ? params.imageUuid : undefined
}

export function snapshotsOf({ tools }: Pick<StepContext, 'tools'>): SnapshotStore {
  if (tools.snapshots !== undefined) return tools.snapshots
  throw new SystemFault('image.no_service', 'this host knows no image service that could take the snapshot')
}

/** Gives the committed image to the image service, whose record of it was made with the request, and keeps none itself. */
export const uploadSnapshot: Step = {
  name: 'uploadSnapshot',
  repeat: 'safe',
  async observe(ctx) {
    const imageId = required(ctx)
    if (!(await snapshotsOf(ctx).isWhole(imageId, { signal: ctx.signal }))) return undefined
    await dropSnapshot(ctx)
    return { output: { imageId } }
  },
  async apply(ctx) {
    const imageId = required(ctx)
    const { repository = '', tag = 'latest' } = ctx.op.params
    ctx.progress('Uploading image')
    await snapshotsOf(ctx).upload(
      { imageId, reference: `${uploadName(imageId)}:latest`, name: `${repository}:${tag}` },
      { signal: ctx.signal },
    )
    await dropSnapshot(ctx)
    return { output: { imageId } }
  },
}

/** What of it is on the host. */
export async function dropSnapshot(ctx: Pick<StepContext, 'op' | 'tools' | 'signal'>): Promise<void> {
  const imageId = uploadOf(ctx.op)
  if (imageId === undefined) return
  await ctx.tools.engine.removeImage(`${uploadName(imageId)}:latest`, { signal: ctx.signal })
}

function required({ op }: StepContext): string {
  const imageId = uploadOf(op)
  if (imageId !== undefined) return imageId
  throw new SystemFault('recipe.no_image', 'an upload without an image was recorded')
}
