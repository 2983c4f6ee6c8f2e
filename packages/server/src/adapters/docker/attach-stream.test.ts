import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { FramePayloads } from './attach-stream.ts'

function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

test('payloads come out in order, however the frames are cut on their way', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 40 }))),
      fc.integer({ min: 1, max: 30 }),
      async (frames, size) => {
        const bytes = Buffer.concat(frames.map(([stream, payload]) => frame(stream, payload)))
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        )
        const out: Buffer[] = []
        for await (const part of Readable.from(pieces).pipe(new FramePayloads())) out.push(part as Buffer)
        assert.deepEqual(Buffer.concat(out), Buffer.concat(frames.map(([, payload]) => payload)))
      },
    ),
  )
})
