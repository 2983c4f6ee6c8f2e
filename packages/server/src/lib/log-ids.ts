import { AsyncLocalStorage } from 'node:async_hooks'

/** By which an entry of the log is found: whose request it belongs to, and which one. */
export interface LogIds {
  /** `req-<uuid4>`, of the API. */
  requestId?: string
  /** Of the request of another service that it is part of. */
  globalRequestId?: string
  userId?: string
  projectId?: string
  /** What the token of the request is for, and of which domains it is. */
  domainId?: string
  systemScope?: string
  userDomainId?: string
  projectDomainId?: string
}

/**
 * Ambient, as in the services of a cloud: what drivers and clients log belongs to the request that they work for, and they are
 * shared by all requests. Handed on through every call, it would be an argument of everything.
 */
const current = new AsyncLocalStorage<LogIds>()

/** Whatever is logged by `work`, and by what it begins, has these ids; also those that are put in meanwhile. */
export function onBehalfOf<T>(ids: LogIds, work: () => T): T {
  return current.run(ids, work)
}

/** For what is begun by a request and goes on for others. */
export function onBehalfOfNobody<T>(work: () => T): T {
  return current.exit(work)
}

/** A copy. */
export function logIds(): LogIds {
  return { ...current.getStore() }
}
