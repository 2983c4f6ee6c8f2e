/** A server's certificate from files, read again when they change. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext, type SecureVersion } from 'node:tls'
import { messageOf } from '../domain/errors.ts'
import type { TlsOptions, TlsSource } from '../edge/tls-source.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { ConfigError } from './config/config-error.ts'
import { WatchedFiles } from './watched-files.ts'

export interface TlsPlaces {
  /** The group of the options, for messages. */
  readonly group: string
  readonly cert: string
  readonly key: string
  /** Clients must show a certificate of this authority; null: they need none. */
  readonly ca: string | null
  readonly minVersion: SecureVersion
  readonly ciphers: string | null
}

export class TlsFiles extends WatchedFiles<TlsOptions> implements TlsSource {
  /** ConfigError when they cannot be used. */
  constructor(places: TlsPlaces, log: Logger) {
    const { group, cert, key, ca } = places
    try {
      const files = [cert, key, ...(ca === null ? [] : [ca])]
      super({ group, files, log, read: () => read(places), until: validTo })
    } catch (error) {
      throw new ConfigError(`certificate and key of [${group}] cannot be used: ${messageOf(error)}`)
    }
  }
}

function read({ cert, key, ca, minVersion, ciphers }: TlsPlaces): TlsOptions {
  const options: TlsOptions = {
    cert: readFileSync(cert),
    key: readFileSync(key),
    minVersion,
    ...(ca === null ? {} : { ca: readFileSync(ca) }),
    ...(ciphers === null ? {} : { ciphers }),
    requestCert: ca !== null,
    rejectUnauthorized: ca !== null,
  }
  createSecureContext(options)
  return options
}

function validTo({ cert }: TlsOptions): string | null {
  return Buffer.isBuffer(cert) ? new X509Certificate(cert).validTo : null
}

/** Its own authority: clients must be told of it, since no system knows it. */
export function isSelfSigned(file: string): boolean {
  const certificate = new X509Certificate(readFileSync(file))
  return certificate.checkIssued(certificate)
}
