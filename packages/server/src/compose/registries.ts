/** Which image registries may be spoken to, and how. */
import { RegistryClient } from '../adapters/image/registry-client.ts'
import { RegistryHosts } from '../adapters/image/registry-hosts.ts'
import type { Config } from './config/options.ts'

export function composeRegistries(config: Config): { readonly hosts: RegistryHosts; readonly client: RegistryClient } {
  const hosts = new RegistryHosts({
    allowed: config.registryAllowed,
    denied: config.registryDenied,
    allowLoopback: config.registryAllowLoopback,
    allowPrivate: config.registryAllowPrivate,
    plainHttp: config.registryPlainHttp,
  })
  return { hosts, client: new RegistryClient(hosts) }
}
