import { execFile, type ChildProcess } from 'node:child_process'
import { Retryable, SystemFault } from '../../domain/errors.ts'
import { PROGRAM_MISSING, type CommandOptions, type CommandResult, type HostCommand } from './host-command.ts'

/** Where root finds programs. Not the caller's own PATH: that of `su` lacks sbin, and it may hold a stranger's folder. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024
/** A killed program that hangs in the kernel is not waited for any longer. */
const LAST_WAIT_MS = 2_000

export interface ProcessCommandOptions {
  readonly searchPath?: string
}

export class ProcessCommand implements HostCommand {
  readonly #searchPath: string

  constructor(options: ProcessCommandOptions = {}) {
    this.#searchPath = options.searchPath ?? SEARCH_PATH
  }

  async run(program: string, args: readonly string[], o: CommandOptions): Promise<CommandResult> {
    o.signal.throwIfAborted()
    const timeoutMs = o.timeoutMs ?? TIMEOUT_MS
    const deadline = AbortSignal.timeout(timeoutMs)
    const env = { PATH: this.#searchPath, LC_ALL: 'C' }
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>()
    const child = execFile(
      program,
      [...args],
      {
        env,
        cwd: '/',
        maxBuffer: MAX_OUTPUT_BYTES,
        killSignal: 'SIGKILL',
        signal: AbortSignal.any([o.signal, deadline]),
      },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code
        if (typeof exitCode === 'number') resolve({ exitCode, stdout, stderr })
        else reject(toError(program, error))
      },
    )
    const ended = endOf(child)
    // A program that ends without having read everything is not an error of its own: its exit code tells.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(o.input ?? '')
    try {
      return await promise
    } catch (error) {
      if (!o.signal.aborted && !deadline.aborted) throw error
      // Whoever tries again must not meet the program of the try before.
      await ended
      o.signal.throwIfAborted()
      throw new Retryable('command.timeout', `${program} did not end within ${timeoutMs} ms`)
    }
  }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => setTimeout(resolve, LAST_WAIT_MS).unref())
  })
}

function toError(program: string, error: unknown): unknown {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
    return new SystemFault(PROGRAM_MISSING, `the program ${program} is not installed on this host`, { cause: error })
  }
  return error
}
