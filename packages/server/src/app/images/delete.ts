import { hostLane } from '../../domain/operation/types.ts'
import type { RequestContext } from '../context.ts'
import type { ImageDeps } from './deps.ts'
import { findImage, imageNotFound } from './find.ts'

/** Accepts it; the record goes when the host has removed the image. Asking again changes nothing. */
export async function deleteImage(deps: ImageDeps, ctx: RequestContext, ident: string): Promise<void> {
  const { store, policy, doorbell } = deps
  const found = await findImage(store.images, ctx, ident)
  policy.authorize('image:delete', ctx)
  const host = await store.write(async (tx) => {
    const image = await tx.images.byUuid(found.uuid, { kind: 'all' })
    if (image === undefined) throw imageNotFound(ident)
    if ((await tx.hosts.byName(image.host)) === undefined) {
      // Its host was taken out of service for good, and the image with it.
      await tx.images.remove(image.uuid)
      return undefined
    }
    await tx.images.update(image.uuid, { pending: 'delete', error: null })
    return image.host
  })
  if (host !== undefined) doorbell.ring(hostLane(host))
}
