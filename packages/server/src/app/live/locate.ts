/** What every look into a live container begins with. */
import type { Container } from '../../domain/container/types.ts'
import type { StateKey } from '../../domain/container/verbs.ts'
import { InvalidInput, Unavailable } from '../../domain/errors.ts'
import type { Clock, Logger } from '../../orchestration/ports/clock.ts'
import type { ContainerReads, HostReads } from '../../orchestration/ports/store.ts'
import { findAuthorized, requireStatus } from '../containers/find.ts'
import type { RequestContext } from '../context.ts'
import { isUp } from '../../orchestration/scheduling/host-views.ts'
import type { AppOptions } from '../options.ts'
import type { HostGateway } from '../ports/host-gateway.ts'
import type { Policy } from '../ports/policy.ts'
import type { StreamTickets } from '../ports/stream-tickets.ts'

export interface LiveDeps {
  readonly store: { readonly containers: ContainerReads; readonly hosts: HostReads }
  readonly policy: Policy
  readonly gateway: HostGateway
  readonly tickets: StreamTickets
  readonly options: AppOptions
  readonly clock: Clock
  readonly log: Logger
}

export interface Located {
  readonly container: Container
  readonly host: string
}

/** Finds it, checks the rule, then the state, then that there is something to look into and somebody to ask. */
export async function locate(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  key: StateKey,
  alsoRequire: (container: Container) => void = () => undefined,
  requireState: (container: Container) => void = (container) => requireStatus(container, key),
): Promise<Located> {
  const container = await findAuthorized(deps, ctx, ident, `container:${key}`)
  requireState(container)
  alsoRequire(container)
  const { host, observed } = container
  if (host === null || observed === null || observed.engineId === null) {
    throw new InvalidInput(`Cannot ${key} container ${container.uuid}: it was never created on a host.`, 'invalid')
  }
  const record = await deps.store.hosts.byName(host)
  if (record === undefined || !isUp(record, deps.options)) {
    // Which host that is, a tenant is not told.
    throw new Unavailable(`The host of container ${container.uuid} is down.`, { retryAfterS: 10 })
  }
  return { container, host }
}
