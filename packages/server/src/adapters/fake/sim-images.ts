import { createHash } from 'node:crypto'
import { EngineConflict, EngineNotFound, EngineRefused, Retryable } from '../../domain/errors.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import type { EngineImage, PullProgress } from '../../orchestration/ports/engine.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'
import { SimFiles } from './sim-files.ts'

export interface SimImage {
  readonly id: string
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  readonly files: SimFiles
}

/** An image that a registry offers. */
export interface RegistryImage {
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly layers?: number
  /** Who may pull it; absent: everybody. */
  readonly auth?: { readonly username: string; readonly password: string }
}

/** Images of the engine, and the registries it can reach. */
export class SimImages {
  readonly #byId = new Map<string, SimImage>()
  readonly #tags = new Map<string, string>()
  readonly #registry = new Map<string, RegistryImage>()
  #made = 0
  readonly #broken = new Set<string>()
  /** Pulls that really fetched something, by reference. */
  readonly pulls: string[] = []

  /** Puts an image on the engine, as `docker load` would. */
  add(reference: string, image: { command?: readonly string[]; entrypoint?: readonly string[] } = {}): SimImage {
    const made = this.make(image.command ?? null, image.entrypoint ?? null, baseFiles())
    this.tag(reference, made)
    return made
  }

  make(command: SimImage['command'], entrypoint: SimImage['entrypoint'], files: SimFiles): SimImage {
    this.#made += 1
    const id = `sha256:${createHash('sha256').update(`image ${this.#made}`).digest('hex')}`
    const image: SimImage = { id, command, entrypoint, files }
    this.#byId.set(id, image)
    return image
  }

  /** One that has been here, or elsewhere. */
  put(image: SimImage): void {
    this.#byId.set(image.id, image)
  }

  tag(reference: string, image: SimImage): void {
    this.#tags.set(full(reference), image.id)
  }

  /** Offers an image in a registry. */
  publish(reference: string, image: RegistryImage = {}): void {
    this.#registry.set(full(reference), image)
  }

  /** The registry of this domain does not answer until it is mended. */
  breakRegistry(domain: string): void {
    this.#broken.add(domain)
  }

  mendRegistry(domain: string): void {
    this.#broken.delete(domain)
  }

  find(reference: string): SimImage | undefined {
    return this.#byId.get(this.#tags.get(full(reference)) ?? reference)
  }

  inspect(reference: string): EngineImage | undefined {
    const image = this.find(reference)
    if (image === undefined) return undefined
    return {
      id: image.id,
      repoTags: [...this.#tags].filter(([, id]) => id === image.id).map(([tag]) => tag),
      repoDigests: [],
      sizeBytes: image.files.sizeBytes,
      command: image.command,
      entrypoint: image.entrypoint,
    }
  }

  /** Those that begin so. */
  references(path = ''): string[] {
    return [...this.#tags.keys()].filter((name) => name.startsWith(path)).sort()
  }

  remove(reference: string, used: readonly string[] = []): void {
    const id = this.#tags.get(full(reference)) ?? reference
    const others = [...this.#tags].filter(([name, of]) => of === id && name !== full(reference))
    if (others.length === 0 && used.includes(id)) throw new EngineConflict(`image ${reference} is used by a container`)
    this.#tags.delete(full(reference))
    if (others.length === 0) this.#byId.delete(id)
  }

  pull(reference: string, auth: RegistryAuth | null, onProgress: (p: PullProgress) => void): void {
    const name = full(reference)
    if (this.#broken.has(parseImageReference(name)?.domain ?? '')) {
      throw new Retryable('image.registry_unavailable', `image ${reference} could not be pulled: connection refused`)
    }
    const offered = this.#registry.get(name)
    if (offered === undefined) throw new EngineNotFound(`image ${reference} was not found: manifest unknown`)
    const { auth: wanted, layers = 2 } = offered
    if (wanted !== undefined && (auth?.username !== wanted.username || auth.password !== wanted.password)) {
      throw new EngineRefused(`access to image ${reference} was refused: authentication required`)
    }
    for (let done = 0; done <= layers; done += 1) {
      onProgress({
        detail: `Pulling image: ${done} of ${layers} layers, ${Math.floor((100 * done) / layers)} %`,
        layers: { current: done, total: layers },
        bytes: { current: done * LAYER_BYTES, total: layers * LAYER_BYTES },
      })
    }
    this.pulls.push(name)
    const { command, entrypoint } = offered
    this.add(name, {
      ...(command === undefined ? {} : { command }),
      ...(entrypoint === undefined ? {} : { entrypoint }),
    })
  }

  import(reference: string, entrypoint: readonly string[]): void {
    if (parseImageReference(reference) === undefined) throw new EngineRefused('invalid reference format')
    // Files are not unpacked: what it runs is known by the name of the program.
    const files = new SimFiles()
    for (const path of entrypoint.slice(0, 1)) files.write(path, 'program', 0o755)
    this.tag(reference, this.make(null, entrypoint, files))
  }

  search(term: string): string[] {
    return [...this.#registry.keys()].filter((name) => name.includes(term))
  }
}

const LAYER_BYTES = 1024 * 1024

/** With the tag that is meant when none is written. An id stays as it is. */
function full(reference: string): string {
  const parsed = parseImageReference(reference)
  if (parsed === undefined || parsed.tag !== null || parsed.digest !== null) return reference
  return `${reference}:latest`
}

function baseFiles(): SimFiles {
  const files = new SimFiles()
  for (const path of ['/etc', '/tmp', '/bin']) files.makeDirectory(path)
  for (const name of ['sh', 'true', 'false', 'echo', 'sleep', 'cat', 'serve']) {
    files.write(`/bin/${name}`, `program ${name}`, 0o755)
  }
  files.write('/etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
  return files
}
