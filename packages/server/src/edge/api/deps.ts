import type { FastifyInstance } from 'fastify'
import type { Identity } from '../../app/ports/identity.ts'
import type { Policy } from '../../app/ports/policy.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { Route } from './route.ts'

export interface ApiServerDeps {
  readonly identity: Identity
  readonly policy: Policy
  readonly log: Logger
  readonly routes: readonly Route[]
  /** Other HTTP trees on the same port, mounted beside the API's pipeline. */
  readonly mounts: readonly ((app: FastifyInstance) => void)[]
  readonly options: ApiServerOptions
}

export interface ApiServerOptions {
  /** Bytes of a request body; single routes may allow more. */
  readonly bodyLimit: number
  /** Base for links instead of the Host header, e.g. `https://cloud.example/container`; null: none. */
  readonly publicEndpoint: string | null
  readonly trustForwardedHeaders: boolean
  /** [cors] allowed_origin */
  readonly allowedOrigins: readonly string[]
  /** While this file exists the healthcheck says 503. */
  readonly healthcheckDisableFile: string
  /** Milliseconds for a request as a whole before the API answers 503, and for its body before it answers 408. */
  readonly requestTimeoutMs: number
}
