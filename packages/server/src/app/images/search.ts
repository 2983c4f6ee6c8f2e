import { InvalidInput, messageOf, Unavailable, UserFault } from '../../domain/errors.ts'
import { SERVICE_DRIVER } from '../../domain/image/drivers.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import { PUBLIC_REGISTRY, registryImage } from '../../domain/image/sources.ts'
import type { ImageSearchResult } from '../../orchestration/ports/engine.ts'
import type { RequestContext } from '../context.ts'
import { shown } from '../fields.ts'
import { upHosts } from '../hosts/up-hosts.ts'
import type { ServiceImage } from '../ports/image-service.ts'
import type { ImageDeps } from './deps.ts'

/** Hosts asked in turn while they cannot be reached. */
const MOST_HOSTS = 3
const LONGEST_NAME = 255

export interface ImageSearch {
  /** A tag in it is left out of account. */
  readonly name: string
  /** undefined: the default one. */
  readonly imageDriver: string | undefined
  readonly exactMatch: boolean
}

/** In the image service as the caller; else through any host that is up. */
export async function searchImages(
  deps: ImageDeps,
  ctx: RequestContext,
  search: ImageSearch,
): Promise<ImageSearchResult[] | ServiceImage[]> {
  const { policy, options, imageService } = deps
  const driver = search.imageDriver ?? options.defaults.imageDriver
  requireDriver(driver, options.imageDrivers)
  if (driver === SERVICE_DRIVER && imageService !== undefined) {
    policy.authorize('image:search', ctx)
    return await imageService.search(search.name.slice(0, LONGEST_NAME), search.exactMatch, ctx)
  }
  const term = termOf(search.name)
  policy.authorize('image:search', ctx)
  const results = await askHosts(deps, ctx, term)
  return search.exactMatch ? results.filter((result) => result.name === term) : results
}

function requireDriver(driver: string, available: readonly string[]): void {
  if (available.includes(driver)) return
  throw new InvalidInput(
    `Invalid input for query parameters 'image_driver'. Value: '${shown(driver)}'. It is not one of ${available.join(', ')}`,
    'schema-validation-error',
  )
}

/** Only the public registry can be searched; its own images are found without their prefix. */
function termOf(name: string): string {
  const parsed = name.length > LONGEST_NAME ? undefined : parseImageReference(name)
  if (parsed === undefined) throw new InvalidInput(`'${shown(name)}' is not an image name.`)
  const { domain, path } = registryImage(parsed)
  if (domain !== PUBLIC_REGISTRY) {
    throw new InvalidInput(`Registry ${domain} cannot be searched; only ${PUBLIC_REGISTRY} can.`)
  }
  return path.replace(/^library\//, '')
}

async function askHosts(deps: ImageDeps, ctx: RequestContext, term: string): Promise<ImageSearchResult[]> {
  const { gateway, store, options, log } = deps
  const hosts = await upHosts(store.hosts, options)
  if (hosts.length === 0) throw new Unavailable('No host is up that could be asked to search.', { retryAfterS: 30 })
  let lastError: unknown
  for (const host of hosts.slice(0, MOST_HOSTS)) {
    try {
      return await gateway.searchImages(host, term, { signal: ctx.signal })
    } catch (error) {
      if (error instanceof UserFault || ctx.signal.aborted) throw error
      log.info({ host, why: messageOf(error) }, 'a search did not succeed')
      lastError = error
    }
  }
  throw new Unavailable('The registry did not answer the search.', { cause: lastError, retryAfterS: 30 })
}
