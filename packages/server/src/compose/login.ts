/** Logins at the identity service, made of the options of a group. */
import { readFileSync } from 'node:fs'
import type { ServiceAccess } from '../adapters/openstack/session.ts'
import type { Credentials, Domain, LoginScope } from '../adapters/openstack/credentials.ts'
import type { ClientTls } from '../adapters/openstack/http.ts'
import { messageOf } from '../domain/errors.ts'
import { LOGINS, type LoginName } from './config/check-logins.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'

/** As most clouds have it, where the file names none. */
const USUAL_DOMAIN = 'default'

export function credentialsOf(config: Config, name: LoginName): Credentials {
  const user = {
    userId: config[`${name}UserId`],
    userName: config[`${name}Username`],
    userDomain: domainOf(config, name, config[`${name}UserDomainId`], config[`${name}UserDomainName`]),
  }
  if (config[`${name}AuthType`] === 'application_credential') {
    return {
      kind: 'application_credential',
      id: config[`${name}ApplicationCredentialId`],
      name: config[`${name}ApplicationCredentialName`],
      ...user,
      secret: config[`${name}ApplicationCredentialSecret`] ?? '',
    }
  }
  return { kind: 'password', ...user, password: config[`${name}Password`] ?? '', scope: scopeOf(config, name) }
}

function scopeOf(config: Config, name: LoginName): LoginScope {
  const trust = config[`${name}TrustId`]
  if (trust !== null) return { kind: 'trust', id: trust }
  const project = { id: config[`${name}ProjectId`], name: config[`${name}ProjectName`] }
  if (project.id !== null || project.name !== null) {
    const domain = domainOf(config, name, config[`${name}ProjectDomainId`], config[`${name}ProjectDomainName`])
    return { kind: 'project', ...project, domain }
  }
  const domain = { id: config[`${name}DomainId`], name: config[`${name}DomainName`] }
  return domain.id !== null || domain.name !== null ? { kind: 'domain', domain } : { kind: 'system' }
}

function domainOf(config: Config, login: LoginName, id: string | null, name: string | null): Domain {
  if (id !== null || name !== null) return { id, name }
  const usual = { id: config[`${login}DefaultDomainId`], name: config[`${login}DefaultDomainName`] }
  return usual.id === null && usual.name === null ? { id: USUAL_DOMAIN, name: null } : usual
}

export function loginTls(config: Config, name: LoginName): ClientTls {
  const group = LOGINS[name]
  return {
    insecure: config[`${name}Insecure`],
    ...material('ca', { group, option: 'cafile', file: config[`${name}Cafile`] }),
    ...material('cert', { group, option: 'certfile', file: config[`${name}Certfile`] }),
    ...material('key', { group, option: 'keyfile', file: config[`${name}Keyfile`] }),
  }
}

/** Groups of the services that are called, by how their options begin here. */
const CLIENTS = {
  cinder: 'cinder_client',
  glance: 'glance_client',
  neutron: 'neutron_client',
  placement: 'placement_client',
} as const

/** What a group does not say of certificates is as `usual`. */
export function accessOf(config: Config, name: keyof typeof CLIENTS, usual: ClientTls): ServiceAccess {
  const group = CLIENTS[name]
  const tls: ClientTls = {
    ...usual,
    ...(config[`${name}Insecure`] ? { insecure: true } : {}),
    ...material('ca', { group, option: 'ca_file', file: config[`${name}CaFile`] }),
    ...material('cert', { group, option: 'cert_file', file: config[`${name}CertFile`] }),
    ...material('key', { group, option: 'key_file', file: config[`${name}KeyFile`] }),
  }
  return { interface: config[`${name}EndpointType`], region: config[`${name}RegionName`], tls }
}

/** ConfigError when the file cannot be read. */
function material(
  kind: 'ca' | 'cert' | 'key',
  { group, option, file }: { group: string; option: string; file: string | null },
): Partial<Record<typeof kind, string>> {
  if (file === null) return {}
  try {
    return { [kind]: readFileSync(file, 'utf8') }
  } catch (error) {
    throw new ConfigError(`option ${option} in [${group}]: ${messageOf(error)}`)
  }
}
