import { Conflict, InvalidInput, Unavailable } from '../../domain/errors.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import { snapshotReference } from '../../domain/image/snapshot.ts'
import type { RequestContext } from '../context.ts'
import { acceptOn } from './act.ts'
import type { ContainerDeps } from './deps.ts'
import { findAuthorized, requireStatus } from './find.ts'

/** A snapshot of the container as an image of its project on its host. Answers the image's uuid. */
export async function commitContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  repository: string,
  tag: string | undefined,
): Promise<string> {
  const found = await findAuthorized(deps, ctx, ident, 'container:commit')
  requireStatus(found, 'commit')
  const name = `${repository}:${tag ?? 'latest'}`
  const parsed = parseImageReference(name)
  if (parsed === undefined || parsed.domain !== null || parsed.digest !== null || parsed.tag === null) {
    throw new InvalidInput(
      `Invalid input for query parameters 'repository'. Value: '${name}'. It must be a lower-case image name without a registry, and a tag of at most 128 characters`,
    )
  }
  const { path } = parsed
  const usedTag = parsed.tag
  let imageUuid = deps.newUuid()
  await acceptOn(deps, ctx, found, 'commit', async (tx, now) => {
    if (now.host === null) throw new Unavailable('The container has no host.')
    const repo = snapshotReference(now.projectId, path)
    const before = await tx.images.named(repo, usedTag, now.host)
    if (before === undefined) {
      await tx.images.insert({
        uuid: imageUuid,
        imageId: null,
        repo,
        tag: usedTag,
        sizeBytes: null,
        host: now.host,
        projectId: now.projectId,
        userId: ctx.caller.userId,
        pending: 'commit',
        error: null,
      })
    } else {
      if (before.pending !== null) {
        throw new Conflict(`Image ${name} is being made or deleted. Try again when that is over.`, 'image-in-use')
      }
      // The record moves on as the tag does, once the new image is there; until then it shows the old one.
      imageUuid = before.uuid
      await tx.images.update(imageUuid, { pending: 'commit', error: null })
    }
    return { verb: 'commit', params: { repository: path, tag: usedTag, imageUuid } }
  })
  return imageUuid
}
