import { LIVE_ENDPOINTS as ENDPOINTS, MULTIPLEXED, NDJSON, RAW, TAR, TEXT } from '@zund/contract/api/endpoints/live.ts'
import type { RequestContext } from '../../../../app/context.ts'
import type { LogsQuery } from '../../../../app/live/logs.ts'
import {
  downloadArchive,
  followLogs,
  followStats,
  uploadArchive,
  type StreamDeps,
} from '../../../../app/streams/follow.ts'
import type { Accept } from '../../accept.ts'
import { route, type Reply, type Route } from '../../route.ts'

/** Where the path of an archive is described, as engines do it. */
const STAT_HEADER = 'X-Docker-Container-Path-Stat'

/** The forms without an end of calls that have one, too (docs/api/streams.md). */
export class StreamForms {
  readonly #deps: StreamDeps

  constructor(deps: StreamDeps) {
    this.#deps = deps
  }

  async logs(ctx: RequestContext, ident: string, query: LogsQuery, accept: Accept): Promise<Reply> {
    const framed = accept.names(MULTIPLEXED)
    if (!framed) accept.require(TEXT)
    const { tty, bytes } = await followLogs(this.#deps, ctx, ident, { ...query, framed })
    return { bytes: { type: framed ? (tty ? RAW : MULTIPLEXED) : TEXT, source: bytes, isWhole: false } }
  }

  async stats(ctx: RequestContext, ident: string, accept: Accept): Promise<Reply> {
    accept.require(NDJSON)
    return { bytes: { type: NDJSON, source: await followStats(this.#deps, ctx, ident), isWhole: false } }
  }

  async archive(ctx: RequestContext, ident: string, path: string): Promise<Reply> {
    const { stat, tar } = await downloadArchive(this.#deps, ctx, ident, path)
    const told = Buffer.from(JSON.stringify(stat)).toString('base64')
    return { headers: { [STAT_HEADER]: told }, bytes: { type: TAR, source: tar, isWhole: true } }
  }

  routes(): Route[] {
    return [
      route(ENDPOINTS.uploadArchive, async ({ ctx, params, args, upload }) => {
        await uploadArchive(this.#deps, ctx, params['ident'] ?? '', { path: args.path, begin: upload })
        return {}
      }),
    ]
  }
}
