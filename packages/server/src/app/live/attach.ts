import type { Container } from '../../domain/container/types.ts'
import { InvalidInput } from '../../domain/errors.ts'
import { requireStatus } from '../containers/find.ts'
import type { RequestContext } from '../context.ts'
import { locate, type LiveDeps } from './locate.ts'
import { terminalUrl } from './terminal-url.ts'

/** URL at which the container's main program can be talked to. */
export async function attachTerminal(deps: LiveDeps, ctx: RequestContext, ident: string): Promise<string> {
  const located = await locate(deps, ctx, ident, 'attach', (container) => {
    if (container.spec.interactive) return
    throw new InvalidInput(
      `Container ${container.uuid} was not created with the interactive flag.`,
      'no-interactive-flag',
    )
  })
  return await terminalUrl(deps, ctx, located, { verb: 'attach' })
}

/**
 * The same of a program that does not run yet: whoever attaches first and starts it then misses nothing of what it says. One
 * without an input can be listened to.
 */
export async function attachBeforeStart(deps: LiveDeps, ctx: RequestContext, ident: string): Promise<string> {
  const located = await locate(deps, ctx, ident, 'attach', undefined, requireStartable)
  return await terminalUrl(deps, ctx, located, { verb: 'before-start' })
}

function requireStartable(container: Container): void {
  if (container.status !== 'Running') requireStatus(container, 'start')
}
