import { isAbsolute, join } from 'node:path'
import { pino } from 'pino'
import { messageOf } from '../domain/errors.ts'
import { logIds } from '../lib/log-ids.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import { osloLine } from './log-line.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LEVELS)[number]

export interface LogOptions {
  readonly level: LogLevel
  /** false: lines in the form of oslo.log. */
  readonly json: boolean
}

export interface OpenLog {
  readonly log: Logger
  /** After the file was moved away: goes on in a new one of the old name. */
  reopen(): void
  setLevel(level: LogLevel): void
}

const STANDARD_ERROR = 2

/** Where the log goes: a file that is appended to, or standard error. One line an entry. ConfigError when it cannot be written. */
export function openLog(file: string | null, { level, json }: LogOptions): OpenLog {
  let destination: ReturnType<typeof pino.destination>
  try {
    destination = pino.destination({ dest: file ?? STANDARD_ERROR, mkdir: true, sync: true })
  } catch (error) {
    throw new ConfigError(`the log ${file} cannot be written: ${messageOf(error)}`)
  }
  const lines = { write: (entry: string) => void destination.write(osloLine(entry)) }
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      mixin: logIds,
      redact: { paths: ['*.password', '*.token', 'password', 'token'], censor: '[redacted]' },
    },
    json ? destination : lines,
  )
  return {
    log,
    reopen: () => {
      if (file !== null) destination.reopen()
    },
    setLevel: (to) => {
      log.level = to
    },
  }
}

type LogConfig = Pick<Config, 'debug' | 'defaultLogLevels'>

/** [DEFAULT] default_log_levels, as far as it speaks of this program, then debug. */
export function logLevel({ debug, defaultLogLevels }: LogConfig): LogLevel {
  const [, written = ''] =
    defaultLogLevels.map((pair) => pair.split('=', 2)).findLast(([name]) => name === 'zund') ?? []
  const level = written.trim().toLowerCase().replace('warning', 'warn').replace('critical', 'error')
  return LEVELS.find((known) => known === level) ?? (debug ? 'debug' : 'info')
}

/** [DEFAULT] log_dir and log_file; without either the log is kept with the rest of the state. */
export function logFile({ logDir, logFile: name }: Pick<Config, 'logDir' | 'logFile'>, stateDir: string): string {
  if (logDir === null && name === null) return join(stateDir, 'zund.log')
  const file = name ?? 'zund.log'
  return isAbsolute(file) ? file : join(logDir ?? stateDir, file)
}

/** The same for a program of its own, where each has a name; null: standard error, which the init system keeps. */
export function programLogFile(
  { logDir, logFile: name }: Pick<Config, 'logDir' | 'logFile'>,
  program: string,
): string | null {
  if (logDir === null && name === null) return null
  const file = name ?? `${program}.log`
  return isAbsolute(file) || logDir === null ? file : join(logDir, file)
}
