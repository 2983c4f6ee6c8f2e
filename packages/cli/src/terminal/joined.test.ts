import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Joined } from './joined.ts'

async function shown(log: Promise<string>, held: readonly string[], later: readonly string[] = []): Promise<string> {
  let text = ''
  const joined = new Joined(async (data) => void (text += Buffer.from(data).toString()))
  for (const one of held) await joined.take(Buffer.from(one))
  assert.equal(text, '')
  const begun = joined.begin(log)
  await begun
  for (const one of later) await joined.take(Buffer.from(one))
  return text
}

test('what the log has already is not repeated, and what it has not comes behind it', async () => {
  const log = Promise.resolve('one\r\ntwo\r\nthree\r\n')
  assert.equal(await shown(log, []), 'one\r\ntwo\r\nthree\r\n')
  assert.equal(await shown(log, ['two\r', '\nthree\r\n$ '], ['ls']), 'one\r\ntwo\r\nthree\r\n$ ls')
  assert.equal(await shown(log, ['four\r\n'], ['five\r\n']), 'one\r\ntwo\r\nthree\r\nfour\r\nfive\r\n')
  assert.equal(await shown(Promise.resolve(''), ['$ '], ['ls']), '$ ls')
})

test('without a log there is what comes', async () => {
  assert.equal(await shown(Promise.reject(new Error('no log')), ['a'], ['b']), 'ab')
})

test('what comes while the log is written waits for it', async () => {
  const writes: string[] = []
  const [writing, free] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const joined = new Joined(async (data) => {
    writing.resolve()
    if (writes.length === 0) await free.promise
    writes.push(Buffer.from(data).toString())
  })
  const begun = joined.begin(Promise.resolve('log'))
  await writing.promise
  const later = joined.take(Buffer.from(' and more'))
  free.resolve()
  await Promise.all([begun, later])
  assert.equal(writes.join(''), 'log and more')
})
