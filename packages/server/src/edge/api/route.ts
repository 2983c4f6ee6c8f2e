import type { IncomingHttpHeaders } from 'node:http'
import type { Endpoint, Method } from '@zund/contract/api/endpoint.ts'
import type { Fields, Read } from '@zund/contract/fields/field.ts'
import type { Readable } from 'node:stream'
import type { RequestContext } from '../../app/context.ts'
import { readArguments, readHeader } from '../../app/fields.ts'
import type { Accept } from './accept.ts'
import type { ByteReply } from './byte-replies.ts'

/** A request as the pipeline has it. */
export interface RawCall {
  readonly ctx: RequestContext
  readonly params: Readonly<Record<string, string>>
  /** As it was sent. */
  readonly query: Query
  readonly body: Readonly<Record<string, unknown>>
  /** Query and body parameters together; the query wins (api-conventions 11). */
  readonly given: Readonly<Record<string, unknown>>
  /** As they were sent, by their names in small letters. */
  readonly headers: IncomingHttpHeaders
  /** Scheme and host for links, without a trailing slash. */
  readonly baseUrl: string
  readonly accept: Accept
  /** Of an endpoint that takes one: the body, from now on. To be called once. */
  readonly upload: () => Readable
  /** Aborted when the client has hung up, or the service stops and the request is to be answered before that. */
  readonly whileWaiting: () => AbortSignal
}

/** What a handler gets: `args` are read as the endpoint declares them. */
export interface Call<A extends Fields = Fields> extends RawCall {
  readonly args: Read<A>
  /** Those headers that the endpoint declares. */
  readonly declared: Readonly<Record<string, string>>
}

/** A parameter given several times is an array. */
export type Query = Readonly<Record<string, string | readonly string[]>>

export interface Reply {
  readonly status?: number
  /** undefined is the JSON value `null`; with 204 nothing is sent. */
  readonly body?: unknown
  /** Already encoded JSON; used instead of `body`. */
  readonly json?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes of a container, instead of a body. */
  readonly bytes?: ByteReply
  /** Pieces that are sent as they come, instead of a body, until it ends or the client goes. */
  readonly stream?: (signal: AbortSignal) => AsyncIterable<string>
}

/** One route of the public API. Several may share method and path with different version ranges. */
export interface Route {
  /** What it is in the contract, and in the document. */
  readonly endpoint: Endpoint
  readonly method: Method
  readonly path: string
  /** Minor versions, inclusive. */
  readonly minVersion?: number
  readonly maxVersion?: number
  /** Names a query may have; any other is a 400. Absent: unknown ones are ignored. */
  readonly query?: readonly string[]
  /** 415 unless the content type is JSON. */
  readonly requiresJson: boolean
  /** Bytes; default is the server's. */
  readonly bodyLimit?: number
  handle(call: RawCall): Promise<Reply>
}

/** The route of an endpoint: requests are let through, and read, as that declares them. */
export function route<A extends Fields>(
  endpoint: Endpoint & { readonly args: A },
  handle: (call: Call<A>) => Promise<Reply>,
  more: Pick<Route, 'bodyLimit'> = {},
): Route {
  const { method, path, since, until, args, strict, queryOnly = false, requiresJson = false } = endpoint
  return {
    endpoint,
    method,
    path,
    ...(since === undefined ? {} : { minVersion: since }),
    ...(until === undefined ? {} : { maxVersion: until }),
    ...(strict ? { query: Object.keys(args) } : {}),
    requiresJson,
    ...more,
    handle: async (call) =>
      await handle({
        ...call,
        args: readArguments(args, queryOnly ? call.query : call.given, call.ctx.minor),
        declared: readHeaders(endpoint, call),
      }),
  }
}

function readHeaders(
  { headers: declared = {} }: Endpoint,
  { headers, ctx }: Pick<RawCall, 'headers' | 'ctx'>,
): Record<string, string> {
  const read: Record<string, string> = {}
  for (const [name, field] of Object.entries(declared)) {
    const value = headers[name]
    if (value !== undefined) read[name] = readHeader(field, value, name, ctx.minor)
  }
  return read
}
