/**
 * Who is at the other end of a mutually authenticated TLS connection. The names of a deployment's parts stand in their
 * certificates as URIs among the subject alternative names (RFC 5280 4.2.1.6), apart from the DNS names and addresses under
 * which they happen to be reached:
 *
 *   urn:zund:control-plane          any process that speaks for the control plane
 *   urn:zund:host:<name>            the agent of the host with this name, percent-encoded
 */
import type { PeerCertificate } from 'node:tls'

export type PeerIdentity = { readonly role: 'control-plane' } | { readonly role: 'host'; readonly host: string }

export const CONTROL_PLANE_URI = 'urn:zund:control-plane'
const HOST_PREFIX = 'urn:zund:host:'

export function hostUri(host: string): string {
  return `${HOST_PREFIX}${encodeURIComponent(host)}`
}

/** undefined when the certificate names no part of a deployment, or more than one: then it speaks for nobody. */
export function peerIdentity(certificate: Pick<PeerCertificate, 'subjectaltname'>): PeerIdentity | undefined {
  const uris = (certificate.subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('URI:urn:zund:'))
    .map((name) => name.slice('URI:'.length))
  const [uri] = uris
  if (uri === undefined || uris.length > 1) return undefined
  if (uri === CONTROL_PLANE_URI) return { role: 'control-plane' }
  const host = uri.startsWith(HOST_PREFIX) ? decoded(uri.slice(HOST_PREFIX.length)) : ''
  // Only what hostUri would have written: a name must not have two spellings.
  return host !== '' && hostUri(host) === uri ? { role: 'host', host } : undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
