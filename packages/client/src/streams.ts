/** Calls whose answer, or whose body, has no end that is known: docs/api/streams.md. */
import type { Stats } from '@zund/contract/api/live.ts'
import { LIVE_ENDPOINTS, MULTIPLEXED, NDJSON, TAR, TEXT } from '@zund/contract/api/endpoints/live.ts'
import { requestOf, type AnyInput, type CallOptions, type HttpRequest, type Input } from './call.ts'
import { ConnectionError } from './errors.ts'

/** What a request may have as its body. */
export type Upload = NonNullable<RequestInit['body']>

type Place = { readonly ident: string; readonly query: { readonly path: string } }

/** What was written: `stderr` is told apart unless the container has a terminal. */
export interface Output {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Uint8Array
}

export interface PathStat {
  readonly name: string
  readonly size: number
  readonly mode: number
  readonly mtime: string
  readonly linkTarget: string
}

export interface StreamMethods {
  /** Until the container ends; leaving the loop closes the connection. */
  followLogs(
    input: Omit<Input<typeof LIVE_ENDPOINTS.readLogs>, 'follow'>,
    o?: CallOptions,
  ): AsyncGenerator<Output, void, undefined>
  followStats(input: { readonly ident: string }, o?: CallOptions): AsyncGenerator<Stats, void, undefined>
  /** A tar of any size. */
  downloadArchive(
    input: Place,
    o?: CallOptions,
  ): Promise<{ readonly stat: PathStat; readonly tar: ReadableStream<Uint8Array> }>
  /** Resolves when all of it is unpacked. */
  uploadArchive(input: Place & { readonly tar: Upload | AsyncIterable<Uint8Array> }, o?: CallOptions): Promise<void>
}

export interface StreamRequest extends HttpRequest {
  readonly upload?: Upload
}

/** `open` gives an answer whose status is a success, and whose body is not read. */
export function streamMethods(
  open: (request: StreamRequest, signal: AbortSignal | undefined) => Promise<Response>,
): StreamMethods {
  const { readLogs, readStats, getArchive, uploadArchive } = LIVE_ENDPOINTS
  return {
    async *followLogs(input, o = {}) {
      const query = { ...(input as AnyInput).query, follow: true }
      const request = requestOf(readLogs, { ...input, query })
      const answer = await open({ ...request, headers: { accept: `${MULTIPLEXED}, ${TEXT};q=0.5` } }, o.signal)
      const isFramed = answer.headers.get('content-type')?.startsWith(MULTIPLEXED) === true
      if (isFramed) yield* outputs(chunksOf(answer))
      else for await (const bytes of chunksOf(answer)) yield { stream: 'stdout', bytes }
    },
    async *followStats(input, o = {}) {
      const request = requestOf(readStats, { ...input, query: { stream: true } })
      const answer = await open({ ...request, headers: { accept: NDJSON } }, o.signal)
      const decoder = new TextDecoder()
      let rest = ''
      for await (const chunk of chunksOf(answer)) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) yield JSON.parse(line) as Stats
      }
    },
    async downloadArchive(input, o = {}) {
      const answer = await open({ ...requestOf(getArchive, { ...input }), headers: { accept: TAR } }, o.signal)
      const told = answer.headers.get('x-docker-container-path-stat')
      if (told === null || answer.body === null) throw new ConnectionError(`getArchive: the answer is no archive`)
      return { stat: JSON.parse(atob(told)) as PathStat, tar: answer.body }
    },
    async uploadArchive({ tar, ident, query }, o = {}) {
      const request = requestOf(uploadArchive, { ident, query })
      const upload =
        typeof tar === 'object' && Symbol.asyncIterator in tar && !(tar instanceof ReadableStream)
          ? ReadableStream.from(tar)
          : tar
      const answer = await open({ ...request, headers: { 'content-type': TAR }, upload: upload as Upload }, o.signal)
      await answer.text()
    },
  }
}

function chunksOf({ body }: Response): AsyncIterable<Uint8Array> {
  return body ?? ReadableStream.from<Uint8Array>([])
}

const HEADER = 8

/** Frames of stream, three zero bytes, length and payload. A payload is passed on as it comes. */
async function* outputs(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Output, void, undefined> {
  const header = new Uint8Array(HEADER)
  let headerBytes = 0
  let left = 0
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const bytes = chunk.subarray(at, at + left)
        left -= bytes.length
        at += bytes.length
        yield { stream: header[0] === 2 ? 'stderr' : 'stdout', bytes }
        continue
      }
      const part = chunk.subarray(at, at + HEADER - headerBytes)
      header.set(part, headerBytes)
      headerBytes += part.length
      at += part.length
      if (headerBytes < HEADER) continue
      headerBytes = 0
      left = new DataView(header.buffer).getUint32(4)
    }
  }
}
