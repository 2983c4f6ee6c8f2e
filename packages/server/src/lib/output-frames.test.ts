import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { outputFrame, OutputFrames } from './output-frames.ts'

test('payloads come out in order and of their stream, however the frames are cut on their way', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(1, 2, 3), fc.uint8Array({ maxLength: 40 }))),
      fc.integer({ min: 1, max: 30 }),
      (frames, size) => {
        const bytes = Buffer.concat(frames.map(([stream, payload]) => outputFrame(stream, payload)))
        const reader = new OutputFrames()
        const seen: Record<number, number[]> = {}
        const order: number[] = []
        for (let at = 0; at < bytes.length; at += size) {
          for (const { stream, payload } of reader.take(bytes.subarray(at, at + size))) {
            ;(seen[stream] ??= []).push(...payload)
            order.push(...payload)
          }
        }
        const sent = (wanted: number): number[] =>
          frames.flatMap(([stream, payload]) => (stream === wanted ? [...payload] : []))
        for (const stream of [1, 2, 3]) assert.deepEqual(seen[stream] ?? [], sent(stream))
        assert.deepEqual(
          order,
          frames.flatMap(([, payload]) => [...payload]),
        )
        assert.equal(reader.isWhole, true)
      },
    ),
  )
})

test('half of a frame is no whole one', () => {
  const reader = new OutputFrames()
  reader.take(outputFrame(1, Buffer.from('ab')).subarray(0, 9))
  assert.equal(reader.isWhole, false)
  reader.take(Buffer.from('b'))
  assert.equal(reader.isWhole, true)
  reader.take(Buffer.from([2]))
  assert.equal(reader.isWhole, false)
})
