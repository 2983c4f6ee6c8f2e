import {
  ApiError,
  Conflict,
  Forbidden,
  InvalidInput,
  messageOf,
  NotFound,
  Retryable,
  Unauthorized,
  Unavailable,
  ZunError,
} from '../../domain/errors.ts'
import type { ServiceType } from './call.ts'

/** Seconds after which a caller may try again what another service could not answer. */
const RETRY_AFTER_S = 10

/** Another service has answered, with a status of 400 or more. */
export class OpenStackError extends ZunError {
  readonly service: ServiceType
  readonly status: number
  /** The kind of error in the other service's words, where it has any: `IpAddressInUse`, `placement.concurrent_update`. */
  readonly type: string | null
  /** Its own text, without ours around it. */
  readonly reason: string
  /** It was asked with the token of the caller, and not with that of the service. */
  readonly asCaller: boolean

  constructor(answer: {
    service: ServiceType
    status: number
    type: string | null
    reason: string
    asked: string
    asCaller: boolean
  }) {
    const { service, status, type, reason, asked, asCaller } = answer
    super(`openstack.${status}`, `${SPOKEN[service]} answered ${status} to ${asked}: ${reason}`)
    this.service = service
    this.status = status
    this.type = type
    this.reason = reason
    this.asCaller = asCaller
  }
}

/** No answer, none in time, none that means anything, or none to our own login. Whether it had an effect is unknown. */
export class OpenStackUnreachable extends ZunError {
  readonly service: ServiceType

  constructor(service: ServiceType, why: string, options?: { cause?: unknown }) {
    super('openstack.unreachable', `${SPOKEN[service]} ${why}`, options)
    this.service = service
  }
}

/** As users know them. */
export const SPOKEN: Readonly<Record<ServiceType, string>> = {
  identity: 'the identity service',
  image: 'the image service',
  network: 'the network service',
  volumev3: 'the volume service',
  placement: 'the placement service',
}

/** Trying again later may help: there was no answer, or one that speaks of the other service's own state. */
export function isAway(error: unknown): error is OpenStackError | OpenStackUnreachable {
  if (error instanceof OpenStackUnreachable) return true
  return error instanceof OpenStackError && (error.status >= 500 || error.status === 429 || error.status === 408)
}

/** For use cases: a 503 when the other service is away. Everything else comes back as it was. */
export function toUnavailable(error: unknown): unknown {
  if (error instanceof ApiError || !isAway(error)) return error
  return unavailable(error)
}

/**
 * For use cases: what the other service says to the caller, who then hears it in its words; a 503 when it is away. Everything else
 * comes back as it was.
 */
export function refusalFor(error: unknown): unknown {
  const told = toUnavailable(error)
  if (!(told instanceof OpenStackError)) return told
  const { service, status, reason, asCaller } = told
  // Of our own token: the caller can do nothing about it.
  if (status === 401) return asCaller ? new Unauthorized({ cause: told }) : unavailable(told)
  const why = `T${SPOKEN[service].slice(1)} refuses it: ${reason}`
  if (status === 403 || status === 413) return new Forbidden(why)
  if (status === 404) return new NotFound(why)
  if (status === 409) return new Conflict(why)
  return new InvalidInput(why)
}

function unavailable(error: OpenStackError | OpenStackUnreachable): Unavailable {
  const message = `Because ${SPOKEN[error.service]} is not available, the request could not be served.`
  return new Unavailable(message, { cause: error, retryAfterS: RETRY_AFTER_S })
}

/** For steps: Retryable when the other service is away. Everything else comes back as it was. */
export function toRetryable(error: unknown): unknown {
  if (!isAway(error)) return error
  return new Retryable(`${error.service}.unavailable`, messageOf(error), { cause: error })
}
