import { InvalidInput } from '../../domain/errors.ts'
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
