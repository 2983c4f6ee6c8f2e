import type { Container } from '../../domain/container/types.ts'
import { Conflict, InvalidInput, messageOf, Unavailable } from '../../domain/errors.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import { snapshotReference } from '../../domain/image/snapshot.ts'
import type { RequestContext } from '../context.ts'
import { acceptOn } from './act.ts'
import type { ImageService } from '../ports/image-service.ts'
import type { ContainerDeps } from './deps.ts'
import { findAuthorized, requireStatus } from './find.ts'

const GIVE_UP_MS = 10_000

/** A snapshot of the container: an image of the image service, or of its project on its host. Answers the image's uuid. */
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
  const { imageService } = deps
  if (imageService !== undefined) {
    return await commitToService({ ...deps, imageService }, ctx, found, { name: path, tag: usedTag })
  }
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

/**
 * The record is made at once, as the caller, whose it is; the host fills it. It is noted before, so that a record that nobody
 * will fill is found and removed.
 */
async function commitToService(
  deps: ContainerDeps & { readonly imageService: ImageService },
  ctx: RequestContext,
  found: Container,
  { name, tag }: { readonly name: string; readonly tag: string },
): Promise<string> {
  const { store, imageService, newUuid, log } = deps
  const id = newUuid()
  await store.write((tx) => tx.advances.insert({ uuid: id, kind: 'image' }))
  try {
    await imageService.begin({ id, name, tag }, ctx)
    await acceptOn(deps, ctx, found, 'commit', async (tx, now) => {
      if (now.host === null) throw new Unavailable('The container has no host.')
      if (!(await tx.advances.hand(id, now.uuid))) throw new Unavailable('The request took too long.')
      return { verb: 'commit', params: { repository: name, tag, imageUuid: id, uploadImage: true } }
    })
  } catch (error) {
    try {
      await store.write((tx) => tx.advances.abandon(id))
      await imageService.remove(id, { signal: AbortSignal.timeout(GIVE_UP_MS) })
      await store.write((tx) => tx.advances.remove(id))
    } catch (left) {
      log.info({ imageUuid: id, why: messageOf(left) }, 'the image of a refused commit is not removed yet')
    }
    throw error
  }
  return id
}
