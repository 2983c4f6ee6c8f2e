import type { Scope } from '../orchestration/ports/store.ts'
import type { Caller } from './ports/identity.ts'

/** One API request's caller and circumstances, handed to every use case. */
export interface RequestContext {
  /** `req-<uuid4>`; key of the action record. */
  readonly requestId: string
  readonly caller: Caller
  /** With which other services are asked on the caller's behalf. Never stored, never logged. */
  readonly token: string
  /** Result of rule `context_is_admin`. */
  readonly isAdmin: boolean
  /** Minor part of the microversion: 40 for 1.40. */
  readonly minor: number
  /** Where the caller has reached the API, if that is a name for the public or under TLS; null: directly. */
  readonly publicUrl: string | null
  readonly signal: AbortSignal
}

/** Records the caller works with by default: the own project, or the own user when the token has no project. */
export function ownScope(ctx: RequestContext): Scope {
  const { projectId, userId } = ctx.caller
  return projectId === null ? { kind: 'user', userId } : { kind: 'project', projectId }
}

/** Look-ups by uuid or name: an admin's search all projects without asking for it (api-conventions 9). */
export function lookupScope(ctx: RequestContext): Scope {
  return ctx.isAdmin ? { kind: 'all' } : ownScope(ctx)
}
