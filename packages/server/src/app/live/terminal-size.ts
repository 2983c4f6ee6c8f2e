import { EngineConflict, EngineNotFound, InvalidInput } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import type { TtySize } from '../ports/host-gateway.ts'
import { isEngineFailure, refusalAs400 } from './engine-errors.ts'
import { locate, type LiveDeps } from './locate.ts'

/** The terminal client swallows a 400 and dies of everything else, so whatever the engine has against it is a 400. */
export async function resizeTerminal(deps: LiveDeps, ctx: RequestContext, ident: string, size: TtySize): Promise<void> {
  const { container, host } = await locate(deps, ctx, ident, 'resize')
  try {
    await deps.gateway.resizeTty(host, container.uuid, size, { signal: ctx.signal })
  } catch (error) {
    throw asBadRequest(error)
  }
}

/** The exec starts when its terminal connects; a resize sent beside that may be here first. Milliseconds. */
const START_PATIENCE_MS = 500
const POLL_MS = 25

export async function resizeExecTerminal(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  execId: string,
  size: TtySize,
): Promise<void> {
  const { container, host } = await locate(deps, ctx, ident, 'execute_resize')
  const until = deps.clock.now() + START_PATIENCE_MS
  for (;;) {
    try {
      await deps.gateway.resizeExec(host, container.uuid, execId, size, { signal: ctx.signal })
      return
    } catch (error) {
      const notYet = error instanceof EngineNotFound || error instanceof EngineConflict
      if (!notYet || deps.clock.now() >= until) throw asBadRequest(error)
    }
    await deps.clock.sleep(POLL_MS, ctx.signal)
  }
}

function asBadRequest(error: unknown): unknown {
  return isEngineFailure(error) ? new InvalidInput(error.message, 'invalid') : refusalAs400(error)
}
