/** Who the users are: those of a cloud's identity service, or of one of our own. */
import { randomUUID } from 'node:crypto'
import { BuiltInIdentity } from '../adapters/identity/built-in-identity.ts'
import { KeystoneIdentity } from '../adapters/identity/keystone-identity.ts'
import { OpenStackSession } from '../adapters/openstack/session.ts'
import type { SqlDatabase } from '../adapters/sql/database.ts'
import type { IdentityService } from '../app/ports/identity-service.ts'
import type { Identity } from '../app/ports/identity.ts'
import { systemClock } from '../lib/system-clock.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { baseUrl } from './base-url.ts'
import { CLOUD_USERS } from './clouds-file.ts'
import { usesKeystone } from './config/check-logins.ts'
import type { Config } from './config/options.ts'
import { clientTls } from './client-tls.ts'
import type { Lifetime } from './lifetime.ts'
import { credentialsOf, loginTls } from './login.ts'

export interface ComposedIdentity {
  readonly identity: Identity
  /** undefined: tokens are given out elsewhere. */
  readonly logins: IdentityService | undefined
  close(): void
}

export interface IdentityDeps {
  readonly config: Config
  readonly database: SqlDatabase
  /** By user name, of the built-in identity. */
  readonly passwords: ReadonlyMap<string, string>
  readonly life: Lifetime
  readonly log: Logger
}

export async function composeIdentity(deps: IdentityDeps): Promise<ComposedIdentity> {
  if (usesKeystone(deps.config)) return keystoneIdentity(deps)
  const identity = await builtInIdentity(deps)
  return { identity, logins: identity, close: () => undefined }
}

/** Where tokens are to be had. */
export function authenticateUri(config: Config): string {
  return config.tokensAuthenticateUri ?? config.tokensAuthUrl ?? `${baseUrl(config)}/identity`
}

/** The type in the catalogue, and the official one. */
const OWN_TYPES = ['container', 'application-container']

function keystoneIdentity({ config, life, log }: IdentityDeps): ComposedIdentity {
  const timeoutMs = config.tokensConnectTimeout * 1000
  const cloud = new OpenStackSession({
    authUrl: config.tokensAuthUrl ?? authenticateUri(config),
    credentials: credentialsOf(config, 'tokens'),
    tls: clientTls(loginTls(config, 'tokens'), life, log),
    services: { identity: { interface: config.tokensInterface, region: config.tokensRegionName } },
    timeoutMs,
    clock: systemClock,
    log,
  })
  const identity = new KeystoneIdentity({
    cloud,
    authenticateUri: authenticateUri(config),
    cacheMs: Math.max(0, config.tokensCacheTime) * 1000,
    serviceRoles: config.tokensServiceRoles,
    serviceRolesRequired: config.tokensServiceRolesRequired,
    serviceTypes: [...new Set([config.tokensServiceType, ...OWN_TYPES])],
    timeoutMs,
    maxRetries: config.tokensMaxRetries,
    clock: systemClock,
    wallMs: Date.now,
    log,
  })
  return { identity, logins: undefined, close: () => cloud.close() }
}

/** With the users of clouds.yaml. */
async function builtInIdentity({ config, database, passwords }: IdentityDeps): Promise<BuiltInIdentity> {
  const identity = new BuiltInIdentity({
    database,
    authenticateUri: authenticateUri(config),
    tokenTtlMs: config.tokenLifetime * 1000,
  })
  for (const { user, project, role } of CLOUD_USERS) {
    const { id } = await identity.ensureUser(user, passwords.get(user) ?? randomUUID())
    await identity.assign(id, (await identity.ensureProject(project)).id, role)
  }
  return identity
}
