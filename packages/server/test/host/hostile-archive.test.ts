/** Archives of strangers in a real engine, which takes names from the images that have them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { extract, pack, type Header } from 'tar-stream'
import { renamed } from '../../src/adapters/image/glance/renamed.ts'
import { UserFault } from '../../src/domain/errors.ts'
import { serviceImageReference } from '../../src/domain/image/service-image.ts'
import { dockerArchives, dockerEngine, testEngineSocket } from '../support/docker-harness.ts'
import { bytesOf, soon } from '../support/engine-harness.ts'

const engine = dockerEngine(testEngineSocket())
const archives = dockerArchives(testEngineSocket())
const reference = serviceImageReference(randomUUID())
const taken = `zund.test/${randomUUID()}:latest`

after(async () => {
  for (const name of [reference, taken]) await engine.removeImage(name, soon())
  engine.close()
  archives.close()
})

interface Entry {
  readonly header: Header
  readonly content: Buffer
}

/** That of the image which everybody has. */
async function busybox(): Promise<Entry[]> {
  const unpacked = extract()
  unpacked.end(await bytesOf(await archives.saveImage('busybox:latest', soon())))
  const found: Entry[] = []
  for await (const entry of unpacked)
    found.push({ header: entry.header, content: await bytesOf(entry as AsyncIterable<Buffer>) })
  return found
}

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const packed = pack()
  for (const { header, content } of entries) packed.entry({ ...header }, content)
  packed.finalize()
  return await bytesOf(packed as AsyncIterable<Buffer>)
}

/** The same entries, and names for them wherever an engine would look. */
function naming(entries: readonly Entry[], at: (name: string, header: Header) => Header): Entry[] {
  const own = entries.find(({ header }) => header.name === 'manifest.json')
  assert.ok(own)
  const [image] = JSON.parse(own.content.toString('utf8')) as object[]
  const content = Buffer.from(JSON.stringify([{ ...image, RepoTags: [taken] }]))
  return [...entries, { header: at('manifest.json', { ...own.header, size: content.length }), content }]
}

async function load(entries: readonly Entry[]): Promise<void> {
  await archives.loadImage(renamed(Readable.from([await tarOf(entries)]), reference), soon())
}

test('what the engine has saved is loaded under the one name', async () => {
  const entries = await busybox()
  await load(entries)
  const own = await engine.inspectImage('busybox:latest', soon())
  assert.ok(own)
  assert.equal((await engine.inspectImage(reference, soon()))?.id, own.id)
})

test('no archive gives its image a name that others use, whatever way it takes', async () => {
  const entries = await busybox()
  const link: Entry = {
    header: { ...(entries[0] ?? assert.fail()).header, name: 'way', type: 'symlink', linkname: '.', size: 0 },
    content: Buffer.alloc(0),
  }
  const ways: readonly Entry[][] = [
    naming(entries, (name, header) => ({ ...header, name: `x/../${name}` })),
    naming([link, ...entries], (name, header) => ({ ...header, name: `way/${name}` })),
    naming(entries, (name, header) => ({ ...header, name: `.//${name}` })),
    naming(entries, (name, header) => ({ ...header, name: 'x', pax: { path: `./${name}` } })),
  ]
  for (const [at, way] of ways.entries()) {
    await assert.rejects(load(way), (error) => error instanceof UserFault && error.code === 'image.not_an_archive')
    assert.equal(await engine.inspectImage(taken, soon()), undefined, `way ${at}`)
  }
})

test('neither does a manifest that says the name in another spelling', async () => {
  const entries = (await busybox()).map((entry) => {
    if (entry.header.name !== 'manifest.json') return entry
    const [image] = JSON.parse(entry.content.toString('utf8')) as object[]
    const content = Buffer.from(JSON.stringify([{ ...image, repoTags: [taken] }]))
    return { header: { ...entry.header, size: content.length }, content }
  })
  await load(entries)
  assert.ok(await engine.inspectImage(reference, soon()))
  assert.equal(await engine.inspectImage(taken, soon()), undefined)
})
