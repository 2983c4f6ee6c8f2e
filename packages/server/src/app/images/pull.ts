import { Forbidden, InvalidInput } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import { imageSources, shortRepository, type RegistryImage } from '../../domain/image/sources.ts'
import { hostLane } from '../../domain/operation/types.ts'
import type { Host, HostReads, ImageRecord } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { bad, missing, refuseUnknownFields, textField, type Body } from '../fields.ts'
import type { ImageDeps } from './deps.ts'
import { imageNotFound } from './find.ts'

const FIELDS = ['repo', 'host', 'tag', 'image_id', 'size', 'image_pull_policy']
const NAME = { min: 2, max: 255, pattern: /[a-zA-Z0-9][a-zA-Z0-9_.-]/ }
const PULL_POLICIES: readonly unknown[] = ['never', 'always', 'ifnotpresent', 'Never', 'Always', 'IfNotPresent']

/** Accepts a pull on a host; the host does it when it gets to it. */
export async function pullImage(deps: ImageDeps, ctx: RequestContext, body: Body): Promise<ImageRecord> {
  const { store, policy, options, doorbell } = deps
  const wanted = parse(body)
  policy.authorize('image:pull', ctx)
  const { projectId, userId } = ctx.caller
  if (projectId === null) throw new Forbidden('An image belongs to a project; the token is not scoped to one.')
  const image = toRegistryImage(wanted.repo, options.defaultRegistry)
  const host = await findHost(store.hosts, wanted.host)
  if (host === undefined) throw new InvalidInput(`The host ${wanted.host} does not exist.`)
  const record = await store.write(async (tx) => {
    return await tx.images.insert({
      uuid: deps.newUuid(),
      imageId: null,
      repo: shortRepository(image),
      tag: image.version,
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

/** `tag`, `image_id`, `size` and `image_pull_policy` are checked and then mean nothing, as the contract has it. */
function parse(body: Body): { repo: string; host: string } {
  refuseUnknownFields(body, FIELDS)
  const repo = textField(body, 'repo', NAME)
  if (repo === undefined) throw missing('repo')
  const host = textField(body, 'host', NAME)
  if (host === undefined) throw missing('host')
  textField(body, 'tag', NAME)
  textField(body, 'image_id', NAME)
  const size = body['size'] ?? 0
  const isSize = typeof size === 'string' ? /^[0-9]+[bBkKmMgG]?$/.test(size) : Number.isInteger(size)
  if (!isSize) throw bad('size', size, 'It is not a whole number, with b, k, m or g after it or not')
  const pullPolicy = body['image_pull_policy'] ?? 'always'
  if (!PULL_POLICIES.includes(pullPolicy)) {
    throw bad('image_pull_policy', pullPolicy, `It is not one of ${PULL_POLICIES.join(', ')}`)
  }
  return { repo, host }
}

function toRegistryImage(repo: string, defaultRegistry: string | null): RegistryImage {
  // A bare uuid means an image of an image service, and there is none here.
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
