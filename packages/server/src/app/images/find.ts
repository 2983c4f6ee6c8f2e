import { InvalidInput, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { ImageReads, ImageRecord, Page } from '../../orchestration/ports/store.ts'
import { lookupScope, ownScope, type RequestContext } from '../context.ts'
import type { PolicyTarget } from '../ports/policy.ts'
import type { ImageDeps } from './deps.ts'

/** Only by uuid. An unknown one is a 400 (admin-resources 4); another project's is unknown. */
export async function findImage(reads: ImageReads, ctx: RequestContext, ident: string): Promise<ImageRecord> {
  const uuid = normaliseUuid(ident)
  if (uuid === undefined) throw new NotFound(`'${ident.slice(0, 255)}' is not the uuid of an image.`, 'image-not-found')
  const found = await reads.byUuid(uuid, lookupScope(ctx))
  if (found === undefined) throw imageNotFound(ident)
  return found
}

export function imageNotFound(ident: string): InvalidInput {
  return new InvalidInput(`Image ${ident.slice(0, 255)} could not be found.`, 'image-not-found')
}

export async function showImage(deps: ImageDeps, ctx: RequestContext, ident: string): Promise<ImageRecord> {
  const image = await findImage(deps.store.images, ctx, ident)
  deps.policy.authorize('image:get_one', ctx, policyTarget(image))
  return image
}

/** Of the caller's project, an admin's too. */
export async function listImages(deps: ImageDeps, ctx: RequestContext, page: Page): Promise<ImageRecord[]> {
  deps.policy.authorize('image:get_all', ctx)
  return await deps.store.images.list(page, ownScope(ctx))
}

/** Fields of the record that a rule may name. */
function policyTarget(image: ImageRecord): PolicyTarget {
  return {
    uuid: image.uuid,
    project_id: image.projectId,
    user_id: image.userId,
    host: image.host,
    repo: image.repo,
    tag: image.tag,
    image_id: image.imageId,
  }
}
