import type { IncomingHttpHeaders } from 'node:http'

export interface PublicUrlOptions {
  /** Base for links instead of the Host header, e.g. `https://cloud.example/container`; null: none. */
  readonly publicEndpoint: string | null
  readonly trustForwardedHeaders: boolean
  /** True when the API itself speaks TLS. */
  readonly isTls: boolean
}

/** Where the client has reached the API. */
export interface Reached {
  /** Scheme, host and prefix for links, without a trailing slash. */
  readonly baseUrl: string
  /** True when that is not what this process itself listens on: a name for the public, or TLS. */
  readonly isPublic: boolean
}

/** Of the first proxy, which the client has spoken to. */
export function reachedAt(
  headers: IncomingHttpHeaders,
  { publicEndpoint, trustForwardedHeaders, isTls }: PublicUrlOptions,
): Reached {
  if (publicEndpoint !== null) return { baseUrl: publicEndpoint.replace(/\/+$/, ''), isPublic: true }
  const forwarded = (name: string): string | undefined => {
    const value = trustForwardedHeaders ? headers[name] : undefined
    return typeof value === 'string' ? value.split(',')[0]?.trim() : undefined
  }
  const [scheme, host] = [forwarded('x-forwarded-proto'), forwarded('x-forwarded-host')]
  return {
    baseUrl: `${scheme ?? (isTls ? 'https' : 'http')}://${host ?? headers.host ?? 'localhost'}`,
    isPublic: isTls || scheme !== undefined || host !== undefined,
  }
}
