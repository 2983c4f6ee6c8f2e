import { LIVE_ENDPOINTS as ENDPOINTS, TAR } from '@zund/contract/api/endpoints/live.ts'
import type { Archive, Executed, Stats, Top } from '@zund/contract/api/live.ts'
import { getArchive, putArchive } from '../../../../app/live/archive.ts'
import { attachBeforeStart, attachTerminal } from '../../../../app/live/attach.ts'
import { executeAndWait, executeDetached } from '../../../../app/live/execute.ts'
import type { StreamDeps } from '../../../../app/streams/follow.ts'
import { readLogs } from '../../../../app/live/logs.ts'
import { readStats } from '../../../../app/live/stats.ts'
import { resizeExecTerminal, resizeTerminal } from '../../../../app/live/terminal-size.ts'
import { listProcesses } from '../../../../app/live/top.ts'
import { ApiError } from '../../../../domain/errors.ts'
import { route, type Route } from '../../route.ts'
import { parseCommand } from './parse-command.ts'
import { parseSince, parseTail } from './parse-log-query.ts'
import { StreamForms } from './stream-routes.ts'

/** A body's JSON around the archive, and line breaks in its base64. */
const BODY_SLACK = 64 * 1024
const JSON_TYPE = 'application/json'

/** Routes that look into a live container, through its host. */
export function liveRoutes(deps: StreamDeps): Route[] {
  const streams = new StreamForms(deps)
  return [...readRoutes(deps, streams), ...terminalRoutes(deps), ...archiveRoutes(deps, streams), ...streams.routes()]
}

function readRoutes(deps: StreamDeps, streams: StreamForms): Route[] {
  return [
    route(ENDPOINTS.readLogs, async ({ ctx, params, args, accept }) => {
      const query = {
        stdout: args.stdout ?? true,
        stderr: args.stderr ?? true,
        timestamps: args.timestamps ?? false,
        tail: parseTail(args.tail),
        since: parseSince(args.since),
      }
      if (args.follow === true) return await streams.logs(ctx, params['ident'] ?? '', query, accept)
      accept.require(JSON_TYPE)
      return { body: await readLogs(deps, ctx, params['ident'] ?? '', query) }
    }),
    // Old clients know this one by its status; elsewhere a wrong method of an action is a 404.
    route(ENDPOINTS.putLogs, async () => {
      throw new ApiError(405, '', 'Logs are only read: the method is GET.')
    }),
    route(ENDPOINTS.listProcesses, async ({ ctx, params, args }) => {
      const psArgs = args.ps_args === undefined || args.ps_args === '' ? null : args.ps_args
      const body: Top = await listProcesses(deps, ctx, params['ident'] ?? '', psArgs)
      return { body }
    }),
    route(ENDPOINTS.readStats, async ({ ctx, params, args, accept }) => {
      if (args.stream === true) return await streams.stats(ctx, params['ident'] ?? '', accept)
      accept.require(JSON_TYPE)
      const body: Stats = await readStats(deps, ctx, params['ident'] ?? '')
      return { body }
    }),
  ]
}

function terminalRoutes(deps: StreamDeps): Route[] {
  return [
    route(ENDPOINTS.execute, async ({ ctx, params, args }) => {
      const { interactive = false, tty } = args
      const request = { command: parseCommand(args.command), interactive, ...(tty === undefined ? {} : { tty }) }
      const run = (args.run ?? true) ? executeAndWait : executeDetached
      const body: Executed = await run(deps, ctx, params['ident'] ?? '', request)
      return { body }
    }),
    route(ENDPOINTS.resizeExecution, async ({ ctx, params, args: { exec_id: execId, h, w } }) => {
      await resizeExecTerminal(deps, ctx, params['ident'] ?? '', execId, { rows: h, columns: w })
      return {}
    }),
    route(ENDPOINTS.attach, async ({ ctx, params, args }) => {
      const attach = (args.before_start ?? false) ? attachBeforeStart : attachTerminal
      return { body: await attach(deps, ctx, params['ident'] ?? '') }
    }),
    route(ENDPOINTS.resizeTerminal, async ({ ctx, params, args: { h, w } }) => {
      await resizeTerminal(deps, ctx, params['ident'] ?? '', { rows: h, columns: w })
      return {}
    }),
  ]
}

function archiveRoutes(deps: StreamDeps, streams: StreamForms): Route[] {
  const bodyLimit = Math.ceil((deps.options.maxArchiveBytes * 4) / 3) + BODY_SLACK
  return [
    route(ENDPOINTS.getArchive, async ({ ctx, params, args, accept }) => {
      if (accept.names(TAR)) return await streams.archive(ctx, params['ident'] ?? '', args.path)
      accept.require(JSON_TYPE)
      const body: Archive = await getArchive(deps, ctx, params['ident'] ?? '', args.path)
      return { body }
    }),
    route(
      ENDPOINTS.putArchive,
      async ({ ctx, params, args }) => {
        await putArchive(deps, ctx, params['ident'] ?? '', args.path, args.data)
        return {}
      },
      { bodyLimit },
    ),
  ]
}
