const NOTHING = Buffer.alloc(0)

/**
 * Cuts a stream of bytes only between characters of UTF-8: the terminal client decodes each frame by itself and dies of
 * one that ends inside of a character. At most three bytes are held back; bytes that are no UTF-8 pass as they are.
 */
export class WholeCharacters {
  #held: Buffer = NOTHING

  /** What may be sent now. */
  take(chunk: Buffer): Buffer {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const end = bytes.length - unfinished(bytes)
    // Copied, so that three bytes do not keep a whole chunk in memory.
    this.#held = end === bytes.length ? NOTHING : Buffer.from(bytes.subarray(end))
    return bytes.subarray(0, end)
  }

  /** What is left when no more comes. */
  end(): Buffer {
    const rest = this.#held
    this.#held = NOTHING
    return rest
  }
}

/** Bytes at the end that begin a character without ending it. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    const continues = (byte & 0xc0) === 0x80
    if (!continues) return lengthFrom(byte) > back ? back : 0
  }
  return 0
}

/** Length of the character that this byte begins; 1 when it begins none. */
function lengthFrom(byte: number): number {
  if (byte >= 0xf0 && byte <= 0xf4) return 4
  if (byte >= 0xe0 && byte < 0xf0) return 3
  if (byte >= 0xc2 && byte < 0xe0) return 2
  return 1
}
