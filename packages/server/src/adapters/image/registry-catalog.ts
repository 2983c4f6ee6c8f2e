import { LRUCache } from 'lru-cache'
import type { HostGateway } from '../../app/ports/host-gateway.ts'
import type { ImageCatalog } from '../../app/ports/image-catalog.ts'
import { imageSources, isByDigest, type RegistryImage } from '../../domain/image/sources.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ImageRequest } from '../../orchestration/ports/drivers.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import { authOf, credentialsFor, lookupKey, type ImageDefaults } from './credentials.ts'
import type { RegistryAccess, RegistryAnswer } from './registry-client.ts'

export interface RegistryCatalogOptions extends ImageDefaults {
  readonly registry: RegistryAccess
  readonly gateway: Pick<HostGateway, 'findImage'>
  /** Hosts that can be asked. */
  readonly upHosts: (o: CallOptions) => Promise<readonly string[]>
  /** Milliseconds a create may be kept waiting for all of this. */
  readonly deadlineMs: number
  readonly keepMs: KeepMs
}

/** How long an answer of a registry is believed. */
export interface KeepMs {
  readonly exists: number
  /** Short, because a user who was told so pushes the image and tries again. */
  readonly refused: number
  /** A registry that does not answer is left alone so long. */
  readonly silent: number
}

export const CATALOG_DEFAULTS = {
  deadlineMs: 1_500,
  keepMs: { exists: 60_000, refused: 5_000, silent: 15_000 },
} as const

const CACHE_SIZE = 2_000
/** With more hosts than this, one that has the image may not have been asked, and the answer is `unknown`. */
const MOST_HOSTS = 16

type Here = 'yes' | 'no' | 'unknown'

/**
 * Looks where the image driver will look: on the hosts where the pull policy is content with that, else in the registry.
 * Answers about what credentials were needed for are kept under those credentials and no others.
 */
export class RegistryCatalog implements ImageCatalog {
  readonly #options: RegistryCatalogOptions
  readonly #kept = new LRUCache<string, RegistryAnswer>({ max: CACHE_SIZE })
  readonly #silent = new LRUCache<string, true>({ max: CACHE_SIZE })
  readonly #asking = new Map<string, Promise<RegistryAnswer>>()

  constructor(options: RegistryCatalogOptions) {
    this.#options = options
  }

  async check(request: ImageRequest, host: string | null, { signal }: CallOptions): Promise<RegistryAnswer> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(this.#options.deadlineMs)])
    try {
      return await within(deadline, this.#check(request, host, deadline))
    } catch {
      signal.throwIfAborted()
      return 'unknown'
    }
  }

  async #check(request: ImageRequest, host: string | null, signal: AbortSignal): Promise<RegistryAnswer> {
    const { defaultRegistry } = this.#options
    const { registryDomain, projectId, spec } = request
    const sources = imageSources(spec.image, projectId, { registryDomain, defaultRegistry })
    if (sources === undefined) return 'absent'
    const { snapshot, remote } = sources
    const policy = spec.imagePullPolicy ?? 'always'
    const mayBeHere = snapshot !== null || (remote !== null && (policy !== 'always' || isByDigest(remote)))
    const here = mayBeHere ? await this.#onHosts(request, host, signal) : 'no'
    if (here === 'yes') return 'exists'
    if (remote === null || policy === 'never') return here === 'no' ? 'absent' : 'unknown'
    const answer = await this.#inRegistry(remote, authOf(credentialsFor(remote, request.auth, this.#options)), signal)
    // It may yet be on the host that did not say.
    return answer !== 'exists' && here === 'unknown' ? 'unknown' : answer
  }

  async #onHosts(request: ImageRequest, host: string | null, signal: AbortSignal): Promise<Here> {
    const { gateway, upHosts } = this.#options
    const all = host === null ? await upHosts({ signal }) : [host]
    const answers = await Promise.all(
      all.slice(0, MOST_HOSTS).map(async (name): Promise<Here> => {
        try {
          return (await gateway.findImage(name, request, { signal })) === undefined ? 'no' : 'yes'
        } catch {
          return 'unknown'
        }
      }),
    )
    if (answers.includes('yes')) return 'yes'
    return answers.includes('unknown') || all.length > MOST_HOSTS || all.length === 0 ? 'unknown' : 'no'
  }

  async #inRegistry(image: RegistryImage, auth: RegistryAuth | null, signal: AbortSignal): Promise<RegistryAnswer> {
    const key = lookupKey(image, auth)
    const kept = this.#kept.get(key)
    if (kept !== undefined) return kept
    if (this.#silent.has(image.domain)) return 'unknown'
    let asking = this.#asking.get(key)
    if (asking === undefined) {
      asking = this.#ask(key, image, auth).finally(() => this.#asking.delete(key))
      this.#asking.set(key, asking)
    }
    return await within(signal, asking)
  }

  /** Under a deadline of its own: whoever asked first may leave while others wait for the answer. */
  async #ask(key: string, image: RegistryImage, auth: RegistryAuth | null): Promise<RegistryAnswer> {
    const { registry, deadlineMs, keepMs } = this.#options
    const signal = AbortSignal.timeout(deadlineMs)
    const answer = await registry.check(image, auth, { signal }).catch((): RegistryAnswer => 'unknown')
    if (answer === 'unknown') this.#silent.set(image.domain, true, { ttl: keepMs.silent })
    else this.#kept.set(key, answer, { ttl: answer === 'exists' ? keepMs.exists : keepMs.refused })
    return answer
  }
}

async function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    promise.then(resolve, reject)
  })
}
