/** What is read of a live container without an end that is known. */
import { Transform, type Readable } from 'node:stream'
import { OutputFrames } from '../../lib/output-frames.ts'
import type { PathStat, StatsSample } from '../../orchestration/ports/engine.ts'
import type { RequestContext } from '../context.ts'
import { archiveError } from '../live/archive.ts'
import { locate, type LiveDeps } from '../live/locate.ts'
import type { LogsQuery } from '../live/logs.ts'
import { toStats } from '../live/stats.ts'
import type { StreamDialer } from '../ports/stream-dialer.ts'
import type { OpenStreams } from './open-streams.ts'

export interface StreamDeps extends LiveDeps {
  readonly dialer: StreamDialer
  readonly streams: OpenStreams
}

/** `framed` is what was wanted: a container with a terminal has nothing to put into frames. */
export async function followLogs(
  deps: StreamDeps,
  ctx: RequestContext,
  ident: string,
  { framed, ...query }: LogsQuery & { readonly framed: boolean },
): Promise<{ readonly tty: boolean; readonly bytes: Readable }> {
  const { container, host } = await locate(deps, ctx, ident, 'logs')
  const none = !query.stdout && !query.stderr
  const request = { ...query, stdout: none || query.stdout, stderr: none || query.stderr }
  const { tty, bytes } = await opened(deps, ctx, async (o) => {
    const log = await deps.dialer.logs(host, container.uuid, request, o)
    return { ...log, source: log.bytes }
  })
  return { tty, bytes: tty || framed ? bytes : through(bytes, payloads()) }
}

/** One JSON text a line. */
export async function followStats(deps: StreamDeps, ctx: RequestContext, ident: string): Promise<Readable> {
  const { container, host } = await locate(deps, ctx, ident, 'stats')
  const { source } = await opened(deps, ctx, async (o) => ({
    source: await deps.dialer.stats(host, container.uuid, o),
  }))
  const name = container.name ?? container.uuid
  const lines = new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform: (sample: StatsSample, _, done) => done(null, `${JSON.stringify(toStats(name, sample))}\n`),
  })
  return through(source, lines)
}

export async function downloadArchive(
  deps: StreamDeps,
  ctx: RequestContext,
  ident: string,
  path: string,
): Promise<{ readonly stat: PathStat; readonly tar: Readable }> {
  const { container, host } = await locate(deps, ctx, ident, 'get_archive')
  try {
    return await opened(deps, ctx, async (o) => {
      const archive = await deps.dialer.getArchive(host, container.uuid, path, o)
      return { ...archive, source: archive.tar }
    })
  } catch (error) {
    throw archiveError(error, path)
  }
}

/** `begin` gives the body, once there is nothing against the request. From then on it has no deadline as a whole. */
export async function uploadArchive(
  deps: StreamDeps,
  ctx: RequestContext,
  ident: string,
  { path, begin }: { readonly path: string; readonly begin: () => Readable },
): Promise<void> {
  const { container, host } = await locate(deps, ctx, ident, 'put_archive')
  const leave = deps.streams.enter(ctx)
  const opening = openingOf(ctx.signal)
  try {
    const taken = (): Readable => {
      opening.done()
      return begin()
    }
    await deps.dialer.putArchive(host, container.uuid, path, taken, { signal: opening.signal })
  } catch (error) {
    throw archiveError(error, path)
  } finally {
    opening.done()
    leave()
  }
}

/** The request's deadline is for the opening; afterwards whoever has the stream destroys it. */
async function opened<T extends { readonly source: Readable }>(
  deps: StreamDeps,
  ctx: RequestContext,
  open: (o: { signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const leave = deps.streams.enter(ctx)
  const opening = openingOf(ctx.signal)
  try {
    const made = await open({ signal: opening.signal })
    made.source.once('close', leave)
    if (made.source.destroyed) leave()
    return made
  } catch (error) {
    leave()
    throw error
  } finally {
    opening.done()
  }
}

function openingOf(deadline: AbortSignal): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController()
  const giveUp = (): void => controller.abort(deadline.reason)
  if (deadline.aborted) giveUp()
  deadline.addEventListener('abort', giveUp, { once: true })
  return { signal: controller.signal, done: () => deadline.removeEventListener('abort', giveUp) }
}

/** As a pipeline, but an end that comes too early is an error of the result. */
function through(source: Readable, change: Transform): Transform {
  source.on('error', (error) => change.destroy(error))
  source.on('close', () => {
    if (!source.readableEnded) change.destroy(source.errored ?? new Error('the stream broke off'))
  })
  change.on('close', () => source.destroy())
  return source.pipe(change)
}

function payloads(): Transform {
  const frames = new OutputFrames()
  return new Transform({
    transform: (chunk: Buffer, _, done) => {
      const parts = frames.take(chunk).map(({ payload }) => payload)
      done(null, parts.length === 1 ? parts[0] : Buffer.concat(parts))
    },
  })
}
