import { snapshotReference } from '../../domain/image/snapshot.ts'
import { SystemFault } from '../../domain/errors.ts'
import { uploadName } from '../../domain/image/service-image.ts'
import type { Step, StepContext } from './step.ts'
import { snapshotsOf, uploadOf } from './upload-snapshot.ts'

interface CommitMark {
  /** Image the tag named before; null: none. */
  readonly previousId: string | null
}

function target(ctx: StepContext): { repository: string; tag: string; reference: string } {
  const { repository, tag } = ctx.op.params
  if (repository === undefined || tag === undefined) {
    throw new SystemFault('recipe.no_repository', 'a commit without a repository was recorded')
  }
  const upload = uploadOf(ctx.op)
  if (upload !== undefined) {
    const name = uploadName(upload)
    return { repository: name, tag: 'latest', reference: `${name}:latest` }
  }
  const name = snapshotReference(ctx.op.container.projectId, repository)
  return { repository: name, tag, reference: `${name}:${tag}` }
}

/** Done when the tag names another image than the one noted before. */
export const commitContainer: Step = {
  name: 'commitContainer',
  repeat: 'safe',
  async observe(ctx) {
    const upload = uploadOf(ctx.op)
    // It has been here, and is where it was to go.
    if (upload !== undefined && ctx.wasStarted && (await snapshotsOf(ctx).isWhole(upload, { signal: ctx.signal })))
      return {}
    if (!ctx.wasStarted || ctx.mark === null || typeof ctx.mark !== 'object') return undefined
    const now = await ctx.tools.engine.inspectImage(target(ctx).reference, { signal: ctx.signal })
    if (now === undefined || now.id === (ctx.mark as CommitMark).previousId) return undefined
    return { output: { imageId: now.id, sizeBytes: now.sizeBytes } }
  },
  async mark(ctx): Promise<CommitMark> {
    const before = await ctx.tools.engine.inspectImage(target(ctx).reference, { signal: ctx.signal })
    return { previousId: before?.id ?? null }
  },
  async apply(ctx) {
    const { engine } = ctx.tools
    const { repository, tag, reference } = target(ctx)
    await engine.commit(ctx.op.container.uuid, repository, tag, { signal: ctx.signal })
    const made = await engine.inspectImage(reference, { signal: ctx.signal })
    if (made === undefined) throw new SystemFault('image.lost', `the committed image ${reference} is gone`)
    return { output: { imageId: made.id, sizeBytes: made.sizeBytes } }
  },
}
