import { EngineRefused, InvalidInput } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'
import { shown } from '../fields.ts'
import { isEngineFailure } from './engine-errors.ts'
import { locate, type LiveDeps } from './locate.ts'

export async function listProcesses(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  psArgs: string | null,
): Promise<{ Titles: string[]; Processes: string[][] }> {
  const { container, host } = await locate(deps, ctx, ident, 'top')
  try {
    const { Titles, Processes } = await deps.gateway.top(host, container.uuid, psArgs, { signal: ctx.signal })
    return { Titles, Processes }
  } catch (error) {
    // The engine runs ps, and answers 500 when that does not like its arguments.
    if (psArgs === null || !(isEngineFailure(error) || error instanceof EngineRefused)) throw error
    throw new InvalidInput(
      `Invalid input for query parameters 'ps_args'. Value: '${shown(psArgs)}'. ${error.message}`,
      'invalid',
    )
  }
}
