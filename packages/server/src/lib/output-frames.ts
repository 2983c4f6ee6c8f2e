/**
 * Output of a program without a terminal, as engines send it: frames of an 8-byte header (stream in the first byte, three
 * zero bytes, length of the payload in four bytes, the highest first) and a payload.
 */
const HEADER = 8

/** Numbers of streams. */
export const STDOUT = 1
export const STDERR = 2
/** A message of the service itself. */
export const SYSTEM = 3

export interface OutputPart {
  readonly stream: number
  readonly payload: Buffer
}

/** Takes frames apart. A payload is passed on as it comes, not gathered first, so a frame of any length needs no memory. */
export class OutputFrames {
  readonly #header = Buffer.alloc(HEADER)
  #headerBytes = 0
  #payloadLeft = 0

  take(chunk: Buffer): OutputPart[] {
    const parts: OutputPart[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const payload = chunk.subarray(at, at + this.#payloadLeft)
        this.#payloadLeft -= payload.length
        at += payload.length
        parts.push({ stream: this.#header[0] ?? 0, payload })
        continue
      }
      const copied = chunk.copy(this.#header, this.#headerBytes, at, at + HEADER - this.#headerBytes)
      at += copied
      this.#headerBytes += copied
      if (this.#headerBytes < HEADER) break
      this.#headerBytes = 0
      this.#payloadLeft = this.#header.readUInt32BE(4)
    }
    return parts
  }

  /** True between frames: what has come so far is whole. */
  get isWhole(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0
  }
}

export function outputFrame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER)
  header[0] = stream
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}
