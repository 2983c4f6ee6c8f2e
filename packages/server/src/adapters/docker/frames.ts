/** Output of a container without a TTY comes in frames: stream (1 byte), 3 zero bytes, length (4 bytes), payload. */
const HEADER = 8

export interface Collected {
  readonly output: Buffer
  readonly truncated: boolean
}

/** Payloads in the order they came, cut at `maxBytes`. `tty`: the stream is raw. */
export async function collectOutput(body: AsyncIterable<Buffer>, tty: boolean, maxBytes: number): Promise<Collected> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of tty ? body : payloads(body)) {
    const room = maxBytes - size
    if (chunk.length > room) {
      chunks.push(chunk.subarray(0, room))
      return { output: Buffer.concat(chunks), truncated: true }
    }
    chunks.push(chunk)
    size += chunk.length
  }
  return { output: Buffer.concat(chunks), truncated: false }
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
