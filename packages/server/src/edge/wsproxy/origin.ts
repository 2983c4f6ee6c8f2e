import type { IncomingHttpHeaders } from 'node:http'

export interface OriginOptions {
  /** `ws` or `wss`: scheme of the URL that users are given. */
  readonly scheme: string
  /** [websocket_proxy] allowed_origins: host names besides the one the request itself names. */
  readonly allowedOrigins: readonly string[]
}

/**
 * May a page of this origin open a terminal? Without the header it is no browser. A page of another site could
 * otherwise use a URL that leaked to it.
 */
export function isOriginAllowed(headers: IncomingHttpHeaders, options: OriginOptions): boolean {
  const { origin } = headers
  if (origin === undefined) return true
  const parsed = parseOrigin(origin)
  if (parsed === undefined) return false
  const forwarded = headers['x-forwarded-proto']
  const scheme = (typeof forwarded === 'string' ? forwarded.split(',')[0]?.trim() : undefined) ?? parsed.scheme
  const schemes = options.scheme === 'wss' ? ['wss', 'https'] : ['ws', 'http']
  if (!schemes.includes(scheme.toLowerCase())) return false
  const own = headers.host === undefined ? undefined : hostName(headers.host)
  return parsed.host === own || options.allowedOrigins.some((allowed) => hostName(allowed) === parsed.host)
}

/** The Python client sends `http://host:None` when its URL has no port, which no strict parser takes. */
function parseOrigin(origin: string): { scheme: string; host: string } | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@]+)$/i.exec(origin.trim())
  const host = hostName(match?.[2] ?? '')
  return match === null || host === '' ? undefined : { scheme: match[1] ?? '', host }
}

/** Without port and brackets, in lower case. */
function hostName(hostAndPort: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(hostAndPort)
  if (bracketed !== null) return (bracketed[1] ?? '').toLowerCase()
  const colon = hostAndPort.indexOf(':')
  // Several colons without brackets are a bare IPv6 address of the allowed list.
  const alone = colon < 0 || hostAndPort.includes(':', colon + 1)
  return (alone ? hostAndPort : hostAndPort.slice(0, colon)).toLowerCase()
}
