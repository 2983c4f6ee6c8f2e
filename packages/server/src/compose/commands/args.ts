import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { messageOf } from '../../domain/errors.ts'

/** Wrong use of the command line: one line, exit code 2. */
export class UsageError extends Error {}

export interface Streams {
  /** Writes one line for the user. */
  out(line: string): void
  err(line: string): void
}

/** parseArgs that complains in one line and refuses positionals. */
export function parseOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  command: string,
  argv: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: false, strict: true }).values
  } catch (error) {
    throw complaint(command, error)
  }
}

/** The same for commands that take words besides options. */
export function parseWords<T extends NonNullable<ParseArgsConfig['options']>>(
  command: string,
  argv: readonly string[],
  options: T,
) {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
    return { values, words: positionals }
  } catch (error) {
    throw complaint(command, error)
  }
}

function complaint(command: string, error: unknown): UsageError {
  return new UsageError(`zund ${command}: ${messageOf(error).split('\n')[0]?.split('. To specify')[0]}`)
}

export function defaultStateDir(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['ZUND_STATE_DIR']
  if (given !== undefined && given !== '') return given
  if (process.getuid?.() === 0) return '/var/lib/zund'
  const base = environment['XDG_STATE_HOME']
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.local', 'state'), 'zund')
}
