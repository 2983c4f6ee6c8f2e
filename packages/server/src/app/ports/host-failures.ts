/** Errors of a host as they travel to the control plane: by class, so that whoever asked meets what he would meet here. */
import { HostFailureSchema, type HostFailure } from '@zund/contract/link/host-calls.ts'
import { Compile } from 'typebox/compile'
import {
  ApiError,
  Conflict,
  EngineConflict,
  EngineFailed,
  EngineNotFound,
  EngineRefused,
  EngineRemains,
  EngineUnavailable,
  messageOf,
  NotFound,
  Retryable,
  SystemFault,
  Unavailable,
  UserFault,
  ZunError,
} from '../../domain/errors.ts'

export function failureOf(error: unknown): HostFailure {
  const message = messageOf(error)
  if (!(error instanceof ZunError)) return { code: 'engine.failed', message }
  const { code } = error
  if (error instanceof ApiError) {
    const { status, retryAfterS } = error
    return { code, message, status, ...(retryAfterS === undefined ? {} : { retryAfterS }) }
  }
  return { code: error instanceof Retryable && !code.startsWith('engine.') ? `retry:${code}` : code, message }
}

/** Whatever a host says: `told` need not be what failureOf has made. */
export function errorOf(told: unknown): Error {
  if (!isFailure(told)) return new EngineFailed('The host gave no answer that could be read.')
  const { code, message, status, retryAfterS } = told
  if (status !== undefined) return apiError(status, code, message, retryAfterS)
  const [, later] = /^retry:(.*)$/.exec(code) ?? []
  if (later !== undefined) return new Retryable(later, message)
  switch (code) {
    case 'engine.not_found':
      return new EngineNotFound(message)
    case 'engine.conflict':
      return new EngineConflict(message)
    case 'engine.refused':
      return new EngineRefused(message)
    case 'engine.unavailable':
      return new EngineUnavailable(message)
    case 'engine.remains':
      return new EngineRemains(message)
    case 'engine.failed':
      return new EngineFailed(message)
    default:
      return code.startsWith('image.') ? new UserFault(code, message) : new SystemFault(code, message)
  }
}

const validator = Compile(HostFailureSchema)

function isFailure(told: unknown): told is HostFailure {
  return validator.Check(told)
}

function apiError(status: number, code: string, message: string, retryAfterS: number | undefined): ApiError {
  if (status === 503) return new Unavailable(message, retryAfterS === undefined ? {} : { retryAfterS })
  if (status === 409) return new Conflict(message, code)
  if (status === 404) return new NotFound(message, code)
  return new ApiError(status, code, message, { retryAfterS })
}
