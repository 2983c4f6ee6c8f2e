/** Are the logins at the identity service complete? */
import { SERVICE_DRIVER } from '../../domain/image/drivers.ts'
import type { Finding } from './findings.ts'
import type { Config } from './options.ts'

export const LOGINS = { serviceLogin: 'keystone_auth', tokens: 'keystone_authtoken' } as const
/** How the options of a login begin, here. */
export type LoginName = keyof typeof LOGINS

/** One line for each mistake. */
export function checkLogins(config: Config): string[] {
  return [...checkLogin(config, 'serviceLogin'), ...checkLogin(config, 'tokens')]
}

export function hasLogin(config: Config, name: LoginName): boolean {
  return config[`${name}AuthUrl`] !== null
}

/** Those of image_driver_list that can be had here. */
export function imageDriversOf(config: Config): readonly string[] {
  return config.imageDriverList.filter((driver) => driver !== SERVICE_DRIVER || hasLogin(config, 'serviceLogin'))
}

/** [keystone_authtoken] says where tokens come from: Keystone's count, not the built-in ones. */
export function usesKeystone(config: Config): boolean {
  return config.tokensAuthUrl !== null || config.tokensAuthenticateUri !== null
}

/** Other services are asked with the tokens of callers, and take those of Keystone only. */
export function loginFindings(config: Config): Finding[] {
  if (!hasLogin(config, 'serviceLogin') || usesKeystone(config)) return []
  const text =
    'option auth_url in [keystone_auth] is set without one in [keystone_authtoken]: ' +
    'other services do not know the users of the built-in identity'
  return [{ level: 'warn', text }]
}

function checkLogin(config: Config, name: LoginName): string[] {
  const group = LOGINS[name]
  if (!hasLogin(config, name)) {
    if (name !== 'tokens' || !usesKeystone(config)) return []
    return [`option www_authenticate_uri in [${group}] needs auth_url and a login, with which tokens are looked at`]
  }
  const certificate =
    (config[`${name}Certfile`] === null) === (config[`${name}Keyfile`] === null)
      ? []
      : [`options certfile and keyfile in [${group}] need each other`]
  return [...certificate, ...missing(config, name).map((what) => `option auth_url in [${group}] needs ${what}`)]
}

function missing(config: Config, name: LoginName): string[] {
  const isThere = (...options: readonly (keyof Config)[]): boolean => options.some((option) => Boolean(config[option]))
  const hasUser = isThere(`${name}UserId`, `${name}Username`)
  if (config[`${name}AuthType`] === 'application_credential') {
    return [
      ...(isThere(`${name}ApplicationCredentialSecret`) ? [] : ['application_credential_secret']),
      ...(isThere(`${name}ApplicationCredentialId`) || (isThere(`${name}ApplicationCredentialName`) && hasUser)
        ? []
        : ['application_credential_id']),
    ]
  }
  const isScoped = isThere(
    `${name}ProjectId`,
    `${name}ProjectName`,
    `${name}TrustId`,
    `${name}SystemScope`,
    `${name}DomainId`,
    `${name}DomainName`,
  )
  return [
    ...(hasUser ? [] : ['username']),
    ...(isThere(`${name}Password`) ? [] : ['password']),
    ...(isScoped ? [] : ['project_name']),
  ]
}
