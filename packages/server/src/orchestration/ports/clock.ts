export type { Checkpoint } from '../../lib/checkpoints.ts'

/** Monotonic time and timers, so that tests can do without waiting. Wall-clock time of rows comes from the database. */
export interface Clock {
  /** Milliseconds, monotonic; only differences mean something. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A part of the process with a life. `stop` returns when nothing of it runs any more. */
export interface Service {
  start(): Promise<void>
  stop(): Promise<void>
}
