/** What the service itself asks of a cloud, when [keystone_auth] says that there is one. */
import type { OpenStack } from '../adapters/openstack/call.ts'
import { OpenStackSession } from '../adapters/openstack/session.ts'
import { systemClock } from '../lib/system-clock.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { hasLogin } from './config/check-logins.ts'
import type { Config } from './config/options.ts'
import { accessOf, credentialsOf, loginTls } from './login.ts'

export interface Cloud {
  /** The service's own login; one for all clients of a process. */
  readonly session: OpenStack
  close(): void
}

/** undefined: the machine stands alone. ConfigError when a file of certificates cannot be read. */
export function composeCloud(config: Config, log: Logger): Cloud | undefined {
  if (!hasLogin(config, 'serviceLogin') || config.serviceLoginAuthUrl === null) return undefined
  const tls = loginTls(config, 'serviceLogin')
  const session = new OpenStackSession({
    authUrl: config.serviceLoginAuthUrl,
    credentials: credentialsOf(config, 'serviceLogin'),
    tls,
    services: {
      image: accessOf(config, 'glance', tls),
      network: accessOf(config, 'neutron', tls),
      volumev3: accessOf(config, 'cinder', tls),
      placement: accessOf(config, 'placement', tls),
    },
    timeoutMs: config.serviceLoginTimeout * 1000,
    clock: systemClock,
    log,
  })
  return { session, close: () => session.close() }
}
