/** Programs of the host (iptables, mount, mkfs …), for what Node cannot do by itself. */

export interface CommandOptions {
  readonly signal: AbortSignal
  /** Milliseconds after which the program is killed. Default: see the implementation. */
  readonly timeoutMs?: number
  /** What it reads on its standard input. */
  readonly input?: string
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface HostCommand {
  /**
   * Runs a program to its end and gives its exit code, whatever that is. Arguments are handed over as they are; there
   * is no shell. SystemFault `command.not_found` when the program is not installed; Retryable `command.timeout` when it
   * had to be killed; the signal's reason when aborted, and then the program has ended too.
   */
  run(program: string, args: readonly string[], o: CommandOptions): Promise<CommandResult>
}

export const PROGRAM_MISSING = 'command.not_found'

/** What a failed program has to say for itself, on one line. */
export function complaint(result: CommandResult): string {
  const text = (result.stderr.trim() === '' ? result.stdout : result.stderr).trim().replaceAll(/\s*\n\s*/g, '; ')
  return text === '' ? `exit code ${result.exitCode}` : text.slice(0, 500)
}
