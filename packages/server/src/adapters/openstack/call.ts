/** How another service of the cloud is asked. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

/** The type under which a service stands in the catalogue; those it is also known by are tried, too. */
export type ServiceType = 'identity' | 'image' | 'network' | 'volumev3' | 'placement'

export interface OpenStackCall {
  readonly service: ServiceType
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the endpoint of the catalogue, with its version where that has none: `/v2.0/ports`. Parts are encoded. */
  readonly path: string
  /** A list is sent as several parameters of the same name. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  /** JSON; a Readable is sent as it is, and once only: such a call is not repeated. */
  readonly body?: unknown
  /** The caller's: what is asked is asked as they, and our own token goes along as X-Service-Token. Absent: as we. */
  readonly userToken?: string
  /** Our own token goes along as X-Service-Token even when nothing is asked for a user: some calls only services may make. */
  readonly asService?: boolean
  /** Project of `userToken`, for services whose endpoint names the project. */
  readonly projectId?: string | null
  /** Without the name of the service: `3.60`. */
  readonly microversion?: string
  /** Of the request that this one is made for, so that both are found in the logs of the other service. */
  readonly requestId?: string
  readonly signal: AbortSignal
  /** Milliseconds for the whole call, for a stream until something moves again. Absent: the session's. */
  readonly timeoutMs?: number
}

export interface OpenStackAnswer<T> {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As the other side has sent it, undefined when that was nothing: to be checked by whoever reads it. */
  readonly body: T
}

export interface OpenStackStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Fails with OpenStackUnreachable when it breaks off. To be read or destroyed. */
  readonly body: Readable
}

/** All that the clients of single services need. */
export interface OpenStack {
  json<T = unknown>(call: OpenStackCall): Promise<OpenStackAnswer<T>>
  stream(call: OpenStackCall): Promise<OpenStackStream>
}
