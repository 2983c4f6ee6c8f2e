import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where suites that run one after the other say what they do. */
export interface Output {
  /** For the programs that they start. */
  readonly stdout: 'inherit' | number
  say(line: string): void
}

export const TERMINAL: Output = { stdout: 'inherit', say: (line) => console.log(line) }

/** Keeps what is said until it is shown: two who talk at once are understood by nobody. */
export class KeptOutput implements Output, Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-output-'))
  readonly #file = join(this.#directory, 'output')
  // Appended to, since others write to it as well; and read from where the last look has ended.
  readonly #writing = openSync(this.#file, 'a')
  readonly #reading = openSync(this.#file, 'r')

  get stdout(): number {
    return this.#writing
  }

  say(line: string): void {
    writeSync(this.#writing, `${line}\n`)
  }

  /** What has come since the last time. */
  show(): void {
    const piece = Buffer.alloc(1024 * 1024)
    for (;;) {
      const length = readSync(this.#reading, piece)
      if (length === 0) return
      process.stdout.write(Uint8Array.from(piece.subarray(0, length)))
    }
  }

  [Symbol.dispose](): void {
    for (const open of [this.#writing, this.#reading]) closeSync(open)
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
