import type { Config } from './config/options.ts'
import type { TlsPlaces } from './tls-files.ts'

/** null: the API is served in the clear. */
export function apiTls(config: Config): TlsPlaces | null {
  const { enableSslApi, sslCertFile: cert, sslKeyFile: key, sslCaFile: ca, sslVersion, sslCiphers: ciphers } = config
  if (!enableSslApi || cert === null || key === null) return null
  return { group: 'ssl', cert, key, ca, minVersion: sslVersion, ciphers }
}

/** null: terminals are served in the clear. */
export function terminalTls({ wsproxyCert: cert, wsproxyKey }: Config): TlsPlaces | null {
  if (cert === null) return null
  const key = wsproxyKey ?? cert
  return { group: 'websocket_proxy', cert, key, ca: null, minVersion: 'TLSv1.2', ciphers: null }
}
