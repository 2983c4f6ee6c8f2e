import { Conflict } from '../../domain/errors.ts'
import type { ExecResult } from '../../orchestration/ports/engine.ts'
import type { RequestContext } from '../context.ts'
import { locate, type LiveDeps, type Located } from './locate.ts'
import { terminalUrl } from './terminal-url.ts'

export interface ExecuteRequest {
  /** Words, handed to the engine as they are: no shell sees them. */
  readonly command: readonly string[]
  readonly interactive: boolean
  /** On a terminal; absent: if it is interactive. */
  readonly tty?: boolean
}

export interface Executed {
  readonly output: string | null
  readonly exit_code: number | null
  readonly exec_id: string | null
  readonly proxy_url: string | null
}

const CUT = '\n[the output is longer; it was cut here]\n'

/** Runs a command to its end and answers with its output. */
export async function executeAndWait(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  request: ExecuteRequest,
): Promise<Executed> {
  const located = await locate(deps, ctx, ident, 'execute')
  const { output, exitCode, truncated } = await run(deps, ctx, located, request)
  const text = output.toString('utf8')
  return { output: truncated ? text + CUT : text, exit_code: exitCode, exec_id: null, proxy_url: null }
}

async function run(
  deps: LiveDeps,
  ctx: RequestContext,
  { container, host }: Located,
  request: ExecuteRequest,
): Promise<ExecResult> {
  const { executeTimeoutMs: timeoutMs, maxOutputBytes: maxBytes } = deps.options
  const deadline = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([ctx.signal, deadline])
  try {
    return await deps.gateway.execute(host, container.uuid, { ...request, timeoutMs, maxBytes }, { signal })
  } catch (error) {
    if (!deadline.aborted || ctx.signal.aborted) throw error
    throw new Conflict(
      `The command did not end within ${timeoutMs / 1000} s; it may still be running. Use run=false for long commands.`,
    )
  }
}

/** Only prepares the command: it starts when a terminal connects to the URL. */
export async function executeDetached(
  deps: LiveDeps,
  ctx: RequestContext,
  ident: string,
  request: ExecuteRequest,
): Promise<Executed> {
  const located = await locate(deps, ctx, ident, 'execute')
  const execId = await deps.gateway.createExec(located.host, located.container.uuid, request, { signal: ctx.signal })
  const proxyUrl = await terminalUrl(deps, ctx, located, { verb: 'exec', execId })
  return { output: null, exit_code: null, exec_id: execId, proxy_url: proxyUrl }
}
