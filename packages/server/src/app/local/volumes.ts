/** Volumes of a machine without Cinder, for containers to mount with `mounts`. */
import { CREATE_LOCAL_VOLUME_FIELDS } from '@zund/contract/api/requests/others.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import { hostLane } from '../../domain/operation/types.ts'
import { dispose } from '../../orchestration/disposals.ts'
import type { LocalVolume, LocalVolumeReads, Page } from '../../orchestration/ports/store.ts'
import { lookupScope, ownScope, type RequestContext } from '../context.ts'
import { readFields, type Body } from '../fields.ts'
import { pageOf } from '../page.ts'
import { requireNameNotId, requireProject, type LocalDeps } from './deps.ts'
import { requireVolumeQuota } from './quota.ts'

/** A volume and the container that has it; null: none has. */
export interface VolumeState {
  readonly volume: LocalVolume
  readonly containerUuid: string | null
}

const NOT_FOUND = 'volume-not-found'

/** Only a record: the space is taken on the host where it is attached first. */
export async function createLocalVolume(deps: LocalDeps, ctx: RequestContext, body: Body): Promise<VolumeState> {
  const { name, size: sizeGiB } = readFields(CREATE_LOCAL_VOLUME_FIELDS, body, ctx.minor)
  requireNameNotId(name)
  deps.policy.authorize('local_volume:create', ctx)
  const projectId = requireProject(ctx)
  const volume = await deps.store.write(async (tx) => {
    if ((await tx.volumes.byName(name, { kind: 'project', projectId })).length > 0) {
      throw new Conflict(`A volume with name ${name} already exists.`)
    }
    await requireVolumeQuota(tx.volumes, projectId, sizeGiB, deps.options.localQuota)
    const uuid = deps.newUuid()
    const { userId } = ctx.caller
    return await tx.volumes.insert({ uuid, name, projectId, userId, sizeGiB, host: null, autoRemove: false })
  })
  return { volume, containerUuid: null }
}

export async function listLocalVolumes(deps: LocalDeps, ctx: RequestContext, page: Page): Promise<VolumeState[]> {
  deps.policy.authorize('local_volume:get_all', ctx)
  const volumes = pageOf(await deps.store.volumes.list(ownScope(ctx)), page, {
    id: (volume) => volume.uuid,
    keys: {
      created_at: (volume) => volume.createdAtMs,
      name: (volume) => volume.name ?? '',
      size: (volume) => volume.sizeGiB,
      uuid: (volume) => volume.uuid,
    },
    notFoundCode: NOT_FOUND,
  })
  return await Promise.all(volumes.map((volume) => stateOf(deps, volume)))
}

export async function showLocalVolume(deps: LocalDeps, ctx: RequestContext, ident: string): Promise<VolumeState> {
  const volume = await find(deps.store.volumes, ctx, ident)
  deps.policy.authorize('local_volume:get_one', ctx, targetOf(volume))
  return await stateOf(deps, volume)
}

/** With its data, which its host destroys in the background. */
export async function deleteLocalVolume(deps: LocalDeps, ctx: RequestContext, ident: string): Promise<void> {
  const found = await find(deps.store.volumes, ctx, ident)
  deps.policy.authorize('local_volume:delete', ctx, targetOf(found))
  const host = await deps.store.write(async (tx) => {
    const volume = await tx.volumes.byUuid(found.uuid, { kind: 'all' })
    if (volume === undefined) throw notFound(ident)
    if (volume.deleting) throw new Conflict(`Volume ${volume.uuid} is being deleted already.`)
    const [user] = await tx.volumes.users(volume.uuid)
    if (user !== undefined) throw new Conflict(`Volume ${volume.uuid} is in use by container ${user}.`)
    // Never attached: there is no data anywhere.
    await dispose(tx, { kind: 'volume', uuid: volume.uuid }, volume.host === null ? [] : [volume.host])
    return volume.host
  })
  if (host !== null) deps.doorbell.ring(hostLane(host))
}

async function stateOf(deps: LocalDeps, volume: LocalVolume): Promise<VolumeState> {
  const [user] = await deps.store.volumes.users(volume.uuid)
  return { volume, containerUuid: user ?? null }
}

async function find(volumes: LocalVolumeReads, ctx: RequestContext, ident: string): Promise<LocalVolume> {
  const scope = lookupScope(ctx)
  const uuid = normaliseUuid(ident)
  const matches = uuid === undefined ? await volumes.byName(ident, scope) : [await volumes.byUuid(uuid, scope)]
  const [first, ...others] = matches
  if (first === undefined) throw notFound(ident)
  if (others.length > 0) {
    throw new Conflict(`Multiple volumes exist with name '${ident}'. Please use the volume uuid instead.`)
  }
  return first
}

function notFound(ident: string): NotFound {
  return new NotFound(`Volume ${ident.slice(0, 255)} could not be found.`, NOT_FOUND)
}

function targetOf(volume: LocalVolume) {
  return { project_id: volume.projectId, user_id: volume.userId, uuid: volume.uuid, name: volume.name }
}
