/** Logins at the identity service, made of the options of a group. */
import type { Credentials, Domain, LoginScope } from '../adapters/openstack/credentials.ts'
import type { ClientTlsPlaces, NamedFile } from './client-tls.ts'
import { LOGINS, type LoginName } from './config/check-logins.ts'
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

export function loginTls(config: Config, name: LoginName): ClientTlsPlaces {
  const group = LOGINS[name]
  return {
    group,
    insecure: config[`${name}Insecure`],
    ca: place(group, 'cafile', config[`${name}Cafile`]),
    cert: place(group, 'certfile', config[`${name}Certfile`]),
    key: place(group, 'keyfile', config[`${name}Keyfile`]),
  }
}

/** Groups of the services that are called, by how their options begin here. */
const CLIENTS = {
  cinder: 'cinder_client',
  glance: 'glance_client',
  neutron: 'neutron_client',
  placement: 'placement_client',
} as const

export type ClientName = keyof typeof CLIENTS

/** What a group does not say is as `usual`. undefined: it says nothing. */
export function clientTlsPlaces(config: Config, name: ClientName, usual: ClientTlsPlaces): ClientTlsPlaces | undefined {
  const group = CLIENTS[name]
  const ca = place(group, 'ca_file', config[`${name}CaFile`])
  const cert = place(group, 'cert_file', config[`${name}CertFile`])
  const key = place(group, 'key_file', config[`${name}KeyFile`])
  const insecure = config[`${name}Insecure`]
  if (ca === null && cert === null && key === null && !insecure) return undefined
  return {
    group,
    insecure: insecure || usual.insecure,
    ca: ca ?? usual.ca,
    cert: cert ?? usual.cert,
    key: key ?? usual.key,
  }
}

function place(group: string, option: string, file: string | null): NamedFile | null {
  return file === null ? null : { group, option, file }
}
