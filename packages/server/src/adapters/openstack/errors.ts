import { ApiError, messageOf, Retryable, Unavailable, ZunError } from '../../domain/errors.ts'
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

  constructor(answer: { service: ServiceType; status: number; type: string | null; reason: string; asked: string }) {
    const { service, status, type, reason, asked } = answer
    super(`openstack.${status}`, `${SPOKEN[service]} answered ${status} to ${asked}: ${reason}`)
    this.service = service
    this.status = status
    this.type = type
    this.reason = reason
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
  const message = `Because ${SPOKEN[error.service]} is not available, the request could not be served.`
  return new Unavailable(message, { cause: error, retryAfterS: RETRY_AFTER_S })
}

/** For steps: Retryable when the other service is away. Everything else comes back as it was. */
export function toRetryable(error: unknown): unknown {
  if (!isAway(error)) return error
  return new Retryable(`${error.service}.unavailable`, messageOf(error), { cause: error })
}
