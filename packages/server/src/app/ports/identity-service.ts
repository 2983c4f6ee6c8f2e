import type { Caller } from './identity.ts'

export interface NameOrId {
  readonly id?: string | undefined
  readonly name?: string | undefined
}

/** What the token endpoint needs of an identity service of our own. */
export interface IdentityService {
  login(user: NameOrId, password: string): Promise<{ id: string; name: string } | undefined>
  loginWithCredential(
    credential: NameOrId & { readonly user?: NameOrId | undefined },
    secret: string,
  ): Promise<{ user: { id: string; name: string }; projectId: string } | undefined>
  findProject(project: NameOrId): Promise<{ id: string; name: string } | undefined>
  projectsOf(userId: string): Promise<{ id: string; name: string }[]>
  rolesOf(userId: string, projectId: string): Promise<string[]>
  issue(
    user: { id: string; name: string },
    project: { id: string; name: string } | null,
    roles: readonly string[],
  ): Promise<{ token: string; info: IssuedToken }>
  tokenInfo(token: string): Promise<IssuedToken | undefined>
  revoke(token: string): Promise<void>
}

export interface IssuedToken {
  readonly caller: Caller
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}
