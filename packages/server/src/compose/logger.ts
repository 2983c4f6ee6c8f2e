import { isAbsolute, join } from 'node:path'
import { pino } from 'pino'
import { messageOf } from '../domain/errors.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import { osloLine } from './log-line.ts'

export interface LogOptions {
  readonly debug: boolean
  /** false: lines in the form of oslo.log. */
  readonly json: boolean
}

export interface OpenLog {
  readonly log: Logger
  /** After the file was moved away: goes on in a new one of the old name. */
  reopen(): void
}

/** Where the log goes: a file that is appended to. One line an entry. ConfigError when it cannot be written. */
export function openLog(file: string, { debug, json }: LogOptions): OpenLog {
  let destination: ReturnType<typeof pino.destination>
  try {
    destination = pino.destination({ dest: file, mkdir: true, sync: true })
  } catch (error) {
    throw new ConfigError(`the log ${file} cannot be written: ${messageOf(error)}`)
  }
  const lines = { write: (entry: string) => void destination.write(osloLine(entry)) }
  const log = pino(
    {
      level: debug ? 'debug' : 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.password', '*.token', 'password', 'token'], censor: '[redacted]' },
    },
    json ? destination : lines,
  )
  return { log, reopen: () => destination.reopen() }
}

/** [DEFAULT] log_dir and log_file; without either the log is kept with the rest of the state. */
export function logFile({ logDir, logFile: name }: Pick<Config, 'logDir' | 'logFile'>, stateDir: string): string {
  if (logDir === null && name === null) return join(stateDir, 'zund.log')
  const file = name ?? 'zund.log'
  return isAbsolute(file) ? file : join(logDir ?? stateDir, file)
}
