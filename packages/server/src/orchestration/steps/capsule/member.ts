/** What the steps of a capsule do with one of its members. */
import {
  EngineConflict,
  EngineNotFound,
  EngineRemains,
  Retryable,
  SystemFault,
  UserFault,
} from '../../../domain/errors.ts'
import { isLive } from '../../../domain/capsule/rejoin.ts'
import type { EngineMount } from '../../ports/engine.ts'
import type { AssignedContainer, Observation } from '../../ports/wire.ts'
import { engineRequest } from '../engine-request.ts'
import { mountsOf, type StepContext } from '../step.ts'

export async function seenOf(ctx: StepContext, uuid: string): Promise<Observation | undefined> {
  return (await ctx.tools.engine.inspect(uuid, { signal: ctx.signal }))?.seen
}

/** It may have ended since its step; nothing can join it then. Gives what it is now. */
export async function ensureSandbox(ctx: StepContext): Promise<Observation> {
  const { uuid } = ctx.op.container
  const seen = await seenOf(ctx, uuid)
  if (seen === undefined) throw new Retryable('capsule.sandbox_lost', 'the sandbox of the capsule is gone')
  if (isLive(seen)) return seen
  await ctx.tools.engine.start(uuid, { signal: ctx.signal })
  return (await seenOf(ctx, uuid)) ?? seen
}

/** True when the operation has made it and it was started since, even if it has ended again. */
export function wasStarted(ctx: StepContext, seen: Observation | undefined): boolean {
  return seen !== undefined && seen.generation === ctx.op.generation && seen.startedAtMs !== null
}

/** Makes and starts it, unless an earlier attempt of this operation did. */
export async function ensureStarted(ctx: StepContext, member: AssignedContainer): Promise<void> {
  const seen = await seenOf(ctx, member.uuid)
  if (wasStarted(ctx, seen)) return
  await ensureSandbox(ctx)
  await naming(member, async () => {
    if (seen === undefined) await make(ctx, member)
    await start(ctx, member)
  })
}

async function make(ctx: StepContext, member: AssignedContainer): Promise<void> {
  const { op, brought, tools, signal } = ctx
  const image = brought.memberImages?.get(member.uuid)
  if (image === undefined) throw new SystemFault('recipe.no_image', 'no image was obtained before the create')
  const mounts = mountsOf({ container: member }).map(({ data }): EngineMount => {
    const source = brought.volumeSources?.get(data.volumeUuid)
    if (source === undefined) throw new SystemFault('recipe.no_volume', 'a volume was not attached before the create')
    return { source, destination: data.destination }
  })
  const namespaces = { of: op.container.uuid }
  const request = engineRequest(ctx, member, image, { mounts, endpoint: null, namespaces })
  // Names and ports are those of the network it shares; the engine refuses others.
  const own = { ...request, hostname: null, exposedPorts: [] }
  try {
    await tools.gate.run(signal, () => tools.engine.create(own, { signal }))
  } catch (error) {
    // An image or the sandbox, there a moment ago.
    if (!(error instanceof EngineNotFound)) throw error
    throw new Retryable('engine.vanished', error.message, { cause: error })
  }
}

async function start(ctx: StepContext, member: AssignedContainer): Promise<void> {
  const { engine, gate } = ctx.tools
  const o = { signal: ctx.signal }
  try {
    await gate.run(ctx.signal, () => engine.start(member.uuid, o))
  } catch (error) {
    // It joins a sandbox that is no more, or is half of a start that was interrupted: having never run, it has nothing to lose.
    if (error instanceof EngineNotFound || error instanceof EngineRemains) {
      await engine.remove(member.uuid, true, o)
      throw new Retryable('engine.remains', error.message, { cause: error, afterMs: 0 })
    }
    // The sandbox has ended this very moment.
    if (error instanceof EngineConflict) throw new Retryable('engine.conflict', error.message, { cause: error })
    throw error
  }
}

/** The reason that the capsule shows says which of its containers is meant. */
async function naming(member: AssignedContainer, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof UserFault)) throw error
    throw new UserFault(error.code, `Container ${member.name}: ${error.message}`, { cause: error })
  }
}
