/** The steps that change whether a container runs. */
import { EngineNotFound, EngineRemains, Retryable } from '../../domain/errors.ts'
import type { Observation } from '../ports/wire.ts'
import { activatePorts, leaveNetworks } from './networks.ts'
import { hasRunAndGone, isCapsule, isLive, look, portsOf, type Step, type StepContext } from './step.ts'

async function lookOrFail(ctx: StepContext): Promise<Observation> {
  const seen = ctx.brought.seen ?? (await look(ctx))
  if (seen === undefined) throw new EngineNotFound(`No such container: ${ctx.op.container.engineId ?? 'never created'}`)
  return seen
}

interface StartMark {
  readonly startedAtMs: number | null
}

/** True when the container was started since the mark was noted, even if it has exited again. */
function startedSince(ctx: StepContext, seen: Observation): boolean {
  if (!ctx.wasStarted || ctx.mark === null || typeof ctx.mark !== 'object') return false
  return seen.startedAtMs !== null && seen.startedAtMs !== (ctx.mark as StartMark).startedAtMs
}

const noteStart = async (ctx: StepContext): Promise<StartMark> => ({
  startedAtMs: (await lookOrFail(ctx)).startedAtMs,
})

export const startContainer: Step = {
  name: 'startContainer',
  repeat: 'safe',
  async observe(ctx) {
    if (ctx.wasStarted && (await hasRunAndGone(ctx))) return {}
    const seen = await lookOrFail(ctx)
    return isLive(seen) || startedSince(ctx, seen) ? { seen } : undefined
  },
  mark: noteStart,
  async apply(ctx) {
    const { engine, gate } = ctx.tools
    // One that goes down has ended it itself. What it starts then is cut off in the middle, and may never start again.
    if (ctx.op.params.byService === true) await engine.ping({ signal: ctx.signal })
    await activatePorts(ctx, portsOf(ctx.op))
    await gate.run(ctx.signal, () =>
      startOrBeginAnew(ctx, () =>
        onItsNetworks(ctx, () => engine.start(ctx.op.container.uuid, { signal: ctx.signal })),
      ),
    )
    return await afterwards(ctx)
  },
}

/**
 * A network that somebody removed is missed only now. It is made again, and the container connected anew: an engine
 * remembers networks by its own ids, not by their names.
 */
async function onItsNetworks(ctx: StepContext, start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    const ports = portsOf(ctx.op)
    if (!(error instanceof EngineNotFound) || ports.length === 0 || (await look(ctx)) === undefined) throw error
    await connectAnew(ctx)
    await start()
  }
}

async function connectAnew(ctx: StepContext): Promise<void> {
  const { engine, networks } = ctx.tools
  const o = { signal: ctx.signal }
  networks.forget()
  for (const { data } of portsOf(ctx.op)) {
    const endpoint = await networks.prepare(data, o)
    await engine.disconnect(ctx.op.container.uuid, data.networkId, o)
    await engine.connect(ctx.op.container.uuid, endpoint, o)
  }
}

/** One that this operation has made and that never ran has nothing to lose: it is made once more. */
async function startOrBeginAnew(ctx: StepContext, start: () => Promise<void>): Promise<void> {
  try {
    await start()
  } catch (error) {
    const isNew = ctx.op.verb === 'create' || ctx.op.verb === 'rebuild'
    if (!(error instanceof EngineRemains)) throw error
    if (isCapsule(ctx.op) && !isNew) {
      // Its members have joined this one and no other. Of a start that the engine went down in, its end of a network is left.
      await connectAnew(ctx)
      throw new Retryable('engine.remains', error.message, { cause: error })
    }
    if (!isNew) throw error
    await ctx.tools.engine.remove(ctx.op.container.uuid, true, { signal: ctx.signal })
    delete ctx.brought.seen
    await leaveNetworks(ctx)
    throw new Retryable('engine.remains', error.message, { cause: error, afterMs: 0 })
  }
}

export const stopContainer: Step = {
  name: 'stopContainer',
  repeat: 'safe',
  async observe(ctx) {
    const seen = await look(ctx)
    if (seen === undefined) {
      // Part of a delete: gone is as good as stopped.
      if (ctx.op.verb === 'delete') return {}
      throw new EngineNotFound(`No such container: ${ctx.op.container.engineId ?? 'never created'}`)
    }
    return isLive(seen) ? undefined : { seen }
  },
  async apply(ctx) {
    const timeoutS = ctx.op.params.timeoutS ?? null
    await ctx.tools.engine.stop(ctx.op.container.uuid, timeoutS, { signal: ctx.signal })
    return await afterwards(ctx)
  },
}

/** Done when StartedAt moved. Comparing clocks would not work: the engine's clock is not ours. */
export const restartContainer: Step = {
  name: 'restartContainer',
  repeat: 'safe',
  async observe(ctx) {
    if (ctx.wasStarted && (await hasRunAndGone(ctx))) return {}
    const seen = await lookOrFail(ctx)
    return startedSince(ctx, seen) ? { seen } : undefined
  },
  mark: noteStart,
  async apply(ctx) {
    const { engine, gate } = ctx.tools
    const timeoutS = ctx.op.params.timeoutS ?? null
    const restart = (): Promise<void> => engine.restart(ctx.op.container.uuid, timeoutS, { signal: ctx.signal })
    await gate.run(ctx.signal, () => onItsNetworks(ctx, restart))
    return await afterwards(ctx)
  },
}

export const pauseContainer: Step = {
  name: 'pauseContainer',
  repeat: 'safe',
  async observe(ctx) {
    const seen = await lookOrFail(ctx)
    return seen.state === 'paused' ? { seen } : undefined
  },
  async apply(ctx) {
    await ctx.tools.engine.pause(ctx.op.container.uuid, { signal: ctx.signal })
    return await afterwards(ctx)
  },
}

export const unpauseContainer: Step = {
  name: 'unpauseContainer',
  repeat: 'safe',
  async observe(ctx) {
    const seen = await lookOrFail(ctx)
    return seen.state === 'running' ? { seen } : undefined
  },
  async apply(ctx) {
    await ctx.tools.engine.unpause(ctx.op.container.uuid, { signal: ctx.signal })
    return await afterwards(ctx)
  },
}

/** Milliseconds to give a process to die of a signal before the answer is taken as "it lives on". */
const KILL_SETTLE_MS = 1_000
const KILL_POLL_MS = 25

/** A signal cannot be observed afterwards, so it is never sent twice. */
export const killContainer: Step = {
  name: 'killContainer',
  repeat: 'never',
  async observe() {
    return undefined
  },
  async apply(ctx) {
    const { engine, clock } = ctx.tools
    await engine.kill(ctx.op.container.uuid, ctx.op.params.signal ?? null, { signal: ctx.signal })
    const deadline = clock.now() + KILL_SETTLE_MS
    for (;;) {
      const seen = await look(ctx)
      // SIGHUP and the like may well leave it running; then the last look says so.
      if (seen === undefined || seen.state !== 'running' || clock.now() >= deadline) {
        return seen === undefined ? {} : { seen }
      }
      await clock.sleep(KILL_POLL_MS, ctx.signal)
    }
  },
}

async function afterwards(ctx: StepContext) {
  const seen = await look(ctx)
  return seen === undefined ? {} : { seen }
}
