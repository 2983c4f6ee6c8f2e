/** What ends a command: one line for people, and an exit status. */

/** Exit statuses; those of programs in containers are passed through beside them, as Docker does. */
export const EXIT = {
  ok: 0,
  failed: 1,
  misused: 2,
  /** `run` and `exec`: the service refused, nothing was run. */
  notRun: 125,
  interrupted: 130,
} as const

export class Failure extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
    this.exitCode = exitCode
  }
}

/** The command line itself is wrong. */
export class Misuse extends Failure {
  constructor(message: string) {
    super(message, EXIT.misused)
    this.name = 'Misuse'
  }
}

/** The service, or the identity service, has refused. */
export class Refused extends Failure {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'Refused'
    this.status = status
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Of an error of the system, `ENOENT`; undefined: it is none. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
