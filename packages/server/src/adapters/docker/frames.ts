/** Output of a container without a TTY comes in frames: stream (1 byte), 3 zero bytes, length (4 bytes), payload. */
const HEADER = 8

export interface Collected {
  readonly output: Buffer
  readonly truncated: boolean
}

export interface CollectOptions {
  /** The stream is raw. */
  readonly tty: boolean
  readonly maxBytes: number
  /** For so long what follows is read and thrown away, in milliseconds, so that an end that is near is seen. Default 0. */
  readonly drainMs?: number
}

/** Payloads in the order they came, cut at `maxBytes`. */
export async function collectOutput(body: AsyncIterable<Buffer>, o: CollectOptions): Promise<Collected> {
  const chunks: Buffer[] = []
  let size = 0
  let drainUntil: number | undefined
  for await (const chunk of o.tty ? body : payloads(body)) {
    const kept = chunk.subarray(0, o.maxBytes - size)
    if (kept.length > 0) chunks.push(kept)
    size += kept.length
    if (kept.length === chunk.length) continue
    drainUntil ??= Date.now() + (o.drainMs ?? 0)
    if (Date.now() >= drainUntil) break
  }
  return { output: Buffer.concat(chunks), truncated: drainUntil !== undefined }
}

async function* payloads(body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of body) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= HEADER) {
      const end = HEADER + rest.readUInt32BE(4)
      if (rest.length < end) break
      yield rest.subarray(HEADER, end)
      rest = rest.subarray(end)
    }
  }
}
