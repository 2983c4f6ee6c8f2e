import type { RequestContext } from '../context.ts'
import { locate, type LiveDeps } from './locate.ts'

export interface LogsQuery {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly timestamps: boolean
  /** Lines from the end; null: all. */
  readonly tail: number | null
  /** Epoch seconds; null: from the beginning. */
  readonly since: number | null
}

/** The log as text. Bytes that are not UTF-8 become replacement characters. */
export async function readLogs(deps: LiveDeps, ctx: RequestContext, ident: string, query: LogsQuery): Promise<string> {
  const { container, host } = await locate(deps, ctx, ident, 'logs')
  // Neither stream means both, as the client itself has it.
  const none = !query.stdout && !query.stderr
  const log = await deps.gateway.logs(
    host,
    container.uuid,
    {
      ...query,
      stdout: none || query.stdout,
      stderr: none || query.stderr,
      maxBytes: deps.options.maxOutputBytes,
    },
    { signal: ctx.signal },
  )
  return log.toString('utf8')
}
