import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { Retryable, SystemFault } from '../../../domain/errors.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { GlanceImage } from '../../openstack/glance.ts'
import { ArchiveCache } from './archive-cache.ts'

const NOW = Date.UTC(2030, 0, 1)
const HOUR = 3_600_000
const o = { signal: AbortSignal.timeout(30_000) }
const log: Logger = { debug() {}, info() {}, warn() {}, error() {} }
const ids = [1, 2, 3, 4].map((n) => `0000000${n}-0000-4000-8000-000000000000`)

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zund-cache-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function cacheOf(maxBytes = 1_000, now = () => NOW): ArchiveCache {
  const clock = { now, sleep: async () => undefined }
  return new ArchiveCache({ directory, maxBytes, maxAgeMs: HOUR, clock, log })
}

function image(content: string, patch: Partial<GlanceImage> = {}): GlanceImage {
  return {
    id: ids[0] ?? '',
    name: 'box',
    status: 'active',
    containerFormat: 'docker',
    sizeBytes: content.length,
    tags: [],
    checksum: { algorithm: 'sha256', value: createHash('sha256').update(content).digest('hex') },
    fields: {},
    ...patch,
  }
}

async function use(of: GlanceImage, ...contents: string[]): Promise<{ read: string; fetched: number }> {
  let fetched = 0
  const read = await cacheOf().use(
    of,
    async () => Readable.from([Buffer.from(contents[fetched++] ?? '')]),
    () => undefined,
    async (path) => readFileSync(path, 'utf8'),
    o,
  )
  return { read, fetched }
}

test('what is whole is kept and not fetched again, what has changed on the disk is', async () => {
  assert.deepEqual(await use(image('data'), 'data'), { read: 'data', fetched: 1 })
  assert.deepEqual(await use(image('data')), { read: 'data', fetched: 0 })
  writeFileSync(join(directory, `${ids[0]}.tar`), 'dota')
  assert.deepEqual(await use(image('data'), 'data'), { read: 'data', fetched: 1 })
})

test('what is cut off, too long, or has another sum leaves nothing', async () => {
  const retry = (error: unknown) => error instanceof Retryable && error.code === 'image.truncated'
  const damaged = (error: unknown) => error instanceof SystemFault && error.code === 'image.damaged'
  await assert.rejects(use(image('data'), 'dat'), retry)
  await assert.rejects(use(image('data'), 'data and more'), damaged)
  await assert.rejects(use(image('data'), 'dota'), damaged)
  const odd = image('data', { checksum: { algorithm: 'crc99', value: '0' } })
  await assert.rejects(use(odd, 'data'), { code: 'image.unknown_checksum' })
  await assert.rejects(use(image('data', { sizeBytes: Number.MAX_SAFE_INTEGER }), 'data'), { code: 'image.no_room' })
  assert.deepEqual(readdirSync(directory), [])
})

test('what is too old, too much or half goes, the oldest first, and nothing that is in use', async () => {
  const put = (id: string | undefined, ageMs: number, ending = 'tar'): void => {
    const path = join(directory, `${id}.${ending}`)
    writeFileSync(path, 'x'.repeat(400))
    utimesSync(path, (NOW - ageMs) / 1000, (NOW - ageMs) / 1000)
  }
  put(ids[0], 3_000)
  put(ids[1], 1_000)
  put(ids[2], 2_000)
  put(ids[3], 2 * HOUR)
  put(ids[3], 0, 'tar.part')
  writeFileSync(join(directory, 'notes.txt'), 'of the operator')
  await cacheOf(900).collect(o)
  assert.deepEqual(readdirSync(directory).toSorted(), [`${ids[1]}.tar`, `${ids[2]}.tar`, 'notes.txt'])
  const small = cacheOf(0)
  const kept = image('x'.repeat(400), { id: ids[1] ?? '' })
  await small.use(
    kept,
    () => assert.fail(),
    () => undefined,
    () => small.collect(o),
    o,
  )
  assert.deepEqual(readdirSync(directory).toSorted(), [`${ids[1]}.tar`, 'notes.txt'])
  await small.collect(o)
  assert.deepEqual(readdirSync(directory), ['notes.txt'])
})

test('an archive that is wanted again while it is looked through is not removed from under its user', async () => {
  const content = 'x'.repeat(10_000_000)
  const of = image(content)
  await use(of, content)
  const uses: Promise<string>[] = []
  const cache: ArchiveCache = cacheOf(0, () => {
    if (uses.length === 0) {
      const read = async (path: string): Promise<string> => readFileSync(path, 'utf8')
      uses.push(
        cache.use(
          of,
          async () => Readable.from([Buffer.from(content)]),
          () => undefined,
          read,
          o,
        ),
      )
    }
    return NOW
  })
  await cache.collect(o)
  assert.equal(uses.length, 1)
  assert.equal((await uses[0])?.length, content.length)
})
