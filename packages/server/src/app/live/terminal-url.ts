import type { RequestContext } from '../context.ts'
import type { StreamTarget } from '../ports/stream-tickets.ts'
import type { LiveDeps, Located } from './locate.ts'

/** URL of a terminal, with a ticket in it that can be used once. */
export async function terminalUrl(
  deps: LiveDeps,
  ctx: RequestContext,
  { container, host }: Located,
  stream: StreamTarget,
): Promise<string> {
  const userId = ctx.caller.userId
  const token = await deps.tickets.issue(
    { containerUuid: container.uuid, host, userId, stream },
    { signal: ctx.signal },
  )
  deps.log.info({ containerId: container.uuid, verb: stream.verb }, 'a terminal was granted')
  return `${baseUrlFor(deps, ctx)}?token=${token}&uuid=${container.uuid}${moreOf(stream)}`
}

function moreOf(stream: StreamTarget): string {
  if (stream.verb === 'exec') return `&exec_id=${stream.execId}`
  return stream.verb === 'before-start' ? '&before_start=true' : ''
}

/** A page under TLS may open nothing that is not, and behind a proxy the terminals' own port may be out of reach. */
function baseUrlFor({ options }: LiveDeps, { publicUrl }: RequestContext): string {
  if (publicUrl === null || !options.terminalsFollowApi) return options.terminalBaseUrl
  return `${publicUrl.replace(/^http/, 'ws')}/console`
}
