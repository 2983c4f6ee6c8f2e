import { pino } from 'pino'
import type { Logger } from '../orchestration/ports/clock.ts'

/** Where the log goes: a file that is appended to, or `null` for standard error. JSON, one line an entry. */
export function createLogger(file: string | null, debug: boolean): Logger {
  const destination = pino.destination({ dest: file ?? 2, mkdir: true, sync: true })
  return pino(
    {
      level: debug ? 'debug' : 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: ['*.password', '*.token', 'password', 'token'], censor: '[redacted]' },
    },
    destination,
  )
}
