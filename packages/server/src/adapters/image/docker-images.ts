import { BUILT_IN_SANDBOX_IMAGE } from '../../domain/capsule/sandbox.ts'
import { EngineNotFound, EngineRefused, Retryable, UserFault } from '../../domain/errors.ts'
import { imageSources, isByDigest, type ImageSources, type RegistryImage } from '../../domain/image/sources.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ImageDriver, ImageRequest, LocalImage } from '../../orchestration/ports/drivers.ts'
import type { ContainerEngine, EngineImage, PullProgress } from '../../orchestration/ports/engine.ts'
import type { PullPolicy, RegistryAuth } from '../../orchestration/ports/wire.ts'
import { authOf, credentialsFor, lookupKey, type Credentials, type ImageDefaults } from './credentials.ts'
import type { PrivateRepositories } from './private-repositories.ts'
import type { RegistryAccess } from './registry-client.ts'
import type { RegistryHosts } from './registry-hosts.ts'
import { SandboxImage } from './sandbox-image.ts'
import { SharedPulls } from './shared-pulls.ts'

export interface DockerImagesOptions extends ImageDefaults {
  readonly engine: Pick<ContainerEngine, 'info' | 'inspectImage' | 'pullImage' | 'importImage'>
  readonly hosts: RegistryHosts
  readonly registry: RegistryAccess
  readonly privates: PrivateRepositories
  /** Milliseconds for a question to a registry beside a pull. */
  readonly registryTimeoutMs: number
}

const DRIVER = 'docker'

type OnProgress = (p: PullProgress) => void

/** Images of the engine's own store, and of registries through the engine. See docs/design/images.md. */
export class DockerImages implements ImageDriver {
  readonly #options: DockerImagesOptions
  readonly #pulls = new SharedPulls()
  readonly #sandbox: SandboxImage

  constructor(options: DockerImagesOptions) {
    this.#options = options
    this.#sandbox = new SandboxImage(options.engine)
  }

