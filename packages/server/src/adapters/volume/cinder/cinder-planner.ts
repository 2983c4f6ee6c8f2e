import type { Asker } from '../../../app/ports/asker.ts'
import type {
  PlannedVolume,
  VolumePlace,
  VolumePlan,
  VolumePlanner,
  VolumeRequest,
} from '../../../app/ports/volume-planner.ts'
import { Conflict, InvalidInput, messageOf, NotFound, Unavailable } from '../../../domain/errors.ts'
import { normaliseUuid } from '../../../domain/ids.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { Store, Tx } from '../../../orchestration/ports/store.ts'
import type { Cinder, CinderVolume, InNameOf } from '../../openstack/cinder.ts'
import { OpenStackError, refusalFor, toUnavailable } from '../../openstack/errors.ts'
import { removeMarked, VOLUME_MARK } from './marked.ts'

export interface CinderPlannerDeps {
  readonly cinder: Cinder
  readonly store: Pick<Store, 'write'>
  readonly newUuid: () => string
  readonly log: Logger
}

interface Found {
  readonly volume: CinderVolume
  readonly autoRemove: boolean
  /** Of one that was made for the request. */
  readonly mark: string | null
}

const SHOWN = 255
const GIVE_UP_MS = 15_000
/** Somebody else has it, or it is on its way to be somebody's. */
const TAKEN: readonly string[] = ['in-use', 'attaching', 'reserved']

/** Volumes of the block storage service: found, and made where a size was asked for, as the caller. */
export class CinderPlanner implements VolumePlanner {
  readonly #deps: CinderPlannerDeps

  constructor(deps: CinderPlannerDeps) {
    this.#deps = deps
  }

  async plan(asker: Asker, requests: readonly VolumeRequest[]): Promise<VolumePlan> {
    const as = { userToken: asker.token, projectId: asker.caller.projectId, requestId: asker.requestId }
    const found: Found[] = []
    const marks: string[] = []
    const giveUp = async (): Promise<void> => await this.#giveUp(marks)
    try {
      // Before anything is made.
      const existing = new Map<VolumeRequest, CinderVolume>()
      for (const request of requests) {
        if (request.kind === 'existing') existing.set(request, await this.#usable(request, as, asker))
      }
      for (const request of requests) {
        if (request.kind === 'existing') {
          const volume = existing.get(request)
          if (volume !== undefined) found.push({ volume, autoRemove: false, mark: null })
          continue
        }
        const mark = this.#deps.newUuid()
        marks.push(mark)
        const volume = await this.#make(request.sizeGiB, mark, as, asker)
        found.push({ volume, autoRemove: request.autoRemove, mark })
      }
    } catch (error) {
      await giveUp()
      throw refusalFor(error)
    }
    return {
      host: async (tx) => await hostOf(tx, found),
      volumes: async (tx, place) => {
        const planned: PlannedVolume[] = []
        for (const one of found) planned.push(await plannedOf(tx, one, place))
        return planned
      },
      giveUp,
    }
  }

  async #usable(
    { source, onlyById }: VolumeRequest & { readonly kind: 'existing' },
    as: InNameOf,
    o: Asker,
  ): Promise<CinderVolume> {
    const { cinder } = this.#deps
    const id = normaliseUuid(source)
    let volume = id === undefined ? undefined : await cinder.show(id, as, o)
    if (volume === undefined && !onlyById) {
      const [first, ...others] = await cinder.named(source, as, o)
      if (others.length > 0) {
        throw new Conflict(`Multiple volumes exist with name '${source.slice(0, SHOWN)}'. Please use the volume id.`)
      }
      volume = first
    }
    if (volume === undefined) {
      throw new NotFound(`Volume ${source.slice(0, SHOWN)} could not be found.`, 'volume-not-found')
    }
    requireUsable(volume, as)
    return volume
  }

  /** Noted first: whatever happens to us now, it is found again by its mark. */
  async #make(sizeGiB: number, mark: string, as: InNameOf, o: Asker): Promise<CinderVolume> {
    const { cinder, store } = this.#deps
    await store.write((tx) => tx.advances.insert({ uuid: mark, kind: 'volume' }))
    try {
      return await cinder.create({ sizeGiB, metadata: { [VOLUME_MARK]: mark } }, as, o)
    } catch (error) {
      const told = toUnavailable(error)
      if (!(told instanceof OpenStackError) || told.status === 401) throw told
      throw new InvalidInput(`Volume of ${sizeGiB} GiB could not be created: ${told.reason}`, 'volume-create-failed')
    }
  }

  async #giveUp(marks: readonly string[]): Promise<void> {
    const { cinder, store, log } = this.#deps
    const signal = AbortSignal.timeout(GIVE_UP_MS)
    for (const mark of marks) {
      try {
        if (!(await store.write((tx) => tx.advances.abandon(mark)))) continue
        await removeMarked(cinder, mark, { signal })
        await store.write((tx) => tx.advances.remove(mark))
      } catch (error) {
        // Still in the making, mostly. It is noted, and done soon.
        log.info({ mark, why: messageOf(error) }, 'a volume of a refused request is not removed yet')
      }
    }
  }
}

function requireUsable(volume: CinderVolume, as: InNameOf): void {
  const { id, status, multiattach, encrypted, projectId, holders } = volume
  if (projectId !== null && projectId !== as.projectId) {
    throw new InvalidInput(`Volume ${id} belongs to another project.`, 'volume-not-usable')
  }
  if (encrypted) throw new InvalidInput(`Volume ${id} is encrypted, which is not supported.`, 'volume-not-usable')
  if (!multiattach && (holders.length > 0 || TAKEN.includes(status))) {
    const by = holders[0] === undefined ? '' : ` by ${holders[0]}`
    throw new InvalidInput(`Volume ${id} is in use${by}.`, 'volume-in-use')
  }
  if (status.startsWith('error') || status === 'deleting') {
    throw new InvalidInput(`Volume ${id} cannot be used: its status is ${status}.`, 'volume-not-usable')
  }
}

/**
 * Of a volume that may be attached several times, where it is: its file system is one that only one host may have mounted. The
 * containers of that host share it.
 */
async function hostOf(tx: Tx, found: readonly Found[]): Promise<string | null> {
  const hosts = new Set<string>()
  for (const { volume } of found) {
    for (const user of volume.multiattach ? await tx.volumes.users(volume.id) : []) {
      const host = (await tx.containers.byUuid(user, { kind: 'all' }))?.host ?? null
      if (host !== null) hosts.add(host)
    }
  }
  if (hosts.size > 1) throw new Conflict("The volumes in 'mounts' are on different hosts and cannot be used together.")
  return [...hosts][0] ?? null
}

async function plannedOf(
  tx: Tx,
  { volume: { id, sizeGiB, multiattach }, autoRemove, mark }: Found,
  { holder }: VolumePlace,
): Promise<PlannedVolume> {
  if (mark !== null && !(await tx.advances.remove(mark))) {
    throw new Unavailable('The request took so long that the volume made for it has been removed.')
  }
  // Accepted before us, and not attached yet: the service does not know of it.
  const [user] = multiattach ? [] : await tx.volumes.users(id)
  if (user !== undefined) throw new InvalidInput(`Volume ${id} is in use by container ${user}.`, 'volume-in-use')
  return { volumeUuid: id, provider: 'block-storage', sizeGiB, autoRemove, attachment: { holder, id: null } }
}
