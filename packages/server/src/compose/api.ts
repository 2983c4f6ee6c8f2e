/** The API role: the routes, and what their use cases work with. */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { GlanceService } from '../adapters/image/glance/glance-service.ts'
import { CATALOG_DEFAULTS, RegistryCatalog } from '../adapters/image/registry-catalog.ts'
import type { RegistryAccess } from '../adapters/image/registry-client.ts'
import { Glance } from '../adapters/openstack/glance.ts'
import { EventFeed } from '../app/events/feed.ts'
import { Places } from '../app/events/places.ts'
import { upHosts } from '../app/hosts/up-hosts.ts'
import { PolicyEngine } from '../app/policy/policy-engine.ts'
import { PolicyFileError, type PolicyPlaces } from '../app/policy/policy-files.ts'
import type { HostGateway } from '../app/ports/host-gateway.ts'
import type { IdentityService } from '../app/ports/identity-service.ts'
import type { Identity } from '../app/ports/identity.ts'
import type { Secrets } from '../app/ports/secrets.ts'
import type { StreamDialer } from '../app/ports/stream-dialer.ts'
import type { StreamTickets } from '../app/ports/stream-tickets.ts'
import type { ApiServerOptions } from '../edge/api/deps.ts'
import { OpenStreams } from '../app/streams/open-streams.ts'
import type { Route } from '../edge/api/route.ts'
import { buildApiServer } from '../edge/api/server.ts'
import { availabilityZoneRoutes } from '../edge/api/v1/availability-zones/routes.ts'
import { capsuleRoutes } from '../edge/api/v1/capsules/routes.ts'
import { CapsuleViews } from '../edge/api/v1/capsules/view.ts'
import { liveRoutes } from '../edge/api/v1/containers/live-routes.ts'
import { containerRoutes } from '../edge/api/v1/containers/routes.ts'
import { ContainerViews } from '../edge/api/v1/containers/view.ts'
import { eventRoutes } from '../edge/api/v1/events/routes.ts'
import { extensionRoutes, LOCAL_EXTENSIONS } from '../edge/api/v1/extensions/routes.ts'
import { historyRoutes } from '../edge/api/v1/history/routes.ts'
import { hostRoutes } from '../edge/api/v1/hosts/routes.ts'
import { localNetworkRoutes } from '../edge/api/v1/local-networks/routes.ts'
import { localVolumeRoutes } from '../edge/api/v1/local-volumes/routes.ts'
import { imageRoutes } from '../edge/api/v1/images/routes.ts'
import { networkRoutes } from '../edge/api/v1/networks/routes.ts'
import { quotaClassRoutes } from '../edge/api/v1/quota-classes/routes.ts'
import { quotaRoutes } from '../edge/api/v1/quotas/routes.ts'
import { registryRoutes } from '../edge/api/v1/registries/routes.ts'
import { serviceRoutes } from '../edge/api/v1/services/routes.ts'
import { identityRoutes } from '../edge/identity/identity-routes.ts'
import type { TlsSource } from '../edge/tls-source.ts'
import type { TerminalProxy } from '../edge/wsproxy/terminal-proxy.ts'
import { systemClock } from '../lib/system-clock.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import type { Doorbell, Store } from '../orchestration/ports/store.ts'
import { appOptions } from './app-options.ts'
import type { Cloud } from './cloud.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import { imageDefaults } from './host.ts'
import { composeNetworkPlanner, usesNeutron } from './network.ts'
import { composeVolumePlanner } from './volumes.ts'

const REQUEST_TIMEOUT_MS = 55_000
/** Events of other processes, and those whose ring was lost, are seen within this time. */
const EVENTS_POLL_MS = 2_000
const BODY_LIMIT_BYTES = 1024 * 1024

export interface ApiDeps {
  readonly config: Config
  /** Where the operator's rules are. */
  readonly rules: PolicyPlaces
  readonly log: Logger
  readonly store: Store
  readonly doorbell: Doorbell
  readonly identity: Identity
  /** What gives out tokens, where that is done here. */
  readonly logins?: IdentityService | undefined
  readonly tickets: StreamTickets
  readonly gateway: HostGateway
  readonly dialer: StreamDialer
  readonly registry: RegistryAccess
  /** undefined: the machine stands alone. */
  readonly cloud?: Cloud | undefined
  readonly secrets: Secrets
  /** Terminals at the API's own address, beside those at the proxy's. */
  readonly terminals: TerminalProxy
  /** [ssl], when [api] enable_ssl_api. */
  readonly tls?: TlsSource | undefined
  /** Milliseconds for one request; absent: as clients expect it. */
  readonly requestTimeoutMs?: number
  /** Of answers that stay open; absent: as clients expect it. */
  readonly streams?: ApiServerOptions['streams']
}

