import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WholeCharacters } from './whole-characters.ts'

test('text that is cut anywhere arrives whole, each part readable by itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.nat({ max: 64 }), { maxLength: 20 }), (text, cuts) => {
      const bytes = Buffer.from(text)
      const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b)
      const whole = new WholeCharacters()
      const parts = edges.slice(1).map((edge, i) => Buffer.from(whole.take(bytes.subarray(edges[i], edge))))
      assert.equal(whole.end().length, 0)
      for (const part of parts) new TextDecoder('utf-8', { fatal: true }).decode(part)
      assert.deepEqual(Buffer.concat(parts), bytes)
    }),
  )
})

test('bytes that are no text arrive unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 8 })), (chunks) => {
      const whole = new WholeCharacters()
      const parts = chunks.map((chunk) => Buffer.from(whole.take(Buffer.from(chunk))))
      assert.deepEqual(Buffer.concat([...parts, whole.end()]), Buffer.concat(chunks))
    }),
  )
})

test('no more than three bytes are ever held back', () => {
  const whole = new WholeCharacters()
  assert.equal(whole.take(Buffer.from([0x61, 0xf0, 0x9f, 0x98])).length, 1)
  assert.equal(whole.take(Buffer.from([0x61])).length, 4, 'what continues it does not, so it was no character')
  assert.deepEqual([...whole.take(Buffer.from([0xff]))], [0xff])
  assert.deepEqual([...whole.take(Buffer.from([0x80, 0x80, 0x80, 0x80]))], [0x80, 0x80, 0x80, 0x80])
})
