import { createReadStream } from 'node:fs'
import { EngineRefused, messageOf, Retryable, SystemFault, UserFault } from '../../../domain/errors.ts'
import { SERVICE_DRIVER } from '../../../domain/image/drivers.ts'
import { serviceImageReference } from '../../../domain/image/service-image.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { ImageDriver, ImageRequest, LocalImage } from '../../../orchestration/ports/drivers.ts'
import type { ContainerEngine, EngineArchives, EngineImage, PullProgress } from '../../../orchestration/ports/engine.ts'
import { isAway, OpenStackError, toRetryable } from '../../openstack/errors.ts'
import type { Glance, GlanceImage } from '../../openstack/glance.ts'
import { SharedPulls } from '../shared-pulls.ts'
import type { ArchiveCache } from './archive-cache.ts'
import type { LoadedImages } from './loaded-images.ts'
import { renamed } from './renamed.ts'
import { whyUnusable } from './usable.ts'

export interface GlanceImagesDeps {
  readonly glance: Pick<Glance, 'show' | 'download'>
  readonly engine: Pick<ContainerEngine, 'inspectImage'>
  readonly archives: Pick<EngineArchives, 'loadImage'>
  readonly cache: ArchiveCache
  readonly loaded: LoadedImages
}

/** Nobody waits longer for what is only tidied up. */
const TIDY_MS = 10_000

type OnProgress = (p: PullProgress) => void

/** Images of the cloud's image service, loaded into the engine of this host. See docs/design/glance.md. */
export class GlanceImages implements ImageDriver {
  readonly #deps: GlanceImagesDeps
  readonly #pulls = new SharedPulls()

  constructor(deps: GlanceImagesDeps) {
    this.#deps = deps
  }

  /** Removes archives and images that are kept for nothing. */
  async tidy(): Promise<void> {
    const soon = { signal: AbortSignal.timeout(TIDY_MS) }
    await this.#deps.cache.collect(soon).catch(() => undefined)
    await this.#deps.loaded.collect(soon)
  }

  async find(request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined> {
    const id = idOf(request)
    await this.#deps.loaded.use(id, o)
    const found = await this.#deps.engine.inspectImage(serviceImageReference(id), o)
    if (found === undefined) return undefined
    // The data of an id never changes; whether it may still be used does.
    if ((request.spec.imagePullPolicy ?? 'always') === 'always') await this.#usable(request, id, o)
    return toLocal(found)
  }

  async obtain(request: ImageRequest, onProgress: OnProgress, o: CallOptions): Promise<LocalImage> {
    const image = await this.#obtain(request, onProgress, o)
    // At last: the one who brought it may have come for a container.
    if (request.isToStay === true) await this.#deps.loaded.forget(idOf(request))
    return image
  }

  async #obtain(request: ImageRequest, onProgress: OnProgress, o: CallOptions): Promise<LocalImage> {
    const id = idOf(request)
    const { engine } = this.#deps
    const found = await this.find(request, o)
    if (found !== undefined) return found
    if (request.spec.imagePullPolicy === 'never') {
      throw new UserFault('image.not_present', `${named(request, id)} is not on the host, and the pull policy is never`)
    }
    await this.#pulls.join(id, (tell, signal) => this.#bring(request, id, tell, signal), onProgress, o.signal)
    const loaded = await engine.inspectImage(serviceImageReference(id), o)
    if (loaded === undefined) throw new Retryable('image.vanished', `${named(request, id)} was removed as it came`)
    return toLocal(loaded)
  }

  async #bring(request: ImageRequest, id: string, tell: OnProgress, signal: AbortSignal): Promise<void> {
    const { glance, cache, archives, loaded } = this.#deps
    const image = await this.#usable(request, id, { signal })
    const onBytes = (count: number): void => tell(progressOf(count, image.sizeBytes))
    const load = async (path: string): Promise<void> => {
      tell({ detail: 'Loading image', layers: { current: 0, total: 1 }, bytes: null })
      await loaded.use(id, { signal })
      if (request.isToStay !== true) await loaded.note(id)
      await archives.loadImage(renamed(createReadStream(path), serviceImageReference(id)), { signal })
    }
    try {
      await cache.use(image, () => glance.download(id, { signal }), onBytes, load, { signal })
    } catch (error) {
      signal.throwIfAborted()
      throw await this.#explained(error, request, id, signal)
    } finally {
      await this.tidy()
    }
  }

  /** A download that broke off may have done so because the image is gone; then no further try will help. */
  async #explained(error: unknown, request: ImageRequest, id: string, signal: AbortSignal): Promise<unknown> {
    const { cache, loaded } = this.#deps
    if (error instanceof EngineRefused || (error instanceof UserFault && error.code === 'image.not_an_archive')) {
      await cache.drop(id)
      await loaded.forget(id)
      return new UserFault('image.not_an_archive', `${named(request, id)} cannot be loaded: ${messageOf(error)}`, {
        cause: error,
      })
    }
    if (error instanceof SystemFault && error.code === 'image.damaged') return error
    const isRefusal = error instanceof OpenStackError && !isAway(error)
    const isTruncated = error instanceof Retryable && error.code === 'image.truncated'
    if (!isRefusal && !isTruncated && !isAway(error)) return error
    await this.#usable(request, id, { signal })
    if (!isRefusal) return toRetryable(error)
    return new Retryable('image.not_given', `${named(request, id)} could not be fetched: ${messageOf(error)}`, {
      cause: error,
    })
  }

  async #usable(request: ImageRequest, id: string, o: CallOptions): Promise<GlanceImage> {
    let image: GlanceImage | undefined
    try {
      image = await this.#deps.glance.show(id, {}, o)
    } catch (error) {
      throw toRetryable(error)
    }
    if (image === undefined) {
      throw new UserFault('image.not_found', `${named(request, id)} is not in the image service any more`)
    }
    const why = whyUnusable(image)
    if (why !== undefined) throw new UserFault('image.not_usable', `${named(request, id)} cannot be used: ${why}`)
    return image
  }
}

/** The one that was found when the request was accepted: a name may mean another one by now. */
function idOf({ spec }: ImageRequest): string {
  const { imageId } = spec
  if (typeof imageId === 'string') return imageId
  throw new SystemFault('image.no_id', `image ${spec.image} was accepted without its id`)
}

function named({ spec }: ImageRequest, id: string): string {
  return spec.image === id ? `image ${id}` : `image ${spec.image} (${id})`
}

function toLocal(image: EngineImage): LocalImage {
  return { reference: image.id, id: image.id, driver: SERVICE_DRIVER }
}

function progressOf(count: number, total: number | null): PullProgress {
  const share = total === null || total === 0 ? '' : `: ${Math.floor((100 * count) / total)} %`
  return {
    detail: `Downloading image${share}`,
    layers: { current: 0, total: 1 },
    bytes: total === null ? null : { current: count, total },
  }
}
