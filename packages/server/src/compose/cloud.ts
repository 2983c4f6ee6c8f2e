/** What the service itself asks of a cloud, when [keystone_auth] says that there is one. */
import type { OpenStack } from '../adapters/openstack/call.ts'
import { PlacementCandidates } from '../adapters/openstack/placement/candidates.ts'
import { PlacementClaims } from '../adapters/openstack/placement/claims.ts'
import { PlacementClient } from '../adapters/openstack/placement/client.ts'
import { OpenStackSession, type ServiceAccess } from '../adapters/openstack/session.ts'
import { systemClock } from '../lib/system-clock.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { hasLogin } from './config/check-logins.ts'
import type { Config } from './config/options.ts'
import { clientTls } from './client-tls.ts'
import type { Lifetime } from './lifetime.ts'
import { clientTlsPlaces, credentialsOf, loginTls, type ClientName } from './login.ts'

export interface Cloud {
  /** The service's own login; one for all clients of a process. */
  readonly session: OpenStack
  /** undefined: [zund] placement is off. */
  readonly placement: CloudPlacement | undefined
  close(): void
}

export interface CloudPlacement {
  readonly client: PlacementClient
  readonly claims: PlacementClaims
  readonly candidates: PlacementCandidates
}

/** undefined: the machine stands alone. ConfigError when a file of certificates cannot be read. */
export function composeCloud(config: Config, life: Lifetime, log: Logger): Cloud | undefined {
  if (!hasLogin(config, 'serviceLogin') || config.serviceLoginAuthUrl === null) return undefined
  const usual = loginTls(config, 'serviceLogin')
  const access = (name: ClientName): ServiceAccess => {
    const own = clientTlsPlaces(config, name, usual)
    return {
      interface: config[`${name}EndpointType`],
      region: config[`${name}RegionName`],
      ...(own === undefined ? {} : { tls: clientTls(own, life, log) }),
    }
  }
  const session = new OpenStackSession({
    authUrl: config.serviceLoginAuthUrl,
    credentials: credentialsOf(config, 'serviceLogin'),
    tls: clientTls(usual, life, log),
    services: {
      image: access('glance'),
      network: access('neutron'),
      volumev3: access('cinder'),
      placement: access('placement'),
    },
    timeoutMs: config.serviceLoginTimeout * 1000,
    clock: systemClock,
    log,
  })
  return { session, placement: composePlacement(config, session, log), close: () => session.close() }
}

function composePlacement(config: Config, session: OpenStack, log: Logger): CloudPlacement | undefined {
  if (config.placementUse === 'off') return undefined
  const client = new PlacementClient(session)
  const claims = new PlacementClaims(client, systemClock)
  const candidates = new PlacementCandidates({ client, claims, log, maxResults: config.maxPlacementResults })
  return { client, claims, candidates }
}
