/** Who is calling. Adapters: adapters/identity (built-in); Keystone's comes with the cloud adapters. */
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'

export interface Caller {
  readonly userId: string
  readonly userName: string
  readonly userDomainId: string
  readonly userDomainName: string
  /** null: the token is not scoped to a project. */
  readonly projectId: string | null
  readonly projectName: string | null
  readonly projectDomainId: string | null
  readonly projectDomainName: string | null
  readonly roles: readonly string[]
}

export interface Identity {
  /** undefined: unknown, expired or revoked. Unavailable when the identity service cannot be asked. */
  validate(token: string, o: CallOptions): Promise<Caller | undefined>
  /** For `WWW-Authenticate`. */
  readonly authenticateUri: string
}
