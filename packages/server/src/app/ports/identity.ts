/** Who is calling. Adapters: adapters/identity (built-in, and that of a cloud). */
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
  /** `all`: the token is for the cloud as a whole. */
  readonly systemScope?: string
  /** The token is for a domain. */
  readonly domainId?: string
  /** False: an admin whose project is not the one whose admins rule the cloud. */
  readonly isAdminProject?: boolean
  /** Another service that calls for this user. */
  readonly service?: ServiceCaller
}

export interface ServiceCaller {
  readonly userId: string
  readonly userDomainId: string
  readonly projectId: string | null
  readonly projectDomainId: string | null
  readonly roles: readonly string[]
}

/** What else a request shows. */
export interface Presented extends CallOptions {
  /** Of another service that calls for the user. */
  readonly serviceToken?: string
  /** Some tokens are good for certain requests only. */
  readonly request?: { readonly method: string; readonly path: string }
}

export interface Identity {
  /**
   * undefined: unknown, expired, revoked, or not for this request; and the same for the service's token, if there is
   * one. Unavailable when the identity service cannot be asked.
   */
  validate(token: string, o: Presented): Promise<Caller | undefined>
  /** For `WWW-Authenticate`. */
  readonly authenticateUri: string
}
