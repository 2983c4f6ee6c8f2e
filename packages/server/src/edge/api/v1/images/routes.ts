import type { FoundImage } from '@zund/contract/api/admin.ts'
import { imageEndpoints } from '@zund/contract/api/endpoints/admin.ts'
import { deleteImage } from '../../../../app/images/delete.ts'
import type { ImageDeps } from '../../../../app/images/deps.ts'
import { listImages, showImage } from '../../../../app/images/find.ts'
import { pullImage } from '../../../../app/images/pull.ts'
import { searchImages } from '../../../../app/images/search.ts'
import { nextUrl, pageOf } from '../../paging.ts'
import { route, type Call, type RawCall, type Reply, type Route } from '../../route.ts'
import { notThere } from '../../router.ts'
import { imageView } from './view.ts'

type Endpoints = ReturnType<typeof imageEndpoints>

export function imageRoutes(deps: ImageDeps): Route[] {
  const endpoints = imageEndpoints(deps.options)
  return [
    route(endpoints.listImages, (call) => list(deps, call)),
    route(endpoints.pullImage, (call) => pull(deps, call)),
    route(endpoints.showImage, async ({ ctx, params, baseUrl }) => ({
      body: imageView(await showImage(deps, ctx, params['ident'] ?? ''), baseUrl),
    })),
    route(endpoints.deleteImage, async ({ ctx, params }) => {
      await deleteImage(deps, ctx, params['ident'] ?? '')
      return {}
    }),
    // The client puts names into the path as they are, slashes and all.
    route(endpoints.searchImages, (call) => search(deps, call)),
  ]
}

async function list(
  deps: ImageDeps,
  { ctx, args, query, baseUrl }: Call<Endpoints['listImages']['args']>,
): Promise<Reply> {
  const page = pageOf(args, deps.options.maxPageSize, 'id')
  const images = await listImages(deps, ctx, page)
  const uuids = images.map((image) => image.uuid)
  return {
    body: {
      images: images.map((image) => imageView(image, baseUrl)),
      next: nextUrl(baseUrl, 'images', page, query, uuids),
    },
  }
}

async function pull(deps: ImageDeps, { ctx, given, baseUrl }: RawCall): Promise<Reply> {
  const image = await pullImage(deps, ctx, given)
  return {
    status: 202,
    body: imageView(image, baseUrl),
    headers: { Location: `${baseUrl}/v1/images/${image.uuid}` },
  }
}

/** The answer has no envelope. */
async function search(deps: ImageDeps, { ctx, params, args }: Call<Endpoints['searchImages']['args']>): Promise<Reply> {
  const rest = params['rest'] ?? ''
  const name = /^(.+)\/search$/.exec(rest)?.[1]
  if (name === undefined) throw notThere('GET', `/v1/images/${rest}`)
  const body: readonly FoundImage[] = await searchImages(deps, ctx, {
    name,
    imageDriver: args.image_driver === '' ? undefined : args.image_driver,
    exactMatch: args.exact_match ?? false,
  })
  return { body }
}