  async find(request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined> {
    if (request.spec.image === BUILT_IN_SANDBOX_IMAGE) {
      const sandbox = await this.#sandbox.find(o)
      return sandbox === undefined ? undefined : toLocal(sandbox)
    }
    const { engine } = this.#options
    const { snapshot, remote } = this.#sourcesOf(request)
    // What a digest names cannot have changed meanwhile.
    const lookHere = remote !== null && (policyOf(request) !== 'always' || isByDigest(remote))
    const [own, common] = await Promise.all([
      snapshot === null ? undefined : engine.inspectImage(snapshot, o),
      lookHere ? engine.inspectImage(remote.reference, o) : undefined,
    ])
    if (own !== undefined) return toLocal(own)
    if (common === undefined || remote === null) return undefined
    return (await this.#mayHave(remote, request, o)) ? toLocal(common) : undefined
  }

  /** The store is everybody's; a copy that came by somebody's credentials is not. */
  async #mayHave(remote: RegistryImage, request: ImageRequest, o: CallOptions): Promise<boolean> {
    const { privates } = this.#options
    if (privates.isOpenTo(remote.repository, request.projectId)) return true
    // With the other policies a pull with the caller's own credentials will tell.
    if (policyOf(request) !== 'never') return false
    const auth = authOf(this.#credentials(remote, request))
    if ((await this.#askRegistry(remote, auth, o)) !== 'exists') return false
    await privates.grant(remote.repository, request.projectId)
    return true
  }

  async obtain(request: ImageRequest, onProgress: OnProgress, o: CallOptions): Promise<LocalImage> {
    if (request.spec.image === BUILT_IN_SANDBOX_IMAGE) return toLocal(await this.#sandbox.obtain(o))
    const found = await this.find(request, o)
    if (found !== undefined) return found
    const { image } = request.spec
    const { remote } = this.#sourcesOf(request)
    if (policyOf(request) === 'never') {
      throw new UserFault('image.not_present', `image ${image} is not on the host, and the pull policy is never`)
    }
    if (remote === null) throw new UserFault('image.not_found', `image ${image} could not be found`)
    await this.#requirePermitted(remote, o)
    const credentials = this.#credentials(remote, request)
    if (isByDigest(remote) && !this.#options.privates.isOpenTo(remote.repository, request.projectId)) {
      await this.#requireAccess(remote, request, o)
      const there = await this.find(request, o)
      if (there !== undefined) return there
    }
    if (credentials.kind === 'own') {
      return await this.#pullPrivately(remote, request.projectId, credentials.auth, onProgress, o)
    }
    const pulled = await this.#pull(remote, authOf(credentials), onProgress, o)
    if (!isByDigest(remote)) await this.#options.privates.opened(remote.repository)
    return pulled
  }

  /** Asked of the registry by us: what is named by its digest an engine may give from its store, without asking. */
  async #requireAccess(remote: RegistryImage, request: ImageRequest, o: CallOptions): Promise<void> {
    const answer = await this.#askRegistry(remote, authOf(this.#credentials(remote, request)), o)
    if (answer === 'unknown') {
      throw new Retryable('image.registry_unavailable', `registry ${remote.domain} did not answer in time`)
    }
    if (answer !== 'exists') {
      throw new UserFault('image.access_denied', `access to image ${remote.reference} was refused`)
    }
    await this.#options.privates.grant(remote.repository, request.projectId)
  }

  /** A pull whose result may be for this project only. */
  async #pullPrivately(
    remote: RegistryImage,
    projectId: string,
    auth: RegistryAuth,
    onProgress: OnProgress,
    o: CallOptions,
  ): Promise<LocalImage> {
    const { engine, privates } = this.#options
    const before = await engine.inspectImage(remote.reference, o)
    // Credentials for what everybody may have change nothing for the others.
    if (!privates.isListed(remote.repository) && (await this.#askRegistry(remote, null, o)) === 'exists') {
      return await this.#pull(remote, auth, onProgress, o)
    }
    await privates.begin(remote.repository)
    let layersSeen = false
    const watch: OnProgress = (p) => {
      layersSeen = true
      onProgress(p)
    }
    try {
      const pulled = await this.#pull(remote, auth, watch, o)
      await privates.succeeded(remote.repository, projectId)
      return pulled
    } catch (error) {
      const nothingCame = !layersSeen && (await this.#isUnchanged(remote, before))
      await privates.failed(remote.repository, nothingCame).catch(() => undefined)
      throw error
    }
  }

  /** Also after an abort, hence without the caller's signal. */
  async #isUnchanged(remote: RegistryImage, before: EngineImage | undefined): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(this.#options.registryTimeoutMs)
      return (await this.#options.engine.inspectImage(remote.reference, { signal }))?.id === before?.id
    } catch {
      return false
    }
  }

  async #pull(
    remote: RegistryImage,
    auth: RegistryAuth | null,
    onProgress: OnProgress,
    o: CallOptions,
  ): Promise<LocalImage> {
    const { engine } = this.#options
    const { reference } = remote
    try {
      await this.#pulls.join(
        lookupKey(remote, auth),
        (tell, signal) => engine.pullImage(reference, auth, tell, { signal }),
        onProgress,
        o.signal,
      )
    } catch (error) {
      throw toImageError(error, reference)
    }
    const pulled = await engine.inspectImage(reference, o)
    if (pulled === undefined) throw new UserFault('image.not_found', `image ${reference} was removed as it came`)
    return toLocal(pulled)
  }

  async #requirePermitted(remote: RegistryImage, o: CallOptions): Promise<void> {
    const { hosts } = this.#options
    if (hosts.permits(remote.domain) && (await hosts.leadsToPermitted(remote.domain, o))) return
    throw new UserFault('image.access_denied', `registry ${remote.domain} may not be used here`)
  }

  #sourcesOf(request: ImageRequest): ImageSources {
    const { image, imageDriver } = request.spec
    if (imageDriver !== DRIVER) {
      throw new UserFault('image.driver_unavailable', `this host has no image driver '${imageDriver}'`)
    }
    const { defaultRegistry } = this.#options
    const { projectId, registryDomain } = request
    const sources = imageSources(image, projectId, { registryDomain, defaultRegistry })
    if (sources === undefined) throw new UserFault('image.not_found', `'${image}' is not an image reference`)
    return sources
  }

  #credentials(remote: RegistryImage, request: ImageRequest): Credentials {
    return credentialsFor(remote, request.auth, this.#options)
  }

  async #askRegistry(remote: RegistryImage, auth: RegistryAuth | null, { signal }: CallOptions) {
    const { registry, registryTimeoutMs } = this.#options
    try {
      return await registry.check(remote, auth, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(registryTimeoutMs)]),
      })
    } catch {
      signal.throwIfAborted()
      return 'unknown'
    }
  }
}

function policyOf(request: ImageRequest): PullPolicy {
  return request.spec.imagePullPolicy ?? 'always'
}

/** By id: what runs is what was found here, wherever its name points by then. */
function toLocal(image: EngineImage): LocalImage {
  return { reference: image.id, id: image.id, driver: DRIVER }
}

function toImageError(error: unknown, reference: string): unknown {
  if (error instanceof EngineNotFound) return new UserFault('image.not_found', error.message, { cause: error })
  if (error instanceof EngineRefused) {
    return new UserFault('image.access_denied', `access to image ${reference} was refused`, { cause: error })
  }
  return error
}
