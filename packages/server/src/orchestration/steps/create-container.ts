import { SystemFault } from '../../domain/errors.ts'
import type { EngineCreateRequest, EngineEndpoint } from '../ports/engine.ts'
import type { Cpuset } from '../ports/wire.ts'
import { orLookAnew } from './networks.ts'
import { look, portsOf, type Step, type StepContext } from './step.ts'

/** Name of a container's engine container. */
export function engineName(containerUuid: string): string {
  return `zun-${containerUuid}`
}

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
  const { spec } = op.container
  if (brought.image === undefined) throw new SystemFault('recipe.no_image', 'no image was obtained before the create')
  const first = portsOf(op)[0]
  const endpoint: EngineEndpoint | null =
    first === undefined ? null : await tools.networks.prepare(first.data, { signal })
  return {
    name: engineName(op.container.uuid),
    containerUuid: op.container.uuid,
    projectId: op.container.projectId,
    generation: op.generation,
    image: brought.image.reference,
    command: spec.command,
    entrypoint: spec.entrypoint,
    environment: spec.environment,
    labels: spec.labels,
    workdir: spec.workdir,
    hostname: spec.hostname,
    exposedPorts: spec.exposedPorts,
    tty: spec.tty,
    interactive: spec.interactive,
    cpu: spec.cpu,
    memoryMiB: spec.memoryMiB,
    diskGiB: spec.diskGiB,
    cpuset: cpusetOf(ctx),
    restartPolicy: spec.restartPolicy,
    healthcheck: spec.healthcheck,
    autoRemove: spec.autoRemove,
    privileged: spec.privileged,
    runtime: spec.runtime,
    mounts: brought.mounts ?? [],
    endpoint,
    namespaces: null,
  }
}

function cpusetOf({ op, tools }: StepContext): Cpuset | null {
  const { spec, cpuset } = op.container
  if (spec.cpuPolicy === 'dedicated') {
    if (cpuset === null) throw new SystemFault('recipe.no_cpuset', 'no cores were set aside for it on this host')
    return { ...cpuset, cpus: cpuset.cpus.slice(0, spec.cpu) }
  }
  return tools.floatingCpus.length === 0 ? null : { cpus: [...tools.floatingCpus], mems: [] }
}

function firstPort(ctx: StepContext) {
  return portsOf(ctx.op)
    .slice(0, 1)
    .map(({ uuid }) => ({ uuid, state: 'held' as const }))
}
