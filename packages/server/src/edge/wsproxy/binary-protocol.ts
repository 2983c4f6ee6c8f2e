import { OutputFrames } from '../../lib/output-frames.ts'
import type { Protocol, Said } from './protocol.ts'
import { WholeCharacters } from './whole-characters.ts'

/** Bytes and nothing else, as clients of Zun expect it: both outputs as one, and no word of the end. */
export class BinaryProtocol implements Protocol {
  readonly #frames: OutputFrames | null
  readonly #whole = new WholeCharacters()

  constructor(tty: boolean) {
    this.#frames = tty ? null : new OutputFrames()
  }

  output(chunk: Buffer): Buffer[] {
    const parts = this.#frames === null ? [chunk] : this.#frames.take(chunk).map(({ payload }) => payload)
    return parts.map((part) => this.#whole.take(part)).filter(({ length }) => length > 0)
  }

  rest(): Buffer[] {
    return [this.#whole.end()].filter(({ length }) => length > 0)
  }

  async farewell(): Promise<Buffer[]> {
    return []
  }

  broken(): Buffer[] {
    return []
  }

  /** Text or not, the bytes are what counts. */
  input(bytes: Buffer): Said {
    return { kind: 'input', bytes }
  }
}
