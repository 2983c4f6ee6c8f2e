import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { UserFault } from '../../../domain/errors.ts'
import { renamed } from './renamed.ts'

const NAME = 'zund.local/images/x:latest'
const MANIFEST = JSON.stringify([
  { Config: 'c.json', RepoTags: ['nginx:latest', 'nginx:1'], Layers: ['a/layer.tar'] },
  { Config: 'd.json', RepoTags: ['other:latest'], Layers: [] },
])

async function tar(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const packed = pack()
  for (const [name, content] of Object.entries(files)) packed.entry({ name }, content)
  packed.finalize()
  return await wholeOf(packed as AsyncIterable<Buffer>)
}

async function wholeOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function filesIn(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const unpacked = extract()
  unpacked.end(archive)
  for await (const entry of unpacked) files.set(entry.header.name, await wholeOf(entry as AsyncIterable<Buffer>))
  return files
}

/** In pieces that fit nothing. */
function inPieces(bytes: Buffer): Readable {
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += 10_007) yield bytes.subarray(at, at + 10_007)
    })(),
  )
}

test('of all the names that an archive gives none is left, and its content stays', async () => {
  const layer = randomBytes(3_000_000)
  const archive = await tar({
    'a/layer.tar': layer,
    repositories: '{"nginx": {"latest": "a"}}',
    'index.json': '{"manifests": []}',
    'oci-layout': '{}',
    './manifest.json': MANIFEST,
    'c.json': '{"config": {}}',
  })
  for (const form of [archive, gzipSync(archive)]) {
    const files = await filesIn(await wholeOf(renamed(inPieces(form), NAME)))
    assert.deepEqual([...files.keys()], ['a/layer.tar', 'manifest.json', 'c.json'])
    assert.deepEqual(JSON.parse(String(files.get('manifest.json'))), [
      { Config: 'c.json', RepoTags: [NAME], Layers: ['a/layer.tar'] },
    ])
    const sum = (bytes: Buffer | undefined) =>
      createHash('sha256')
        .update(bytes ?? '')
        .digest('hex')
    assert.equal(sum(files.get('a/layer.tar')), sum(layer))
  }
})

test('a name is not taken under another spelling either', async () => {
  const parts = { Config: 'c.json', Layers: ['a/layer.tar'], RepoTags: ['nginx:1'] }
  const more = { repotags: ['nginx:latest'], REPOTAGS: ['busybox:latest'], Parent: 'sha256:0' }
  const archive = await tar({ 'manifest.json': JSON.stringify([{ ...parts, ...more }]) })
  const files = await filesIn(await wholeOf(renamed(Readable.from([archive]), NAME)))
  assert.deepEqual(JSON.parse(String(files.get('manifest.json'))), [
    { Config: 'c.json', RepoTags: [NAME], Layers: ['a/layer.tar'] },
  ])
})

test('what is no archive of an image is said to be none', async () => {
  const rows: readonly [string, Buffer, RegExp][] = [
    ['text', Buffer.alloc(5_000, 'text'), /tar/],
    ['nothing', Buffer.alloc(0), /has no manifest\.json/],
    ['zeros', Buffer.alloc(10_240), /has no manifest\.json/],
    ['another tar', await tar({ 'a.txt': 'a' }), /has no manifest\.json/],
    ['no JSON', await tar({ 'manifest.json': 'a' }), /is not JSON/],
    ['no image', await tar({ 'manifest.json': '[]' }), /names no image/],
    ['cut off', (await tar({ 'manifest.json': MANIFEST, big: Buffer.alloc(9_000) })).subarray(0, 4_000), /end of data/],
    ['broken gzip', Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]), /./],
  ]
  for (const [name, bytes, why] of rows) {
    await assert.rejects(
      wholeOf(renamed(Readable.from([bytes]), NAME)),
      (error) => error instanceof UserFault && error.code === 'image.not_an_archive' && why.test(error.message),
      name,
    )
  }
})

test('an archive that breaks off keeps its own error, and one that nobody reads any more is closed', async () => {
  const broken = new Error('the source broke off')
  const archive = await tar({ 'manifest.json': MANIFEST, big: Buffer.alloc(1_000_000) })
  const half = Readable.from(
    (async function* () {
      yield archive.subarray(0, 500_000)
      throw broken
    })(),
  )
  await assert.rejects(wholeOf(renamed(half, NAME)), (error) => error === broken)
  const source = inPieces(archive)
  const left = renamed(source, NAME)
  for await (const chunk of left) {
    assert.ok(chunk)
    break
  }
  assert.equal(left.destroyed, true)
  await new Promise((resolve) => (source.closed ? resolve(undefined) : source.once('close', resolve)))
})
