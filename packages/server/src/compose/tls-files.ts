/** A server's certificate from files, read again when they change. */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureVersion } from 'node:tls'
import { messageOf } from '../domain/errors.ts'
import type { TlsOptions, TlsSource } from '../edge/tls-source.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { ConfigError } from './config/config-error.ts'

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

/** Milliseconds between two looks at the files. */
const LOOK_MS = 2_000

export class TlsFiles implements TlsSource {
  readonly #places: TlsPlaces
  readonly #log: Logger
  readonly #applied: ((options: TlsOptions) => void)[] = []
  #current: TlsOptions
  #seen: string
  #timer: NodeJS.Timeout | undefined

  /** ConfigError when they cannot be used. */
  constructor(places: TlsPlaces, log: Logger) {
    this.#places = places
    this.#log = log
    this.#seen = stateOf(places)
    try {
      this.#current = read(places)
    } catch (error) {
      throw new ConfigError(`certificate and key of [${places.group}] cannot be used: ${messageOf(error)}`)
    }
  }

  get current(): TlsOptions {
    return this.#current
  }

  onChange(apply: (options: TlsOptions) => void): void {
    this.#applied.push(apply)
  }

  start(): void {
    this.#timer = setInterval(() => {
      if (stateOf(this.#places) !== this.#seen) this.reload()
    }, LOOK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Files that do not fit, as between the writes of certificate and key, leave the last good ones in force. */
  reload(): void {
    const { group } = this.#places
    this.#seen = stateOf(this.#places)
    try {
      const options = read(this.#places)
      for (const apply of this.#applied) apply(options)
      this.#current = options
      this.#log.info({ group, until: validTo(options) }, 'the certificate was read again')
    } catch (error) {
      this.#log.error({ group, reason: messageOf(error) }, 'a new certificate cannot be used; the last good one stays')
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

/** Changes when one of the files does; a missing one is a state, too. */
function stateOf({ cert, key, ca }: TlsPlaces): string {
  return [cert, key, ...(ca === null ? [] : [ca])]
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false })
      return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`
    })
    .join(', ')
}

/** Its own authority: clients must be told of it, since no system knows it. */
export function isSelfSigned(file: string): boolean {
  const certificate = new X509Certificate(readFileSync(file))
  return certificate.checkIssued(certificate)
}
