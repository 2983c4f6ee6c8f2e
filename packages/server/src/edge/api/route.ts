import type { RequestContext } from '../../app/context.ts'

/** What a handler gets. `args` holds query and body parameters together; the query wins (api-conventions 11). */
export interface Call {
  readonly ctx: RequestContext
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Readonly<Record<string, unknown>>
  readonly args: Readonly<Record<string, unknown>>
  /** Scheme and host for links, without a trailing slash. */
  readonly baseUrl: string
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
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * One route of the public API. Several may share method and path with different version ranges.
 *
 * `path` is written as `/v1/containers/:ident/start`; a segment that begins with `:` matches any one segment, `*` at the
 * end matches the rest (given as parameter `rest`).
 */
export interface Route {
  readonly method: Method
  readonly path: string
  /** Minor versions, inclusive. */
  readonly minVersion?: number
  readonly maxVersion?: number
  /** Names a query may have; any other is a 400. Absent: unknown ones are ignored. */
  readonly query?: readonly string[]
  /** 415 unless the content type is JSON. */
  readonly requiresJson?: boolean
  /** Bytes; default is the server's. */
  readonly bodyLimit?: number
  handle(call: Call): Promise<Reply>
}
