/** By which authorities the services of a cloud are judged, and what they are shown: from files, read again when they change. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { ClientTls, ClientTlsSource } from '../adapters/openstack/http.ts'
import { messageOf } from '../domain/errors.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { ConfigError } from './config/config-error.ts'
import type { Lifetime } from './lifetime.ts'
import { WatchedFiles } from './watched-files.ts'

export interface ClientTlsPlaces {
  /** Of the options, for messages. */
  readonly group: string
  readonly insecure: boolean
  /** null: none. */
  readonly ca: NamedFile | null
  readonly cert: NamedFile | null
  readonly key: NamedFile | null
}

export interface NamedFile {
  readonly file: string
  readonly group: string
  readonly option: string
}

/** ConfigError when a file cannot be used. */
export function clientTls(places: ClientTlsPlaces, life: Lifetime, log: Logger): ClientTlsSource {
  const { group, insecure, ca, cert, key } = places
  const files = [ca, cert, key].flatMap((place) => place?.file ?? [])
  if (files.length === 0) return { current: { insecure } }
  const watched = new WatchedFiles({ group, files, log, read: () => read(places), until: validTo })
  watched.watch(life)
  return watched
}

function read({ group, insecure, ca, cert, key }: ClientTlsPlaces): ClientTls {
  const tls: ClientTls = {
    insecure,
    ...(ca === null ? {} : { ca: textOf(ca) }),
    ...(cert === null ? {} : { cert: textOf(cert) }),
    ...(key === null ? {} : { key: textOf(key) }),
  }
  try {
    // What is half written, or no certificate at all, would only be found out by a handshake.
    for (const pem of [tls.ca, tls.cert]) if (pem !== undefined) requireCertificate(pem)
    createSecureContext(tls)
    return tls
  } catch (error) {
    throw new ConfigError(`certificates of [${group}] cannot be used: ${messageOf(error)}`)
  }
}

function requireCertificate(pem: string): X509Certificate {
  return new X509Certificate(pem)
}

function textOf({ file, group, option }: NamedFile): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`option ${option} in [${group}]: ${messageOf(error)}`)
  }
}

function validTo({ cert, ca }: ClientTls): string | null {
  const pem = cert ?? ca
  return pem === undefined ? null : new X509Certificate(pem).validTo
}
