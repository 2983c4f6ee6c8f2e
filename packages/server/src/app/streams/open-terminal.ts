import { Conflict, Forbidden, Unavailable } from '../../domain/errors.ts'
import { isAllowed } from '../../domain/container/verbs.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ProgramStream } from '../../orchestration/ports/engine.ts'
import type { ContainerReads, HostReads } from '../../orchestration/ports/store.ts'
import { containerNotFound } from '../containers/find.ts'
import { isUp, type LivenessOptions } from '../../orchestration/scheduling/host-views.ts'
import type { StreamDialer } from '../ports/stream-dialer.ts'
import type { StreamTarget, StreamTickets } from '../ports/stream-tickets.ts'

export interface TerminalDeps {
  readonly store: { readonly containers: ContainerReads; readonly hosts: HostReads }
  readonly tickets: StreamTickets
  readonly dialer: StreamDialer
  readonly options: LivenessOptions
  readonly log: Logger
}

/** As it stands in the URL of a terminal. */
export interface TerminalRequest {
  readonly token: string
  readonly uuid: string
  readonly execId: string | null
  /** The program need not run yet. */
  readonly isBeforeStart: boolean
}

/** Uses the ticket up and connects to the stream it is for. */
export async function openTerminal(
  deps: TerminalDeps,
  request: TerminalRequest,
  o: CallOptions,
): Promise<ProgramStream> {
  const uuid = normaliseUuid(request.uuid)
  const stream = targetOf(request)
  const ticket =
    uuid === undefined || request.token === '' ? undefined : await deps.tickets.take(request.token, uuid, stream, o)
  if (ticket === undefined) throw new Forbidden('The token is unknown, used already or too old. Ask for a new one.')
  const container = await deps.store.containers.byUuid(ticket.containerUuid, { kind: 'all' })
  if (container === undefined || container.host !== ticket.host) throw containerNotFound(ticket.containerUuid)
  const isFit = container.status === 'Running' || (request.isBeforeStart && isAllowed('start', container.status))
  if (!isFit) {
    throw new Conflict(
      `Cannot attach container ${container.uuid} in ${container.status} state`,
      'invalid-state-exception',
    )
  }
  const host = await deps.store.hosts.byName(ticket.host)
  if (host === undefined || !isUp(host, deps.options)) throw new Unavailable('The host of the container is down.')
  const ids = { userId: ticket.userId, projectId: container.projectId }
  deps.log.info({ ...ids, containerId: container.uuid, verb: stream.verb }, 'terminal opened')
  return stream.verb === 'exec'
    ? await deps.dialer.exec(ticket.host, stream.execId, o)
    : await deps.dialer.attach(ticket.host, container.uuid, o)
}

function targetOf({ execId, isBeforeStart }: TerminalRequest): StreamTarget {
  if (execId !== null) return { verb: 'exec', execId }
  return { verb: isBeforeStart ? 'before-start' : 'attach' }
}
