/**
 * Where the image that a user names may come from (docker-mapping 5.1, 5.2). All spellings of one image get one form
 * here, because rights, caches and shared pulls are keyed by it.
 */
import { formatReference, parseImageReference, type ImageReference, type RegistryDefaults } from './reference.ts'
import { isSnapshotDomain, ownsSnapshotPath, snapshotReference } from './snapshot.ts'

/** Registry of names without a domain. */
export const PUBLIC_REGISTRY = 'docker.io'
const PUBLIC_ALIASES: readonly string[] = [PUBLIC_REGISTRY, 'index.docker.io']

/** An image of a registry. */
export interface RegistryImage {
  /** Lower case; `docker.io` where none was written. */
  readonly domain: string
  /** As the registry knows it: `library/nginx`. */
  readonly path: string
  /** Tag or `sha256:…`. */
  readonly version: string
  /** `domain/path`: what a registry gives or refuses rights on. */
  readonly repository: string
  /** What the engine is asked for. */
  readonly reference: string
}

export interface ImageSources {
  /** Engine name of the project's own snapshot, which goes first; null: the name cannot mean one. */
  readonly snapshot: string | null
  /** null: only a snapshot can be meant. */
  readonly remote: RegistryImage | null
}

/** undefined when the text is not a reference. */
export function imageSources(text: string, projectId: string, defaults: RegistryDefaults): ImageSources | undefined {
  const written = parseImageReference(text)
  if (written === undefined) return undefined
  const prefix = written.domain === null ? (defaults.registryDomain ?? defaults.defaultRegistry) : null
  // Parsed again, because the domain of a registry may itself hold a path.
  const parsed = prefix === null ? written : parseImageReference(`${prefix}/${text}`)
  if (parsed === undefined) return undefined
  if (parsed.domain !== null && isSnapshotDomain(parsed.domain)) {
    const own = written.domain !== null && parsed.digest === null && ownsSnapshotPath(projectId, parsed.path)
    return { snapshot: own ? formatReference({ ...parsed, domain: parsed.domain.toLowerCase() }) : null, remote: null }
  }
  return { snapshot: snapshotNamed(written, projectId), remote: registryImage(parsed) }
}

function snapshotNamed(written: ImageReference, projectId: string): string | null {
  if (written.domain !== null || written.digest !== null) return null
  return `${snapshotReference(projectId, written.path)}:${written.tag ?? 'latest'}`
}

export function registryImage(parsed: ImageReference): RegistryImage {
  const domain = (parsed.domain ?? PUBLIC_REGISTRY).toLowerCase()
  if (!PUBLIC_ALIASES.includes(domain)) return named({ ...parsed, domain })
  const path = parsed.path.includes('/') ? parsed.path : `library/${parsed.path}`
  return named({ ...parsed, domain: PUBLIC_REGISTRY, path })
}

/** With its domain written out, so that neither a snapshot nor a default registry can be meant. */
export function fullReference(image: RegistryImage): string {
  return `${image.repository}${isByDigest(image) ? '@' : ':'}${image.version}`
}

/** The engine's name for it, without tag or digest. */
export function shortRepository(image: RegistryImage): string {
  return image.reference.slice(0, -(image.version.length + 1))
}

/** Then what it names never changes. */
export function isByDigest(image: RegistryImage): boolean {
  return image.version.startsWith('sha256:')
}

function named(full: ImageReference & { readonly domain: string }): RegistryImage {
  return {
    domain: full.domain,
    path: full.path,
    version: full.digest ?? full.tag ?? 'latest',
    repository: `${full.domain}/${full.path}`,
    reference: formatReference(short(full)),
  }
}

/** The engine's own spelling leaves `docker.io` and `library` out; kept where the rest would mean something else. */
function short(full: ImageReference & { readonly domain: string }): ImageReference {
  if (full.domain !== PUBLIC_REGISTRY) return full
  const path = /^library\/[^/]+$/.test(full.path) ? full.path.slice('library/'.length) : full.path
  // `sha256:<hex>` would be looked up as the id of an image, whoever it belongs to.
  if (path === 'sha256' || parseImageReference(path)?.domain !== null) return full
  return { ...full, domain: null, path }
}
