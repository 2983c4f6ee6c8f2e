import type { Caller } from './identity.ts'

/** In whose name another service is asked; the context of a request is one. */
export interface Asker {
  /** Never stored, never logged. */
  readonly token: string
  readonly caller: Pick<Caller, 'projectId'>
  readonly requestId: string
  readonly signal: AbortSignal
}
