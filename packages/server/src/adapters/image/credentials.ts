import { createHash } from 'node:crypto'
import { registryImage, type RegistryImage } from '../../domain/image/sources.ts'
import { parseImageReference } from '../../domain/image/reference.ts'
import type { RegistryAuth } from '../../orchestration/ports/wire.ts'

/** What the operator has set for all projects: [docker] default_registry with its user name and password. */
export interface ImageDefaults {
  readonly defaultRegistry: string | null
  readonly defaultAuth: RegistryAuth | null
}

export type Credentials =
  | { readonly kind: 'none' }
  /** The operator's, for every project. */
  | { readonly kind: 'shared'; readonly auth: RegistryAuth }
  /** Of the one who asks. */
  | { readonly kind: 'own'; readonly auth: RegistryAuth }

/** Credentials go only to the registry they are for, whatever else the request names. */
export function credentialsFor(
  image: RegistryImage,
  given: RegistryAuth | null,
  defaults: Pick<ImageDefaults, 'defaultAuth'>,
): Credentials {
  if (given !== null && domainOf(given.serverAddress) === image.domain) return { kind: 'own', auth: given }
  const { defaultAuth } = defaults
  if (defaultAuth !== null && domainOf(defaultAuth.serverAddress) === image.domain) {
    return { kind: 'shared', auth: defaultAuth }
  }
  return { kind: 'none' }
}

export function authOf(credentials: Credentials): RegistryAuth | null {
  return credentials.kind === 'none' ? null : credentials.auth
}

/** Names an image together with the right it is asked under; holds no secret that could be read back. */
export function lookupKey(image: RegistryImage, auth: RegistryAuth | null): string {
  const name = `${image.repository}@${image.version}`
  if (auth === null) return name
  const text = JSON.stringify([auth.serverAddress, auth.username, auth.password])
  return `${name} ${createHash('sha256').update(text).digest('base64')}`
}

/** `https://index.docker.io/v1/` and `docker.io` are one registry. */
function domainOf(serverAddress: string): string | undefined {
  const bare = serverAddress.replace(/^https?:\/\//i, '').split('/')[0] ?? ''
  const parsed = parseImageReference(`${bare}/x`)
  return parsed === undefined || parsed.domain === null ? undefined : registryImage(parsed).domain
}
