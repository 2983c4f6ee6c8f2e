import { EngineNotFound, Retryable } from '../../domain/errors.ts'
import { hasRunAndGone, isLive, look, portsOf, type HeldPort, type Step, type StepContext } from './step.ts'

/** Ports the operation is about: those it names, else all of the container. */
export function concerned(ctx: StepContext): HeldPort[] {
  const named = ctx.op.params.ports
  const all = portsOf(ctx.op)
  return named === undefined ? all : all.filter((p) => named.includes(p.uuid))
}

/** Makes the networks of the container usable on this host. The driver is repeatable and remembers what is ready. */
export const prepareNetworks: Step = {
  name: 'prepareNetworks',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    for (const { data } of concerned(ctx)) await ctx.tools.networks.prepare(data, { signal: ctx.signal })
    return {}
  },
}

/** Connects the container to the networks it is not on yet. */
export const connectNetworks: Step = {
  name: 'connectNetworks',
  repeat: 'safe',
  async observe(ctx) {
    const on = await connectedTo(ctx)
    const ports = concerned(ctx)
    if (ports.every((p) => on.has(p.data.networkId))) return held(ports)
    return (await hasRunAndGone(ctx)) ? held(ports) : undefined
  },
  async apply(ctx) {
    const on = await connectedTo(ctx)
    const ports = concerned(ctx)
    for (const port of ports) {
      const { data } = port
      if (on.has(data.networkId)) continue
      // One that does not run yet gets its ends when it starts.
      const seen = await look(ctx)
      if (seen !== undefined && isLive(seen)) await activatePorts(ctx, [port])
      const endpoint = await ctx.tools.networks.prepare(data, { signal: ctx.signal })
      await orLookAnew(ctx, () => ctx.tools.engine.connect(ctx.op.container.uuid, endpoint, { signal: ctx.signal }))
    }
    return held(ports)
  },
}

/** All at once: most of it is waiting for somebody else. */
export async function activatePorts(ctx: StepContext, ports: readonly HeldPort[]): Promise<void> {
  const { networks } = ctx.tools
  await Promise.all(ports.map(async ({ data }) => networks.activate(data, { signal: ctx.signal })))
}

/** Takes the container off the networks the operation names and gives their ports back. */
export const disconnectNetworks: Step = {
  name: 'disconnectNetworks',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const on = await connectedTo(ctx)
    const ports = concerned(ctx)
    for (const { data } of ports) {
      if (on.has(data.networkId)) {
        await ctx.tools.engine.disconnect(ctx.op.container.uuid, data.networkId, { signal: ctx.signal })
      }
      await ctx.tools.networks.release(data, { signal: ctx.signal })
    }
    return { bindings: ports.map(({ uuid }) => ({ uuid, state: 'gone' as const })) }
  },
}

/** Of an attach that has failed: gives up again what it has prepared. */
export async function giveBackPorts(ctx: StepContext): Promise<void> {
  for (const { data } of concerned(ctx)) {
    await ctx.tools.engine.disconnect(ctx.op.container.uuid, data.networkId, { signal: ctx.signal })
    await ctx.tools.networks.release(data, { signal: ctx.signal })
  }
}

/** After the engine container is gone: gives back every port. */
export const releaseNetworks: Step = {
  name: 'releaseNetworks',
  repeat: 'safe',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    await leaveNetworks(ctx)
    const ports = portsOf(ctx.op)
    await releaseAll(ctx, ports)
    return { bindings: ports.map(({ uuid }) => ({ uuid, state: 'gone' as const })) }
  },
}

/** A port that cannot be given back keeps no other: who deletes by force has but this one try. */
async function releaseAll(ctx: StepContext, ports: readonly HeldPort[]): Promise<void> {
  const failures: unknown[] = []
  for (const { data } of ports) {
    try {
      await ctx.tools.networks.release(data, { signal: ctx.signal })
    } catch (error) {
      ctx.signal.throwIfAborted()
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}

/** What the driver believes to be ready may have been removed by somebody: the next try looks. */
export async function orLookAnew<T>(ctx: StepContext, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof EngineNotFound)) throw error
    ctx.tools.networks.forget()
    throw new Retryable('engine.vanished', error.message, { cause: error })
  }
}

/**
 * After the engine container is gone. Of one that was starting when the engine went down an end may remain on a network;
 * it would hold its address, and the network, for ever.
 */
export async function leaveNetworks(ctx: StepContext): Promise<void> {
  for (const { data } of portsOf(ctx.op)) {
    await ctx.tools.engine.disconnect(ctx.op.container.uuid, data.networkId, { signal: ctx.signal })
  }
}

async function connectedTo(ctx: StepContext): Promise<ReadonlySet<string>> {
  const found = await ctx.tools.engine.inspect(ctx.op.container.uuid, { signal: ctx.signal })
  return new Set(found?.networks)
}

function held(ports: readonly HeldPort[]) {
  return { bindings: ports.map(({ uuid }) => ({ uuid, state: 'held' as const })) }
}
