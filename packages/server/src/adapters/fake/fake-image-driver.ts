import { BUILT_IN_SANDBOX_IMAGE } from '../../domain/capsule/sandbox.ts'
import { EngineNotFound, EngineRefused, UserFault } from '../../domain/errors.ts'
import { resolveImageReference } from '../../domain/image/reference.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ImageDriver, ImageRequest, LocalImage } from '../../orchestration/ports/drivers.ts'
import type { ContainerEngine, PullProgress } from '../../orchestration/ports/engine.ts'

/** Images of the engine and its registries, as the pull policy says; nothing is shared or cached. */
export class FakeImageDriver implements ImageDriver {
  readonly #engine: ContainerEngine

  constructor(engine: ContainerEngine) {
    this.#engine = engine
  }

  async find(request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined> {
    const policy = request.spec.imagePullPolicy ?? 'always'
    return policy === 'always' ? undefined : await this.#local(request, o)
  }

  async obtain(request: ImageRequest, onProgress: (p: PullProgress) => void, o: CallOptions): Promise<LocalImage> {
    const reference = referenceOf(request)
    if (reference === BUILT_IN_SANDBOX_IMAGE) await this.#engine.importImage(reference, Buffer.alloc(0), ['/pause'], o)
    else if (request.spec.imagePullPolicy !== 'never') await this.#pull(request, reference, onProgress, o)
    const found = await this.#local(request, o)
    if (found === undefined) throw new UserFault('image.not_present', `image ${reference} is not on the host`)
    return found
  }

  async #pull(
    request: ImageRequest,
    reference: string,
    onProgress: (p: PullProgress) => void,
    o: CallOptions,
  ): Promise<void> {
    try {
      await this.#engine.pullImage(reference, request.auth, onProgress, o)
    } catch (error) {
      if (error instanceof EngineNotFound) throw new UserFault('image.not_found', error.message, { cause: error })
      if (error instanceof EngineRefused) throw new UserFault('image.access_denied', error.message, { cause: error })
      throw error
    }
  }

  async #local(request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined> {
    const reference = referenceOf(request)
    const found = await this.#engine.inspectImage(reference, o)
    return found === undefined ? undefined : { reference, id: found.id, driver: 'fake' }
  }
}

function referenceOf({ spec, registryDomain }: ImageRequest): string {
  const resolved = resolveImageReference(spec.image, { registryDomain, defaultRegistry: null })
  if (resolved === undefined) throw new UserFault('image.bad_reference', `${spec.image} is not an image reference`)
  return resolved.reference
}
