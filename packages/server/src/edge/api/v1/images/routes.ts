import { deleteImage } from '../../../../app/images/delete.ts'
import type { ImageDeps } from '../../../../app/images/deps.ts'
import { listImages, showImage } from '../../../../app/images/find.ts'
import { pullImage } from '../../../../app/images/pull.ts'
import { searchImages } from '../../../../app/images/search.ts'
import { narrowBoolean, optionalText } from '../../arguments.ts'
import { nextUrl, parsePage } from '../../paging.ts'
import type { Call, Reply, Route } from '../../route.ts'
import { notThere } from '../../router.ts'
import { imageView } from './view.ts'

const COLLECTION = '/v1/images'
const ITEM = `${COLLECTION}/:ident`

export function imageRoutes(deps: ImageDeps): Route[] {
  return [
    { method: 'GET', path: COLLECTION, handle: (call) => list(deps, call) },
    { method: 'POST', path: COLLECTION, handle: (call) => pull(deps, call) },
    {
      method: 'GET',
      path: ITEM,
      handle: async ({ ctx, params, baseUrl }) => ({
        body: imageView(await showImage(deps, ctx, params['ident'] ?? ''), baseUrl),
      }),
    },
    {
      method: 'DELETE',
      path: ITEM,
      handle: async ({ ctx, params }) => {
        await deleteImage(deps, ctx, params['ident'] ?? '')
        return {}
      },
    },
    {
      // The client puts names into the path as they are, slashes and all.
      method: 'GET',
      path: `${COLLECTION}/*`,
      query: ['image_driver', 'exact_match'],
      handle: (call) => search(deps, call),
    },
  ]
}

async function list(deps: ImageDeps, { ctx, query, baseUrl }: Call): Promise<Reply> {
  const page = parsePage(query, deps.options.maxPageSize, 'id')
  const images = await listImages(deps, ctx, page)
  const uuids = images.map((image) => image.uuid)
  return {
    body: {
      images: images.map((image) => imageView(image, baseUrl)),
      next: nextUrl(baseUrl, 'images', page, query, uuids),
    },
  }
}

async function pull(deps: ImageDeps, { ctx, args, baseUrl }: Call): Promise<Reply> {
  const image = await pullImage(deps, ctx, args)
  return {
    status: 202,
    body: imageView(image, baseUrl),
    headers: { Location: `${baseUrl}${COLLECTION}/${image.uuid}` },
  }
}

/** The answer has no envelope. */
async function search(deps: ImageDeps, { ctx, params, query }: Call): Promise<Reply> {
  const rest = params['rest'] ?? ''
  const name = /^(.+)\/search$/.exec(rest)?.[1]
  if (name === undefined) throw notThere('GET', `${COLLECTION}/${rest}`)
  const imageDriver = optionalText(query, 'image_driver', { max: 255 })
  const results = await searchImages(deps, ctx, {
    name,
    imageDriver: imageDriver === '' ? undefined : imageDriver,
    exactMatch: narrowBoolean(query, 'exact_match', false),
  })
  return { body: results }
}
