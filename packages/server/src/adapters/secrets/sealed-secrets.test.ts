import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SystemFault } from '../../domain/errors.ts'
import { KEY_BYTES, SealedSecrets } from './sealed-secrets.ts'

const key = (): Buffer => randomBytes(KEY_BYTES)
const owner = randomUUID()

const unreadable = (error: unknown): boolean => error instanceof SystemFault && error.code === 'secrets.unreadable'

test('what was sealed opens, whatever it is, and is never sealed the same way twice', () => {
  const secrets = new SealedSecrets([key()])
  for (const text of ['p', 'pass word', 'Ä😀\0', 'x'.repeat(10_000)]) {
    const sealed = secrets.seal(text, owner)
    assert.ok(!sealed.includes(text) || text.length === 1)
    assert.match(sealed, /^[\w.-]+$/)
    assert.equal(secrets.open(sealed, owner), text)
    assert.notEqual(secrets.seal(text, owner), sealed)
  }
})

test('it opens for its owner only, and only as it was written', () => {
  const secrets = new SealedSecrets([key()])
  const sealed = secrets.seal('secret', owner)
  assert.throws(() => secrets.open(sealed, randomUUID()), unreadable)
  const at = sealed.lastIndexOf('.') + 1
  for (let i = at; i < sealed.length; i += 1) {
    // The last bits of the last character may stand for nothing.
    const other = sealed[i] === 'A' ? 'z' : 'A'
    const changed = sealed.slice(0, i) + other + sealed.slice(i + 1)
    assert.throws(() => secrets.open(changed, owner), unreadable, changed)
  }
  for (const odd of ['', 'secret', '1', '1..', sealed.slice(0, at), sealed.slice(0, at + 8), `2${sealed.slice(1)}`]) {
    assert.throws(() => secrets.open(odd, owner), unreadable, odd)
  }
})

test('the first key seals and all of them open, so that keys can be changed one after another', () => {
  const [older, newer] = [key(), key()]
  const before = new SealedSecrets([older]).seal('secret', owner)
  const both = new SealedSecrets([newer, older])
  assert.deepEqual([both.open(before, owner), both.isCurrent(before)], ['secret', false])
  const after = both.seal('secret', owner)
  assert.equal(both.isCurrent(after), true)
  assert.equal(new SealedSecrets([newer]).open(after, owner), 'secret')
  assert.throws(() => new SealedSecrets([newer]).open(before, owner), unreadable)
  assert.throws(() => new SealedSecrets([older]).open(after, owner), unreadable)
})
