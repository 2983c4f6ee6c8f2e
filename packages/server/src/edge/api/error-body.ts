import { STATUS_CODES } from 'node:http'
import {
  ApiError,
  EngineConflict,
  EngineNotFound,
  EngineRefused,
  EngineUnavailable,
  SystemFault,
  UserFault,
} from '../../domain/errors.ts'
import { MAX_MINOR, MIN_MINOR, UnsupportedMicroversion } from './microversion.ts'

/** It has a form of its own: upstream's check of tokens sits outside of what gives errors theirs. */
const UNAUTHORIZED = {
  error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
}

export interface ErrorAnswer {
  readonly status: number
  readonly body: object
  readonly retryAfterS: number | undefined
}

/** What the caller gets to see of an error. `correlationId` is for 5xx: it stands in the log beside the cause. */
export function toErrorAnswer(error: unknown, requestId: string, correlationId: string): ErrorAnswer {
  const known = asApiError(error)
  if (known?.status === 401) return { status: 401, body: UNAUTHORIZED, retryAfterS: undefined }
  if (known === undefined || known.status === 500) {
    return answer(500, {
      request_id: requestId,
      code: 'container.',
      status: 500,
      title: STATUS_CODES[500],
      detail: `The server met an unexpected condition. The log knows it as ${correlationId}.`,
      links: [],
    })
  }
  const unsupported = known instanceof UnsupportedMicroversion
  const message = presentable(known.message)
  return answer(
    known.status,
    {
      request_id: requestId,
      code: unsupported ? `zun.${known.code}` : `container.${known.code}`,
      status: known.status,
      title: unsupported ? 'Requested microversion is unsupported' : message,
      detail: message,
      ...(unsupported
        ? {
            min_version: `1.${MIN_MINOR}`,
            max_version: `1.${MAX_MINOR}`,
            links: [{ rel: 'help', href: 'https://docs.openstack.org/api-guide/compute/microversions.html' }],
          }
        : { links: [] }),
    },
    known.retryAfterS,
  )
}

const LONGEST_MESSAGE = 2_000

/** Messages quote what was sent. Cutting may have left half of a character, which some clients cannot print. */
function presentable(message: string): string {
  const cut = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message
  return cut.toWellFormed()
}

function answer(status: number, error: object, retryAfterS?: number): ErrorAnswer {
  return { status, body: { errors: [error] }, retryAfterS }
}

/** Errors of the engine get the status that the contract gives them (container-states 5.3). */
function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  if (error instanceof EngineNotFound) return new ApiError(409, 'conflict', error.message)
  if (error instanceof EngineConflict) return new ApiError(409, 'conflict', error.message)
  if (error instanceof EngineRefused) return new ApiError(400, 'invalid', error.message)
  if (error instanceof EngineUnavailable) {
    const message = "The host's container engine does not answer."
    return new ApiError(503, 'service-unavailable', message, { cause: error, retryAfterS: 10 })
  }
  if (error instanceof SystemFault && error.code === 'store.full') {
    const message = 'The disk of the service is full: nothing can be accepted until an operator makes room.'
    return new ApiError(503, 'service-unavailable', message, { cause: error, retryAfterS: 60 })
  }
  if (error instanceof UserFault) return new ApiError(400, 'invalid', error.message)
  return undefined
}
