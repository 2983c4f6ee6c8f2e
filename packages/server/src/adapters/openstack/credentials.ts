/** What the service logs in with, and the request that this makes. */

export interface Domain {
  readonly id: string | null
  readonly name: string | null
}

export interface PasswordCredentials {
  readonly kind: 'password'
  readonly userId: string | null
  readonly userName: string | null
  readonly userDomain: Domain
  readonly password: string
  readonly scope: LoginScope
}

export interface ApplicationCredentials {
  readonly kind: 'application_credential'
  readonly id: string | null
  readonly name: string | null
  /** Whose it is, when it is given by name. */
  readonly userId: string | null
  readonly userName: string | null
  readonly userDomain: Domain
  readonly secret: string
}

export type LoginScope =
  | { readonly kind: 'project'; readonly id: string | null; readonly name: string | null; readonly domain: Domain }
  | { readonly kind: 'domain'; readonly domain: Domain }
  | { readonly kind: 'system' }
  | { readonly kind: 'trust'; readonly id: string }

export type Credentials = PasswordCredentials | ApplicationCredentials

/** Body of `POST /v3/auth/tokens`. */
export function loginBody(credentials: Credentials): object {
  const { userId, userName, userDomain } = credentials
  const user = userId !== null ? { id: userId } : { name: userName, domain: domainOf(userDomain) }
  if (credentials.kind === 'application_credential') {
    const { id, name, secret } = credentials
    const named = id !== null ? { id, secret } : { name, secret, user }
    return { auth: { identity: { methods: ['application_credential'], application_credential: named } } }
  }
  const { password, scope } = credentials
  const identity = { methods: ['password'], password: { user: { ...user, password } } }
  return { auth: { identity, scope: scopeOf(scope) } }
}

function scopeOf(scope: LoginScope): object {
  if (scope.kind === 'domain') return { domain: domainOf(scope.domain) }
  if (scope.kind === 'system') return { system: { all: true } }
  if (scope.kind === 'trust') return { 'OS-TRUST:trust': { id: scope.id } }
  return { project: scope.id !== null ? { id: scope.id } : { name: scope.name, domain: domainOf(scope.domain) } }
}

function domainOf({ id, name }: Domain): object {
  return id !== null ? { id } : { name }
}
