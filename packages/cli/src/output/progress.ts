import type { Context } from '../context.ts'
import { printable } from './table.ts'

/** One line on a terminal's standard error that is written over and over. */
export class Progress {
  readonly #stderr: NodeJS.WriteStream
  readonly shown: boolean
  #dirty = false

  constructor({ stderr, env }: Pick<Context, 'stderr' | 'env'>) {
    this.#stderr = stderr
    this.shown = stderr.isTTY && env['TERM'] !== 'dumb'
  }

  show(text: string): void {
    if (!this.shown) return
    const room = Math.max(10, (this.#stderr.columns || 80) - 1)
    this.#stderr.write(`\r\u001B[K${printable(text).slice(0, room)}`)
    this.#dirty = true
  }

  /** Of bytes; `total` undefined: nobody knows. */
  bar(what: string, done: number, total: number | undefined, shown: (n: number) => string): void {
    if (total === undefined || total <= 0) return this.show(`${what}  ${shown(done)}`)
    const share = Math.min(1, done / total)
    const filled = Math.round(share * 24)
    this.show(`${what}  [${'#'.repeat(filled)}${'.'.repeat(24 - filled)}] ${shown(done)} of ${shown(total)}`)
  }

  clear(): void {
    if (this.#dirty) this.#stderr.write('\r\u001B[K')
    this.#dirty = false
  }
}
