/** An operation and its steps as the API shows them: an action and its events (containers 15). */
import type { Operation, Step } from '../../domain/operation/types.ts'
import { NotFound } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import type { ContainerDeps } from './deps.ts'
import { findAuthorized } from './find.ts'

export interface ActionEvent {
  readonly event: string
  readonly startedAtMs: number
  readonly finishedAtMs: number | null
  readonly result: 'Success' | 'Error' | null
  readonly traceback: string | null
}

export async function listActions(deps: ContainerDeps, ctx: RequestContext, ident: string): Promise<Operation[]> {
  const container = await findAuthorized(deps, ctx, ident, 'container:actions')
  return await deps.store.operations.actions(container.uuid)
}

export async function showAction(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  requestId: string,
): Promise<{ operation: Operation; events: ActionEvent[] }> {
  const container = await findAuthorized(deps, ctx, ident, 'container:actions')
  const found = await deps.store.operations.byRequest(container.uuid, requestId)
  // Two of one request id (a delete with stop): the first of them in time.
  const operation = found.at(-1)
  if (operation === undefined) {
    throw new NotFound(`Action for request_id ${requestId.slice(0, 64)} could not be found.`, 'resource-not-found')
  }
  const showsTraces = deps.policy.allows('container:action:events', ctx)
  const events = eventsOf(operation, await deps.store.operations.steps(operation.id))
  return {
    operation,
    events: showsTraces ? events : events.map((event) => ({ ...event, traceback: null })),
  }
}

/** Steps are finer than the API's events: those before the start belong to the create. Newest first. */
export function eventsOf(operation: Operation, steps: readonly Step[]): ActionEvent[] {
  if (steps.length === 0) return []
  if (operation.verb === 'create') {
    const start = steps.filter((step) => step.name === 'startContainer')
    const create = steps.filter((step) => step.name !== 'startContainer')
    return [
      ...(start.length === 0 ? [] : [toEvent('compute__do_container_start', start, operation)]),
      ...(create.length === 0 ? [] : [toEvent('compute__do_container_create', create, operation)]),
    ]
  }
  const name = EVENT_NAMES[operation.verb]
  return name === undefined ? [] : [toEvent(name, steps, operation)]
}

const EVENT_NAMES: Readonly<Partial<Record<Operation['verb'], string>>> = {
  start: 'compute__do_container_start',
  stop: 'compute__do_container_stop',
  reboot: 'compute__do_container_reboot',
  pause: 'compute__do_container_pause',
  unpause: 'compute__do_container_unpause',
  kill: 'compute__do_container_kill',
  rebuild: 'compute__do_container_rebuild',
  commit: 'compute__do_container_commit',
  network_attach: 'compute__do_network_attach',
  network_detach: 'compute__do_network_detach',
  add_security_group: 'compute__add_security_group',
  remove_security_group: 'compute__remove_security_group',
}

function toEvent(event: string, steps: readonly Step[], operation: Operation): ActionEvent {
  const failed = steps.find((step) => step.state === 'failed')
  const finished = steps.every((step) => step.state === 'finished')
  const over = operation.finishedAtMs !== null
  const ends = steps.map((step) => step.finishedAtMs ?? operation.finishedAtMs ?? 0)
  const done = finished || failed !== undefined || over
  return {
    event,
    startedAtMs: Math.min(...steps.map((step) => step.startedAtMs)),
    finishedAtMs: done ? Math.max(...ends) : null,
    result: failed !== undefined ? 'Error' : finished ? 'Success' : over ? 'Error' : null,
    traceback: failed?.message ?? null,
  }
}
