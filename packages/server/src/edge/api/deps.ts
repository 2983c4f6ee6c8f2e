import type { Endpoint } from '@zund/contract/api/endpoint.ts'
import type { FastifyInstance } from 'fastify'
import type { Identity } from '../../app/ports/identity.ts'
import type { Policy } from '../../app/ports/policy.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { TlsSource } from '../tls-source.ts'
import type { TerminalProxy } from '../wsproxy/terminal-proxy.ts'
import type { CorsOptions } from './cors.ts'
import type { PublicUrlOptions } from './public-url.ts'
import type { Route } from './route.ts'
import type { EventRepliesOptions } from './event-replies.ts'

export interface ApiServerDeps {
  readonly identity: Identity
  readonly policy: Policy
  readonly log: Logger
  readonly routes: readonly Route[]
  /** Other HTTP trees on the same port, mounted beside the API's pipeline. */
  readonly mounts: readonly Mount[]
  /** Terminals at the API's address; absent: none. */
  readonly terminals?: Pick<TerminalProxy, 'handleUpgrade'>
  /** Absent: the API is served in the clear. */
  readonly tls?: TlsSource | undefined
  readonly options: ApiServerOptions
}

export interface Mount {
  /** What of it belongs into the document. */
  readonly endpoints: readonly Endpoint[]
  mount(app: FastifyInstance): void
}

export interface ApiServerOptions extends PublicUrlOptions {
  /** Bytes of a request body; single routes may allow more. */
  readonly bodyLimit: number
  readonly cors: CorsOptions
  /** While this file exists the healthcheck says 503. */
  readonly healthcheckDisableFile: string
  /** Milliseconds for a request as a whole before the API answers 503, and for its body before it answers 408. */
  readonly requestTimeoutMs: number
  /** Of answers that stay open; absent: as clients expect it. */
  readonly streams?: Omit<EventRepliesOptions, 'log'>
}
