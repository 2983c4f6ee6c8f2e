/** Image names: `[domain[:port]/]path[:tag][@digest]` (docker-mapping 5.1). */

export interface ImageReference {
  /** null: none was written. */
  readonly domain: string | null
  readonly path: string
  readonly tag: string | null
  /** `sha256:…` */
  readonly digest: string | null
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const DOMAIN =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/

/** undefined when the text is not a reference. */
export function parseImageReference(text: string): ImageReference | undefined {
  const [beforeDigest = '', digest, ...tooMany] = text.split('@')
  if (tooMany.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined
  const slash = beforeDigest.indexOf('/')
  const first = slash < 0 ? '' : beforeDigest.slice(0, slash)
  const domain = isDomain(first) ? first : null
  if (domain !== null && !DOMAIN.test(domain)) return undefined
  const rest = domain === null ? beforeDigest : beforeDigest.slice(slash + 1)
  const colon = rest.lastIndexOf(':')
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const tag = colon < 0 ? null : rest.slice(colon + 1)
  if (path.length > 255 || !PATH.test(path) || (tag !== null && !TAG.test(tag))) return undefined
  return { domain, path, tag, digest: digest ?? null }
}

/** Only a first component with a dot or a port, or `localhost`, is a domain. */
function isDomain(component: string): boolean {
  return component === 'localhost' || component.includes('.') || component.includes(':') || component.startsWith('[')
}

export interface RegistryDefaults {
  /** Domain of the registry that the container names; null: none. */
  readonly registryDomain: string | null
  readonly defaultRegistry: string | null
}

/** What to ask the engine for: `latest` where nothing else is said, and the registry's domain before a short name. */
export function resolveImageReference(
  text: string,
  defaults: RegistryDefaults,
): { readonly reference: string; readonly domain: string | null } | undefined {
  const parsed = parseImageReference(text)
  if (parsed === undefined) return undefined
  const domain = parsed.domain ?? defaults.registryDomain ?? defaults.defaultRegistry
  return { reference: formatReference({ ...parsed, domain }), domain }
}

export function formatReference(parsed: ImageReference): string {
  const name = parsed.domain === null ? parsed.path : `${parsed.domain}/${parsed.path}`
  if (parsed.digest !== null) return `${name}@${parsed.digest}`
  return `${name}:${parsed.tag ?? 'latest'}`
}
