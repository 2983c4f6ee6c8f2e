import type { Config } from './config/options.ts'

/** Base of the URLs people are given. */
export function baseUrl(config: Config): string {
  const { apiHostIp, myIp, apiPort, enableSslApi, publicEndpoint } = config
  // A certificate is for a name, which only the operator knows.
  if (enableSslApi && publicEndpoint !== null) return publicEndpoint.replace(/\/+$/, '')
  const host = apiHostIp === '0.0.0.0' || apiHostIp === '::' ? myIp : apiHostIp
  return `${enableSslApi ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${apiPort}`
}
