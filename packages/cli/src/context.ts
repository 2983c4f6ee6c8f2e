import type { Api } from './api.ts'

/** What a command may use. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal
  /** Logged in, at the first call. */
  api(): Promise<Api>
}

/** Waits until it is taken, so that what is written last is not lost, nor gathered in memory. */
export async function write(to: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  if (to.destroyed) return
  await new Promise<void>((resolve) => to.write(text, () => resolve()))
}

export async function say(context: Context, line: string): Promise<void> {
  await write(context.stdout, `${line}\n`)
}

export async function complain(context: Context, line: string): Promise<void> {
  await write(context.stderr, `zund: ${line}\n`)
}
