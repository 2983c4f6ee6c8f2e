/**
 * Errors with a stable code. Callers test class or code, never the text.
 *
 * Two families: ApiError fixes the HTTP status of an answer; the others say how a step of an operation ended.
 */
export class ZunError extends Error {
  /** Dotted for operations (`image.not_found`), kebab-case for API answers (`container-not-found`). */
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** An error that the caller of the API sees. `code` is what follows `container.` in the body. */
export class ApiError extends ZunError {
  readonly status: number
  readonly retryAfterS: number | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    options?: { cause?: unknown; retryAfterS?: number | undefined },
  ) {
    super(code, message, options)
    this.status = status
    this.retryAfterS = options?.retryAfterS
  }
}

export class InvalidInput extends ApiError {
  constructor(message: string, code = 'invalid-value') {
    super(400, code, message)
  }
}

/** The token that was good when the request came is so no longer. */
export class Unauthorized extends ApiError {
  constructor(options?: { cause?: unknown }) {
    super(401, '', 'The request you have made requires authentication.', options)
  }
}

export class Forbidden extends ApiError {
  constructor(message: string, code = 'not-authorized') {
    super(403, code, message)
  }
}

export class PolicyNotAuthorized extends Forbidden {
  constructor(rule: string) {
    super(`Policy doesn't allow ${rule} to be performed.`, 'policy-not-authorized')
  }
}

export class QuotaExceeded extends Forbidden {
  constructor(message: string) {
    super(message, 'over-quota')
  }
}

export class NotFound extends ApiError {
  constructor(message: string, code = 'resource-not-found') {
    super(404, code, message)
  }
}

export class NotAcceptable extends ApiError {
  constructor(message: string) {
    super(406, '', message)
  }
}

export class Conflict extends ApiError {
  constructor(message: string, code = 'conflict') {
    super(409, code, message)
  }
}

export class Unavailable extends ApiError {
  constructor(message: string, options?: { cause?: unknown; retryAfterS?: number }) {
    super(503, 'service-unavailable', message, options)
  }
}

/** Trying again later may help. */
export class Retryable extends ZunError {
  readonly afterMs: number | undefined

  constructor(code: string, message: string, options?: { cause?: unknown; afterMs?: number }) {
    super(code, message, options)
    this.afterMs = options?.afterMs
  }
}

/** The user can mend it; trying again cannot. */
export class UserFault extends ZunError {}

/** We or the machine failed; trying again cannot help. */
export class SystemFault extends ZunError {}

/** A newer request took the place of this operation. */
export class Superseded extends ZunError {
  constructor(message = 'superseded by a newer request') {
    super('operation.superseded', message)
  }
}

/** Somebody else owns the operation or the host now: stop silently. */
export class FencedOut extends ZunError {
  constructor(message = 'fenced out') {
    super('operation.fenced_out', message)
  }
}

/** The process is stopping; the next life resumes. */
export class ShuttingDown extends ZunError {
  constructor() {
    super('operation.shutting_down', 'shutting down')
  }
}

/** No answer from the engine, or not in time. Whether the call had an effect is unknown. */
export class EngineUnavailable extends Retryable {
  constructor(message: string, options?: { cause?: unknown }) {
    super('engine.unavailable', message, options)
  }
}

/** The engine met an error of its own. */
export class EngineFailed extends SystemFault {
  constructor(message: string) {
    super('engine.failed', message)
  }
}

/** The engine has kept half of an interrupted start, and this container of it can never be started again. */
export class EngineRemains extends SystemFault {
  constructor(message: string) {
    super('engine.remains', message)
  }
}

export class EngineNotFound extends UserFault {
  constructor(message: string) {
    super('engine.not_found', message)
  }
}

export class EngineConflict extends UserFault {
  constructor(message: string) {
    super('engine.conflict', message)
  }
}

export class EngineRefused extends UserFault {
  constructor(message: string) {
    super('engine.refused', message)
  }
}

/** This host is without what was asked for; another may have it. */
export class HostLacks extends EngineRefused {}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
