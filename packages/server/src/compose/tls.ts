/** Certificates in use: those of the servers for users, and those by which the parts of a deployment know each other. */
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { CONTROL_PLANE_URI, hostUri, peerIdentity } from '../lib/peer-identity.ts'
import type { TlsOptions } from '../edge/tls-source.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { ConfigError } from './config/config-error.ts'
import type { Lifetime } from './lifetime.ts'
import { TlsFiles, type TlsPlaces } from './tls-files.ts'

/** Read again when they change, and at a reload. undefined: none are wanted. ConfigError when they cannot be used. */
export function watchedTls(places: TlsPlaces | null, life: Lifetime, log: Logger): TlsFiles | undefined {
  if (places === null) return undefined
  const files = new TlsFiles(places, log)
  files.watch(life)
  return files
}

/** PEM. */
export interface Pem {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface OwnCertificate {
  current(): Pem
  onChange(apply: (pem: Pem) => void): void
}

/** Files of a directory of certificates, as `zund certificates` makes them. */
export const CA_FILE = 'ca.pem'

/** Without an ending: `.pem` is the certificate, `.key` its key. */
export function certificateName(part: Part): string {
  return part.host === undefined ? 'control-plane' : join('hosts', encodeURIComponent(part.host))
}

/** What a certificate is of: the control plane, or a host. */
export interface Part {
  readonly host?: string
}

export function uriOf({ host }: Part): string {
  return host === undefined ? CONTROL_PLANE_URI : hostUri(host)
}

/** ConfigError when it is not there, or is that of another part. */
export function ownCertificate(
  { directory, part }: { readonly directory: string; readonly part: Part },
  life: Lifetime,
  log: Logger,
): OwnCertificate {
  const file = join(directory, certificateName(part))
  const places: TlsPlaces = {
    group: 'zund',
    ca: join(directory, CA_FILE),
    cert: `${file}.pem`,
    key: `${file}.key`,
    minVersion: 'TLSv1.3',
    ciphers: null,
  }
  const files = watchedTls(places, life, log)
  if (files === undefined) throw new ConfigError(`there is no certificate ${places.cert}`)
  requireOwn(pemOf(files.current), places.cert, part)
  return {
    current: () => pemOf(files.current),
    onChange: (apply) => files.onChange((options) => apply(pemOf(options))),
  }
}

function requireOwn({ cert }: Pem, file: string, part: Part): void {
  const its = peerIdentity({ subjectaltname: new X509Certificate(cert).subjectAltName ?? '' })
  const isOurs =
    part.host === undefined ? its?.role === 'control-plane' : its?.role === 'host' && its.host === part.host
  if (!isOurs)
    throw new ConfigError(`the certificate ${file} is not that of ${uriOf(part)}; 'zund certificates' makes it`)
}

function pemOf({ ca, cert, key }: TlsOptions): Pem {
  return { ca: textOf(ca), cert: textOf(cert), key: textOf(key) }
}

function textOf(pem: TlsOptions['key']): string {
  return Buffer.isBuffer(pem) ? pem.toString('latin1') : typeof pem === 'string' ? pem : ''
}
