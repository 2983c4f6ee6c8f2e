/** How the other services of a cloud are reached, and with which login. */
import { flag, list, oneOf, option, optionalText, seconds, text, whole, type Option } from '../kinds.ts'

/** With and without `URL`, as clients of all ages write it. */
const interfaceName = option(
  'string',
  (value): 'public' | 'internal' | 'admin' => {
    const name = value.replace(/url$/i, '').toLowerCase()
    if (name === 'public' || name === 'internal' || name === 'admin') return name
    throw new Error('it is not one of public, internal, admin')
  },
  'public, internal, admin',
)

const url = option<string | null>('URI', (value) => {
  if (value === '') return null
  const parsed = URL.canParse(value) ? new URL(value) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) throw new Error('it is not an http or https address')
  if (parsed.username !== '' || parsed.password !== '') throw new Error('it may not have a password in it')
  return value
})

const authType = option(
  'string',
  (value): 'password' | 'application_credential' => {
    const name = value.replace(/^v3/, '')
    if (name === 'password') return 'password'
    if (name === 'applicationcredential') return 'application_credential'
    throw new Error('it is not one of password, v3password, v3applicationcredential')
  },
  'password, v3password, v3applicationcredential',
)

/** Options of keystoneauth, which stand in each group that has a login of its own. */
function login(group: string) {
  const optional = (name: string, help: string): Option<string | null> =>
    optionalText(group, name, { fallback: '', help })
  const secret = (name: string, help: string): Option<string | null> =>
    optionalText(group, name, { fallback: '', help, secret: true })
  return {
    AuthType: authType(group, 'auth_type', { fallback: 'password', help: 'How the service logs in.' }),
    AuthUrl: url(group, 'auth_url', { fallback: '', help: 'Address of the identity service, with or without /v3.' }),
    Username: optional('username', 'The user of the service; it needs roles admin and service.'),
    UserId: optional('user_id', 'Instead of username and its domain.'),
    Password: secret('password', 'Of the user.'),
    UserDomainName: optional('user_domain_name', 'Domain of username.'),
    UserDomainId: optional('user_domain_id', 'The same by its id.'),
    ProjectName: optional('project_name', 'Project the service works in.'),
    ProjectId: optional('project_id', 'Instead of project_name and its domain.'),
    ProjectDomainName: optional('project_domain_name', 'Domain of project_name.'),
    ProjectDomainId: optional('project_domain_id', 'The same by its id.'),
    DefaultDomainName: optional('default_domain_name', 'Domain of what names none.'),
    DefaultDomainId: optional('default_domain_id', 'The same by its id.'),
    DomainName: optional('domain_name', 'Log in to a domain instead of a project.'),
    DomainId: optional('domain_id', 'The same by its id.'),
    SystemScope: oneOf('', 'all')(group, 'system_scope', {
      fallback: '',
      help: 'all: log in to the cloud as a whole.',
    }),
    TrustId: optional('trust_id', 'Trust that is used instead of a project.'),
    ApplicationCredentialId: optional('application_credential_id', 'For v3applicationcredential.'),
    ApplicationCredentialName: optional('application_credential_name', 'The same by name, with its user.'),
    ApplicationCredentialSecret: secret('application_credential_secret', 'Its secret.'),
    Cafile: optional('cafile', 'Authorities that the services are judged by (PEM); empty: those of Node.'),
    Certfile: optional('certfile', 'Certificate that the services are shown (PEM).'),
    Keyfile: optional('keyfile', 'Its private key (PEM).'),
    Insecure: flag(group, 'insecure', { fallback: 'false', help: 'Take any certificate.' }),
  } as const
}

/** Options of a service that is called. */
function client(group: string) {
  const optional = (name: string, help: string): Option<string | null> =>
    optionalText(group, name, { fallback: '', help })
  return {
    RegionName: optional('region_name', 'Region of the endpoint; empty: the first of the catalogue.'),
    EndpointType: interfaceName(group, 'endpoint_type', { fallback: 'publicURL', help: 'Which endpoint is used.' }),
    CaFile: optional('ca_file', 'Authorities (PEM); empty: as in [keystone_auth].'),
    CertFile: optional('cert_file', 'Certificate that the service is shown (PEM).'),
    KeyFile: optional('key_file', 'Its private key (PEM).'),
    Insecure: flag(group, 'insecure', { fallback: 'false', help: 'Take any certificate.' }),
  } as const
}

type Prefixed<P extends string, T> = { readonly [K in keyof T & string as `${P}${K}`]: T[K] }

function prefixed<P extends string, T extends Readonly<Record<string, Option<unknown>>>>(
  prefix: P,
  all: T,
): Prefixed<P, T> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [`${prefix}${name}`, one])) as Prefixed<P, T>
}

export const CLOUD_OPTIONS = {
  ...prefixed('serviceLogin', login('keystone_auth')),
  serviceLoginTimeout: seconds('keystone_auth', 'timeout', {
    fallback: '60',
    help: 'Seconds for one call of another service. Too few break off what a busy service would have answered.',
  }),
  ...prefixed('tokens', login('keystone_authtoken')),
  tokensAuthenticateUri: url('keystone_authtoken', 'www_authenticate_uri', {
    fallback: '',
    help: 'Where clients are told to get a token. This or auth_url: logins are those of Keystone.',
  }),
  tokensInterface: interfaceName('keystone_authtoken', 'interface', {
    fallback: 'internal',
    help: 'Endpoint of Keystone that tokens are shown to.',
  }),
  tokensRegionName: optionalText('keystone_authtoken', 'region_name', { fallback: '', help: 'Its region.' }),
  tokensCacheTime: whole(-1, 86_400)('keystone_authtoken', 'token_cache_time', {
    fallback: '300',
    help: 'Seconds for which a token counts as good without being shown again; a revoked one does so long. -1: never.',
  }),
  tokensServiceRoles: list('keystone_authtoken', 'service_token_roles', {
    fallback: 'service',
    help: 'A service token needs one of these roles.',
  }),
  tokensServiceRolesRequired: flag('keystone_authtoken', 'service_token_roles_required', {
    fallback: 'false',
    help: 'False: a service token without such a role only loses the right to bring an expired token.',
  }),
  tokensServiceType: text('keystone_authtoken', 'service_type', {
    fallback: 'container',
    help: 'Type of this service, as rules of access of application credentials have it.',
  }),
  tokensConnectTimeout: seconds('keystone_authtoken', 'http_connect_timeout', {
    fallback: '10',
    help: 'Seconds for one question to Keystone.',
  }),
  tokensMaxRetries: whole(0, 10)('keystone_authtoken', 'http_request_max_retries', {
    fallback: '3',
    help: 'Times a question is asked again when Keystone cannot be reached, within the time of a request.',
  }),
  ...prefixed('cinder', client('cinder_client')),
  ...prefixed('glance', client('glance_client')),
  ...prefixed('neutron', client('neutron_client')),
  ...prefixed('placement', client('placement_client')),
  networksFrom: oneOf('auto', 'local', 'neutron')('zund', 'networks', {
    fallback: 'auto',
    help: 'local: bridges of this machine. auto: neutron when [keystone_auth] has an auth_url.',
  }),
  volumesFrom: oneOf('auto', 'local', 'cinder')('zund', 'volumes', {
    fallback: 'auto',
    help: 'local: files of this machine. auto: cinder when [keystone_auth] has an auth_url.',
  }),
  placementUse: oneOf('auto', 'off')('zund', 'placement', {
    fallback: 'auto',
    help: 'auto: hosts and containers are reported to Placement when [keystone_auth] has an auth_url. off: never.',
  }),
} as const
