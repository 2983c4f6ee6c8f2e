import { NotAcceptable } from '../../domain/errors.ts'

/** What a client says that it takes. */
export class Accept {
  readonly #header: string
  readonly #ranges: readonly string[]

  constructor(header = '') {
    this.#header = header
    this.#ranges = header.split(',').map((range) => (range.split(';')[0] ?? '').trim().toLowerCase())
  }

  /** By its very name. */
  names(type: string): boolean {
    return this.#ranges.includes(type)
  }

  require(type: string): void {
    const [group] = type.split('/')
    // Many a header is not as it should be; what names JSON somewhere has always been enough.
    const isOld = type === 'application/json' && /\*\/\*|application\/\*|application\/json/i.test(this.#header)
    if (this.#header === '' || isOld || [type, `${group}/*`, '*/*'].some((range) => this.#ranges.includes(range)))
      return
    throw new NotAcceptable(`The answer is ${type}, which the Accept header '${this.#header.slice(0, 100)}' excludes.`)
  }
}
