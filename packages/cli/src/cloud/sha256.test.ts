import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { sha256 } from './sha256.ts'

test('the same as that of node:crypto, whatever the length', () => {
  for (let length = 0; length < 300; length += 1) {
    const text = 'ü0'.repeat(length).slice(0, length)
    assert.equal(sha256(text), createHash('sha256').update(text).digest('hex'), `${length} characters`)
  }
})
