import type { Container, ContainerStatus, DesiredState } from '../domain/container/types.ts'
import { recipeFor } from '../domain/operation/recipes.ts'
import { CONDUCTOR_LANE, hostLane, type Operation } from '../domain/operation/types.ts'
import { holdingsOf } from '../orchestration/holdings.ts'
import type { ContainerPatch, Tx } from '../orchestration/ports/store.ts'
import type { OperationParams, Verb } from '../orchestration/ports/wire.ts'

export interface Acceptance {
  readonly container: Container
  readonly verb: Verb
  readonly params: OperationParams
  readonly requestId: string
  readonly userId: string
  /** Further changes to the row that belong to the request. */
  readonly patch?: ContainerPatch
}

/**
 * Records an accepted request: one operation, and what the container shows from now on, in the caller's transaction.
 * After commit the caller rings the operation's lane. Bindings must have been inserted before.
 */
export async function accept(tx: Tx, a: Acceptance): Promise<Operation> {
  const { container, verb } = a
  const allocation = a.patch?.allocation === undefined ? container.allocation : a.patch.allocation
  const holds = await holdingsOf(tx, { ...container, allocation })
  if (verb === 'delete') {
    for (const { state, params } of await tx.operations.unfinished(container.uuid)) {
      // The record of an image that no commit will make any more.
      if (state === 'queued' && params.imageUuid !== undefined) await tx.images.abandonCommit(params.imageUuid)
    }
    await tx.operations.cancelQueued(container.uuid, 'superseded by delete')
    await tx.operations.supersedeRunning(container.uuid)
  }
  const generation = container.generation + 1
  const operation = await tx.operations.insert({
    containerUuid: container.uuid,
    projectId: container.projectId,
    userId: a.userId,
    requestId: a.requestId,
    verb,
    params: a.params,
    generation,
    lane: container.host === null ? CONDUCTOR_LANE : hostLane(container.host),
    recipe: recipeFor(verb, a.params, holds),
    recorded: RECORDED[verb],
  })
  const status = STATUS_ON_ACCEPT[verb]
  const desired = desiredAfter(verb, a.params)
  await tx.containers.update(container.uuid, {
    generation,
    ...(status === undefined ? {} : { status }),
    ...(desired === undefined ? {} : { desired }),
    ...a.patch,
  })
  return operation
}

const STATUS_ON_ACCEPT: Readonly<Partial<Record<Verb, ContainerStatus>>> = {
  create: 'Creating',
  reboot: 'Restarting',
  rebuild: 'Rebuilding',
  delete: 'Deleting',
}

/** Verbs that the API lists as actions; `resize` (update, resize_container) is not (containers 15). */
const RECORDED: Readonly<Record<Verb, boolean>> = {
  create: true,
  start: true,
  stop: true,
  reboot: true,
  pause: true,
  unpause: true,
  kill: true,
  rebuild: true,
  delete: true,
  commit: true,
  resize: false,
  network_attach: true,
  network_detach: true,
  add_security_group: true,
  remove_security_group: true,
}

function desiredAfter(verb: Verb, params: OperationParams): DesiredState | undefined {
  switch (verb) {
    case 'create':
    case 'rebuild':
      return params.run === true ? 'running' : 'created'
    case 'start':
    case 'reboot':
    case 'unpause':
      return 'running'
    case 'stop':
      return 'stopped'
    case 'pause':
      return 'paused'
    case 'delete':
      return 'absent'
    default:
      return undefined
  }
}
