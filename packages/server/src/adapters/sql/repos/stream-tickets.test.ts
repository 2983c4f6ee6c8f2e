import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SqlDatabase } from '../database.ts'
import { SqlStreamTickets } from './stream-tickets.ts'

const directory = mkdtempSync(join(tmpdir(), 'zund-tickets-'))
const file = join(directory, 'zund.sqlite')
const database = new SqlDatabase(file)
const tickets = new SqlStreamTickets({ database, ttlMs: 60_000 })
const expired = new SqlStreamTickets({ database, ttlMs: -1 })
after(async () => {
  await database.close()
  rmSync(directory, { recursive: true })
})

const attach = { containerUuid: 'c1', host: 'h1', userId: 'u1', stream: { verb: 'attach' as const } }
const exec = { ...attach, stream: { verb: 'exec' as const, execId: 'e1' } }

test('a ticket opens what it was made for, once', async () => {
  const token = await tickets.issue(exec)
  assert.deepEqual(await tickets.take(token, 'c1', exec.stream), exec)
  assert.equal(await tickets.take(token, 'c1', exec.stream), undefined)
})

test('of many that come with one token at the same time, one gets in', async () => {
  const token = await tickets.issue(attach)
  const taken = await Promise.all(Array.from({ length: 20 }, () => tickets.take(token, 'c1', attach.stream)))
  assert.equal(taken.filter((ticket) => ticket !== undefined).length, 1)
})

test('a wrong container, stream, exec or token does not open it, and does not use it up', async () => {
  const token = await tickets.issue(exec)
  assert.equal(await tickets.take(token, 'c2', exec.stream), undefined)
  assert.equal(await tickets.take(token, 'c1', attach.stream), undefined)
  assert.equal(await tickets.take(token, 'c1', { verb: 'exec', execId: 'e2' }), undefined)
  assert.equal(await tickets.take('', 'c1', exec.stream), undefined)
  assert.equal(await tickets.take(`${token}x`, 'c1', exec.stream), undefined)
  assert.ok(await tickets.take(token, 'c1', exec.stream))
})

test("a new ticket to attach ends the former one of that user, and nobody else's", async () => {
  const first = await tickets.issue(attach)
  const other = await tickets.issue({ ...attach, userId: 'u2' })
  const second = await tickets.issue(attach)
  assert.equal(await tickets.take(first, 'c1', attach.stream), undefined)
  assert.ok(await tickets.take(other, 'c1', attach.stream))
  assert.ok(await tickets.take(second, 'c1', attach.stream))
})

test('a ticket that is too old is refused, and swept away by the next one', async () => {
  const token = await expired.issue(exec)
  assert.equal(await tickets.take(token, 'c1', exec.stream), undefined)
  await tickets.issue(attach)
  const rows = await database.read.selectFrom('stream_ticket').select('verb').execute()
  assert.deepEqual(
    rows.map((row) => row.verb),
    ['attach'],
  )
})

test('the token itself is nowhere on the disk', async () => {
  const token = await tickets.issue(exec)
  for (const name of [file, `${file}-wal`]) assert.equal(readFileSync(name).includes(token), false)
})
