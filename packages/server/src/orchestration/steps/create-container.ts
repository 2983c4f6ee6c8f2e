import { SystemFault } from '../../domain/errors.ts'
import type { EngineCreateRequest, EngineEndpoint } from '../ports/engine.ts'
import { engineRequest } from './engine-request.ts'
import { orLookAnew } from './networks.ts'
import { hasRunAndGone, isCapsule, look, portsOf, type Step, type StepContext } from './step.ts'

/**
 * Makes the engine container. It is recognised by name and by the generation of the operation that made it, so that a
 * rebuild cannot take the container it is meant to replace for its own.
 */
export const createContainer: Step = {
  name: 'createContainer',
  repeat: 'safe',
  async observe(ctx) {
    // Nobody has ever begun to make it: no need to ask the engine.
    if (!ctx.wasStarted && ctx.op.attempt === 1 && ctx.op.verb === 'create') return undefined
    const seen = await look(ctx)
    if (seen === undefined && (await hasRunAndGone(ctx))) {
      return { output: { engineId: ctx.op.container.engineId }, bindings: firstPort(ctx) }
    }
    if (seen === undefined || seen.generation !== ctx.op.generation) return undefined
    return { output: { engineId: seen.engineId }, seen, bindings: firstPort(ctx) }
  },
  async apply(ctx) {
    const { engine, gate } = ctx.tools
    const request = await createRequest(ctx)
    const engineId = await gate.run(ctx.signal, () =>
      // An image or a network that was there a moment ago.
      orLookAnew(ctx, () => engine.create(request, { signal: ctx.signal })),
    )
    const seen = await look(ctx)
    return { output: { engineId }, bindings: firstPort(ctx), ...(seen === undefined ? {} : { seen }) }
  },
}

async function createRequest(ctx: StepContext): Promise<EngineCreateRequest> {
  const { op, brought, tools, signal } = ctx
  if (brought.image === undefined) throw new SystemFault('recipe.no_image', 'no image was obtained before the create')
  const first = portsOf(op)[0]
  const endpoint: EngineEndpoint | null =
    first === undefined ? null : await tools.networks.prepare(first.data, { signal })
  if (!isCapsule(op)) {
    return engineRequest(ctx, op.container, brought.image, { mounts: brought.mounts ?? [], endpoint, namespaces: null })
  }
  const sandbox = engineRequest(ctx, op.container, brought.image, { mounts: [], endpoint, namespaces: 'shared' })
  // Its record has the size of the whole capsule; the limits are its members'.
  return { ...sandbox, cpu: 0, memoryMiB: 0, diskGiB: 0 }
}

function firstPort(ctx: StepContext) {
  return portsOf(ctx.op)
    .slice(0, 1)
    .map(({ uuid }) => ({ uuid, state: 'held' as const }))
}
