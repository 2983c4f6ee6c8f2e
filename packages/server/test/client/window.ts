import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { until } from '../support/until.ts'

/** Debian's own, which its client's packages belong to; another Python may come first in PATH. */
export const PYTHON = '/usr/bin/python3'

const BRIDGE = join(import.meta.dirname, 'client_terminal.py')

/** A terminal window in which the real client runs. */
export class Window {
  readonly #child: ChildProcess
  readonly #ended: Promise<number>
  /** Everything shown so far. */
  text = ''

  constructor(argv: readonly string[], env: Readonly<Record<string, string>>, size: readonly [number, number]) {
    this.#child = spawn(PYTHON, [BRIDGE, ...size.map(String), ...argv], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const decoder = new TextDecoder()
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.text += decoder.decode(chunk, { stream: true })))
    this.#ended = new Promise((resolve) => this.#child.on('close', (code) => resolve(code ?? -1)))
  }

  type(keys: string): void {
    this.#order({ keys })
  }

  resize(rows: number, columns: number): void {
    this.#order({ size: [rows, columns] })
  }

  /** Waits until the pattern is seen in what came after `mark`, a length of `text`. */
  async see(pattern: RegExp, mark = 0): Promise<void> {
    await until(`${pattern} is seen`, async () => pattern.test(this.text.slice(mark))).catch((error: unknown) => {
      throw new Error(`seen was only ${JSON.stringify(this.text)}`, { cause: error })
    })
  }

  /** Exit code, once the client has ended by itself. */
  async ended(): Promise<number> {
    return await this.#ended
  }

  /** Closes the window, as a user who is fed up. */
  async close(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #order(order: object): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`)
  }
}
