/** How the control plane reaches a host, and how it knows that it is the right one. */
import type { PeerCertificate } from 'node:tls'
import { Unavailable } from '../../domain/errors.ts'
import { peerIdentity } from '../../lib/peer-identity.ts'

export interface HostAccess {
  /** Where a host listens; undefined: nobody knows. The certificate must have the host's name, whatever its address. */
  readonly addressOf: (host: string) => Promise<{ readonly address: string; readonly port: number } | undefined>
  /** PEM, asked anew for each connection. `ca` is the deployment's own; the certificate is the control plane's. */
  readonly tls: () => { readonly ca: string; readonly cert: string; readonly key: string }
}

/** `address:port` as in a URL. The texts reach tenants, who are not told the names of hosts. */
export async function authorityOf({ addressOf }: Pick<HostAccess, 'addressOf'>, host: string): Promise<string> {
  const at = await addressOf(host)
  if (at === undefined) throw new Unavailable('The host of the container cannot be reached.', { retryAfterS: 30 })
  return `${at.address.includes(':') ? `[${at.address}]` : at.address}:${at.port}`
}

/** Options of a connection that is none unless the other end is the host of this name. Its address does not count. */
export function onlyHost(host: string) {
  return {
    minVersion: 'TLSv1.3',
    servername: '',
    // A session that is resumed shows no certificate.
    maxCachedSessions: 0,
    checkServerIdentity: (_: string, certificate: PeerCertificate): Error | undefined => {
      const peer = peerIdentity(certificate)
      if (peer?.role === 'host' && peer.host === host) return undefined
      return new Error(`the certificate is not that of ${host}`)
    },
  } as const
}
