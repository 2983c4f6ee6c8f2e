import { getArchive, putArchive } from '../../../../app/live/archive.ts'
import { attachTerminal } from '../../../../app/live/attach.ts'
import { executeAndWait, executeDetached } from '../../../../app/live/execute.ts'
import { missing } from '../../../../app/fields.ts'
import type { LiveDeps } from '../../../../app/live/locate.ts'
import { readLogs } from '../../../../app/live/logs.ts'
import { readStats } from '../../../../app/live/stats.ts'
import { resizeExecTerminal, resizeTerminal } from '../../../../app/live/terminal-size.ts'
import { listProcesses } from '../../../../app/live/top.ts'
import type { TtySize } from '../../../../app/ports/host-gateway.ts'
import { ApiError } from '../../../../domain/errors.ts'
import {
  fieldError,
  narrowBoolean,
  optionalText,
  present,
  requiredText,
  requiredWholeNumber,
  wideBoolean,
} from '../../arguments.ts'
import type { Call, Route } from '../../route.ts'
import { parseCommand } from './parse-command.ts'
import { parseSince, parseTail } from './parse-log-query.ts'

const ITEM = '/v1/containers/:ident'

const EXEC_ID = /^[a-f0-9]{64}$/
/** Rows and columns of a terminal are 16 bits wide. */
const LARGEST_SIDE = 65_535
const NO_NUL = /^[^\0]*$/
const LONGEST_PATH = 4_096

/** A body's JSON around the archive, and line breaks in its base64. */
const BODY_SLACK = 64 * 1024

/** Routes that look into a live container, through its host. */
export function liveRoutes(deps: LiveDeps): Route[] {
  return [...readRoutes(deps), ...terminalRoutes(deps), ...archiveRoutes(deps)]
}

function readRoutes(deps: LiveDeps): Route[] {
  return [
    {
      method: 'GET',
      path: `${ITEM}/logs`,
      query: ['stdout', 'stderr', 'timestamps', 'tail', 'since'],
      handle: async ({ ctx, params, args }) => {
        const query = {
          stdout: wideBoolean(args, 'stdout', true),
          stderr: wideBoolean(args, 'stderr', true),
          timestamps: wideBoolean(args, 'timestamps', false),
          tail: parseTail(args),
          since: parseSince(args),
        }
        return { body: await readLogs(deps, ctx, params['ident'] ?? '', query) }
      },
    },
    {
      // Old clients know this one by its status; elsewhere a wrong method of an action is a 404.
      method: 'PUT',
      path: `${ITEM}/logs`,
      handle: async () => {
        throw new ApiError(405, '', 'Logs are only read: the method is GET.')
      },
    },
    {
      method: 'GET',
      path: `${ITEM}/top`,
      query: ['ps_args'],
      handle: async ({ ctx, params, args }) => {
        const psArgs = optionalText(args, 'ps_args', { max: 255, pattern: NO_NUL })
        return { body: await listProcesses(deps, ctx, params['ident'] ?? '', psArgs === '' ? null : (psArgs ?? null)) }
      },
    },
    {
      method: 'GET',
      path: `${ITEM}/stats`,
      handle: async ({ ctx, params }) => ({ body: await readStats(deps, ctx, params['ident'] ?? '') }),
    },
  ]
}

function terminalRoutes(deps: LiveDeps): Route[] {
  return [
    {
      method: 'POST',
      path: `${ITEM}/execute`,
      handle: async ({ ctx, params, args }) => {
        const request = { command: parseCommand(args), interactive: narrowBoolean(args, 'interactive', false) }
        const wait = narrowBoolean(args, 'run', true)
        return { body: await (wait ? executeAndWait : executeDetached)(deps, ctx, params['ident'] ?? '', request) }
      },
    },
    {
      method: 'POST',
      path: `${ITEM}/execute_resize`,
      query: ['exec_id', 'h', 'w'],
      handle: async ({ ctx, params, args }) => {
        const execId = requiredText(args, 'exec_id', { min: 64, max: 64, pattern: EXEC_ID })
        await resizeExecTerminal(deps, ctx, params['ident'] ?? '', execId, sizeOf(args))
        return {}
      },
    },
    {
      method: 'GET',
      path: `${ITEM}/attach`,
      handle: async ({ ctx, params }) => ({ body: await attachTerminal(deps, ctx, params['ident'] ?? '') }),
    },
    {
      method: 'POST',
      path: `${ITEM}/resize`,
      query: ['h', 'w'],
      handle: async ({ ctx, params, args }) => {
        await resizeTerminal(deps, ctx, params['ident'] ?? '', sizeOf(args))
        return {}
      },
    },
  ]
}

function archiveRoutes(deps: LiveDeps): Route[] {
  return [
    {
      method: 'GET',
      path: `${ITEM}/get_archive`,
      handle: async ({ ctx, params, args }) => ({
        body: await getArchive(deps, ctx, params['ident'] ?? '', pathOf(args)),
      }),
    },
    {
      method: 'POST',
      path: `${ITEM}/put_archive`,
      bodyLimit: Math.ceil((deps.options.maxArchiveBytes * 4) / 3) + BODY_SLACK,
      handle: async ({ ctx, params, args }) => {
        const path = pathOf(args)
        await putArchive(deps, ctx, params['ident'] ?? '', path, dataOf(args))
        return {}
      },
    },
  ]
}

function sizeOf(args: Call['args']): TtySize {
  const limits = { min: 1, max: LARGEST_SIDE }
  return { rows: requiredWholeNumber(args, 'h', limits), columns: requiredWholeNumber(args, 'w', limits) }
}

function pathOf(args: Call['args']): string {
  return requiredText(args, 'path', { max: LONGEST_PATH, pattern: NO_NUL })
}

/** Its size is the route's body limit; an empty archive is one too. */
function dataOf(args: Call['args']): string {
  const data = present(args['data'])
  if (typeof data === 'string') return data
  if (data !== undefined) throw fieldError('data', typeof data, 'It is not a string')
  throw missing('data')
}
