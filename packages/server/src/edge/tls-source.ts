import type { SecureContextOptions } from 'node:tls'

export interface TlsOptions extends SecureContextOptions {
  /** Only clients that show a certificate of `ca` are served. */
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
}

/** Certificate and key of a server, which are replaced while it serves. */
export interface TlsSource {
  readonly current: TlsOptions
  /** Connections that stand keep what they have; new ones get the new certificate. */
  onChange(apply: (options: TlsOptions) => void): void
}
