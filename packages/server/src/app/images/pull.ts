import { PULL_FIELDS } from '@zund/contract/api/requests/others.ts'
import { Forbidden, InvalidInput } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import { ONLY_TAG, SERVICE_DRIVER } from '../../domain/image/drivers.ts'
import { imageSources, shortRepository, type RegistryImage } from '../../domain/image/sources.ts'
import { hostLane } from '../../domain/operation/types.ts'
import type { Host, HostReads, ImageRecord } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { bad, readFields, type Body } from '../fields.ts'
import type { ImageDeps } from './deps.ts'
import { imageNotFound } from './find.ts'

/** Accepts a pull on a host; the host does it when it gets to it. */
export async function pullImage(deps: ImageDeps, ctx: RequestContext, body: Body): Promise<ImageRecord> {
  const { store, policy, doorbell } = deps
  const wanted = readFields(PULL_FIELDS, body, ctx.minor)
  policy.authorize('image:pull', ctx)
  const { projectId, userId } = ctx.caller
  if (projectId === null) throw new Forbidden('An image belongs to a project; the token is not scoped to one.')
  const { repo, tag } = await meantBy(deps, ctx, wanted.repo)
  const host = await findHost(store.hosts, wanted.host)
  if (host === undefined) throw new InvalidInput(`The host ${wanted.host} does not exist.`)
  const record = await store.write(async (tx) => {
    return await tx.images.insert({
      uuid: deps.newUuid(),
      imageId: null,
      repo,
      tag,
      sizeBytes: null,
      host: host.name,
      projectId,
      userId,
      pending: 'pull',
      error: null,
    })
  })
  doorbell.ring(hostLane(host.name))
  return record
}

/** Through the default driver; a bare uuid means an image of the image service, whatever that driver is. */
async function meantBy(
  { imageService, options }: ImageDeps,
  ctx: RequestContext,
  repo: string,
): Promise<{ repo: string; tag: string }> {
  const isService = normaliseUuid(repo) !== undefined || options.defaults.imageDriver === SERVICE_DRIVER
  if (isService && imageService !== undefined && options.imageDrivers.includes(SERVICE_DRIVER)) {
    return { repo: (await imageService.resolve(repo, ctx)).id, tag: ONLY_TAG }
  }
  const image = toRegistryImage(repo, options.defaultRegistry)
  return { repo: shortRepository(image), tag: image.version }
}

function toRegistryImage(repo: string, defaultRegistry: string | null): RegistryImage {
  if (normaliseUuid(repo) !== undefined) throw imageNotFound(repo)
  const sources = imageSources(repo, '', { registryDomain: null, defaultRegistry })
  if (sources === undefined) throw bad('repo', repo, 'It is not an image reference [registry/]name[:tag][@digest]')
  // Snapshots are made by commit; no registry has them.
  if (sources.remote === null) throw imageNotFound(repo)
  return sources.remote
}

async function findHost(hosts: HostReads, ident: string): Promise<Host | undefined> {
  const uuid = normaliseUuid(ident)
  return (uuid === undefined ? undefined : await hosts.byUuid(uuid)) ?? (await hosts.byName(ident))
}
