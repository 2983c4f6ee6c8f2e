import { EngineConflict, EngineNotFound, EngineRefused, InvalidInput, SystemFault } from '../../domain/errors.ts'

/** The engine's word for "something is wrong with what you asked" where its status says that it failed itself. */
export function isEngineFailure(error: unknown): error is SystemFault {
  return error instanceof SystemFault && error.code === 'engine.failed'
}

export function isEngineRefusal(error: unknown): error is EngineNotFound | EngineConflict | EngineRefused {
  return error instanceof EngineNotFound || error instanceof EngineConflict || error instanceof EngineRefused
}

/** 400 `invalid` for everything the engine has against the request; any other error passes. */
export function refusalAs400(error: unknown): unknown {
  return isEngineRefusal(error) ? new InvalidInput(error.message, 'invalid') : error
}