export function composeApi(given: ApiDeps): FastifyInstance {
  const { config, log, identity, logins } = given
  const policy = policyOf(given)
  const feed = eventFeed(given)
  const app = buildApiServer({
    identity,
    policy,
    log,
    routes: apiRoutes({ ...given, feed }, policy),
    mounts: logins === undefined ? [] : [identityRoutes(logins)],
    terminals: given.terminals,
    tls: given.tls,
    options: {
      bodyLimit: BODY_LIMIT_BYTES,
      publicEndpoint: config.publicEndpoint,
      trustForwardedHeaders: config.enableProxyHeaders,
      isTls: given.tls !== undefined,
      cors: {
        allowedOrigins: config.allowedOrigins,
        allowCredentials: config.corsCredentials,
        exposeHeaders: config.corsExposeHeaders,
        allowMethods: config.corsMethods,
        allowHeaders: config.corsHeaders,
        maxAgeS: config.corsMaxAge,
      },
      healthcheckDisableFile: config.healthcheckDisableFile,
      requestTimeoutMs: given.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      ...(given.streams === undefined ? {} : { streams: given.streams }),
    },
  })
  app.addHook('preClose', async () => await feed.stop())
  return app
}

export function eventFeed({ store, doorbell, log }: Pick<ApiDeps, 'store' | 'doorbell' | 'log'>): EventFeed {
  return new EventFeed({ events: store.events, doorbell, clock: systemClock, log, pollMs: EVENTS_POLL_MS })
}

/** ConfigError when the rules cannot be used. */
function policyOf({ config, rules, log }: ApiDeps): PolicyEngine {
  try {
    return new PolicyEngine({ ...rules, defaultRule: config.policyDefaultRule, log })
  } catch (error) {
    throw error instanceof PolicyFileError ? new ConfigError(error.message) : error
  }
}

/** Every route of the v1 API. */
export function apiRoutes(given: ApiDeps & { readonly feed: EventFeed }, policy: PolicyEngine): Route[] {
  const { config, store, gateway, registry, cloud } = given
  const options = appOptions(config)
  const images = new RegistryCatalog({
    ...CATALOG_DEFAULTS,
    ...imageDefaults(config),
    registry,
    gateway,
    upHosts: () => upHosts(store.hosts, options),
  })
  const streams = new OpenStreams(options.streams)
  const waiting = new Places(config.eventStreams, 'requests that wait')
  const imageService = cloud === undefined ? undefined : new GlanceService(new Glance(cloud.session))
  const clock = systemClock
  const networks = composeNetworkPlanner(config, options, given)
  const volumes = composeVolumePlanner(config, options, given)
  const deps = {
    ...given,
    networks,
    volumes,
    waiting,
    options,
    policy,
    streams,
    images,
    imageService,
    candidates: cloud?.placement?.candidates,
    clock,
    newUuid: randomUUID,
  }
  const containers = new ContainerViews(policy)
  return [
    ...containerRoutes(deps, containers),
    ...liveRoutes(deps),
    ...capsuleRoutes(deps, new CapsuleViews(policy, containers)),
    ...serviceRoutes(deps),
    ...hostRoutes(deps),
    ...imageRoutes(deps),
    ...availabilityZoneRoutes(deps),
    ...quotaRoutes(deps),
    ...quotaClassRoutes(deps),
    ...registryRoutes(deps),
    ...networkRoutes(deps),
    ...eventRoutes({ ...deps, places: new Places(config.eventStreams, 'streams of events') }),
    ...historyRoutes(deps),
    // Nobody's containers would be on them.
    ...(usesNeutron(config) ? [] : localNetworkRoutes(deps)),
    ...localVolumeRoutes(deps),
    ...extensionRoutes(LOCAL_EXTENSIONS.filter(({ name }) => name !== 'local-networks' || !usesNeutron(config))),
  ]
}
