import { updateFields } from '@zund/contract/api/requests/container.ts'
import type { Container } from '../../domain/container/types.ts'
import { Conflict, Unavailable } from '../../domain/errors.ts'
import type { Tx } from '../../orchestration/ports/store.ts'
import type { RequestContext } from '../context.ts'
import { holdForResize } from '../hosts/hold-more.ts'
import { bad, readFields, type Body } from '../fields.ts'
import { acceptOn } from './act.ts'
import { requireFreeName } from './create.ts'
import type { ContainerDeps } from './deps.ts'
import { containerNotFound, findAuthorized, requireStatus } from './find.ts'
import { requireQuota, type Delta } from './quota.ts'

interface Change {
  readonly name: string | undefined
  readonly autoHeal: boolean | undefined
  readonly cpu: number | undefined
  readonly memoryMiB: number | undefined
}

/** How often an update that waits for its host looks whether it is done, in milliseconds. */
const POLL_MS = 20

/** PATCH: name and auto_heal change at once; for cpu and memory the host is waited for (containers 6). */
export async function updateContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  body: Body,
): Promise<Container> {
  const change = parseChange(deps, body, ctx)
  const found = await findAuthorized(deps, ctx, ident, 'container:update')
  requireStatus(found, 'update')
  if (change.cpu !== undefined || change.memoryMiB !== undefined) {
    await resize(deps, ctx, found, change)
    await settled(deps, ctx, found.uuid)
  } else {
    await deps.store.write((tx) => applyPlain(tx, deps, found, change))
  }
  const now = await deps.store.containers.byUuid(found.uuid, { kind: 'all' })
  if (now === undefined) throw containerNotFound(ident)
  return now
}

/** POST resize_container: the same, in the background; the answer shows the old values. */
export async function resizeContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  body: Body,
): Promise<Container> {
  const change = parseChange(deps, body, ctx)
  const found = await findAuthorized(deps, ctx, ident, 'container:resize_container')
  requireStatus(found, 'resize_container')
  if (change.cpu !== undefined || change.memoryMiB !== undefined) await resize(deps, ctx, found, change)
  else await deps.store.write((tx) => applyPlain(tx, deps, found, change))
  return found
}

/** POST rename, up to 1.13. */
export async function renameContainer(
  deps: ContainerDeps,
  ctx: RequestContext,
  ident: string,
  name: string,
): Promise<Container> {
  const found = await findAuthorized(deps, ctx, ident, 'container:rename')
  if (found.name === name) throw new Conflict('The new name for the container is the same as the old name.')
  const change = parseChange(deps, { name }, ctx)
  await deps.store.write((tx) => applyPlain(tx, deps, found, change))
  return (await deps.store.containers.byUuid(found.uuid, { kind: 'all' })) ?? found
}

function parseChange(deps: ContainerDeps, body: Body, { minor }: RequestContext): Change {
  const { name, auto_heal: autoHeal, cpu, memory } = readFields(updateFields(deps.options.limits), body, minor)
  return { name, autoHeal, cpu, memoryMiB: memory }
}

async function applyPlain(tx: Tx, deps: ContainerDeps, found: Container, change: Change): Promise<void> {
  const container = await tx.containers.byUuid(found.uuid, { kind: 'all' })
  if (container === undefined) throw containerNotFound(found.uuid)
  if (change.name === undefined && change.autoHeal === undefined) return
  if (change.name !== undefined) await requireFreeName(tx, deps, container.projectId, change.name, container.uuid)
  await tx.containers.update(container.uuid, {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.autoHeal === undefined ? {} : { spec: { ...container.spec, autoHeal: change.autoHeal } }),
  })
}

async function resize(deps: ContainerDeps, ctx: RequestContext, found: Container, change: Change): Promise<void> {
  if (change.cpu !== undefined && found.spec.cpuPolicy === 'dedicated' && !Number.isInteger(change.cpu)) {
    throw bad('cpu', change.cpu, 'With cpu_policy dedicated it must be a whole number of cores')
  }
  await acceptOn(deps, ctx, found, 'update', async (tx, now) => {
    await requireQuota(tx, now.projectId, await growthOf(tx, now, change), deps.options.quota)
    const allocation = await holdForResize(tx, now, change, deps.options)
    await applyPlain(tx, deps, now, change)
    return {
      verb: 'resize',
      params: {
        ...(change.cpu === undefined ? {} : { cpu: change.cpu }),
        ...(change.memoryMiB === undefined ? {} : { memoryMiB: change.memoryMiB }),
      },
      patch: { allocation },
    }
  })
}

/** Beyond what it has, and beyond what earlier requests hold for it: that is in use already. */
async function growthOf(tx: Tx, now: Container, change: Change): Promise<Delta> {
  let { cpu, memoryMiB } = now.spec
  for (const { verb, params } of await tx.operations.unfinished(now.uuid)) {
    if (verb !== 'resize') continue
    cpu = Math.max(cpu, params.cpu ?? 0)
    memoryMiB = Math.max(memoryMiB, params.memoryMiB ?? 0)
  }
  return { containers: 0, cpu: (change.cpu ?? cpu) - cpu, memory: (change.memoryMiB ?? memoryMiB) - memoryMiB, disk: 0 }
}

/** Waits until the container has no resize of its own under way; a failed one is a 409 with the engine's words. */
async function settled(deps: ContainerDeps, ctx: RequestContext, uuid: string): Promise<void> {
  const unfinished = await deps.store.operations.unfinished(uuid)
  const mine = unfinished.find((op) => op.verb === 'resize' && op.requestId === ctx.requestId)
  if (mine === undefined) return
  for (;;) {
    const op = await deps.store.operations.byId(mine.id)
    if (op === undefined) throw containerNotFound(uuid)
    if (op.state === 'succeeded') return
    if (op.state === 'failed') throw new Conflict(op.errorMessage ?? 'The host refused the change.')
    if (op.state === 'cancelled') throw new Conflict('The change was superseded by a newer request.')
    try {
      await deps.clock.sleep(POLL_MS, ctx.signal)
    } catch {
      throw new Unavailable('The host has not made the change yet; it goes on in the background.', { retryAfterS: 5 })
    }
  }
}
