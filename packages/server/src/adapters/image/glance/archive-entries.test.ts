import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { extract, pack, type Header } from 'tar-stream'
import { UserFault } from '../../../domain/errors.ts'
import { ArchiveEntries } from './archive-entries.ts'
import { renamed } from './renamed.ts'

type Row = Partial<Header> & Pick<Header, 'name'> & { readonly text?: string }

const NAME = 'zund.local/images/x:latest'
const THEIRS = JSON.stringify([{ Config: 'c.json', RepoTags: ['busybox:latest'], Layers: ['a/layer.tar'] }])
const MANIFEST: Row = { name: 'manifest.json', text: THEIRS }

/** What an engine is given of an archive of these entries. */
async function given(rows: readonly Row[]): Promise<string[]> {
  const packed = pack()
  for (const { text, ...header } of rows) packed.entry({ ...header }, text ?? '')
  packed.finalize()
  const unpacked = extract()
  const found: string[] = []
  const reading = (async () => {
    for await (const entry of unpacked) {
      const { name, type, linkname } = entry.header
      found.push(type === 'file' ? name : `${name} ${type} ${linkname ?? ''}`.trim())
      entry.resume()
    }
  })()
  const archive = renamed(Readable.from(packed), NAME)
  for await (const chunk of archive as AsyncIterable<Buffer>) unpacked.write(chunk)
  unpacked.end(undefined)
  await reading
  return found
}

test('entries that engines save are passed on, under clean names and without what else their headers say', async () => {
  assert.deepEqual(
    await given([
      { name: './' },
      { name: './a/' },
      { name: './a/layer.tar', text: 'layer', pax: { comment: 'x' }, uname: 'ann' },
      { name: 'b', type: 'directory' },
      { name: 'b//layer.tar', type: 'symlink', linkname: '../a/layer.tar' },
      { name: '/d/./layer.tar', type: 'link', linkname: './a/layer.tar' },
      { name: 'blobs/sha256/0', text: 'blob' },
      { name: 'x/manifest.json', text: 'of nothing' },
      { name: 'e', type: 'fifo' },
      { name: 'repositories', text: '{}' },
      { name: 'index.json', text: '{}' },
      { name: 'oci-layout', text: '{}' },
      MANIFEST,
    ]),
    [
      'a directory',
      'a/layer.tar',
      'b directory',
      'b/layer.tar symlink ../a/layer.tar',
      'd/layer.tar link a/layer.tar',
      'blobs/sha256/0',
      'x/manifest.json',
      'manifest.json',
    ],
  )
})

const dot: Row = { name: 'a', type: 'symlink', linkname: 'b' }

const HOSTILE: readonly (readonly [what: string, rows: readonly Row[], why: RegExp])[] = [
  ['a second manifest', [MANIFEST, MANIFEST], /"manifest\.json" is there twice/],
  ['another spelling', [MANIFEST, { ...MANIFEST, name: './/manifest.json' }], /is there twice/],
  [
    'a way round',
    [MANIFEST, { ...MANIFEST, name: 'x/../manifest.json' }],
    /"x\/\.\.\/manifest\.json" leaves its place/,
  ],
  ['a way out', [{ name: '../../etc/x', text: '' }], /leaves its place/],
  ['an end that some see', [{ ...MANIFEST, name: 'x', pax: { path: 'manifest.json\0x' } }], /leaves its place/],
  ['names of old twice', [{ name: 'repositories' }, { name: './repositories' }], /"\.\/repositories" is there twice/],
  ['an index behind a link', [dot, { name: 'a/index.json' }], /"a\/index\.json" is reached through a link/],
  ['a file over a link', [dot, { name: 'a', type: 'directory' }, { name: 'a/b' }], /is reached through a link/],
  ['a link to the archive', [{ name: 'a', type: 'symlink', linkname: '.' }], /leads to the archive itself/],
  ['the same from below', [{ name: 'a/b', type: 'symlink', linkname: '../c/../' }], /leads to the archive itself/],
  ['a link out of it', [{ name: 'a/b', type: 'symlink', linkname: '../../c' }], /leads out of the archive/],
  ['a link to the host', [{ name: 'a', type: 'symlink', linkname: '/etc' }], /leads out of the archive/],
  ['a link in place of it', [{ name: 'manifest.json', type: 'symlink', linkname: 'm' }], /is not a file/],
  ['a link as all of it', [{ name: '.', type: 'symlink', linkname: 'm' }], /has no name of its own/],
  ['a directory in its place', [{ name: 'index.json', type: 'directory' }], /is not a file/],
  ['something below it', [{ name: 'manifest.json/x' }], /is below a file that names images/],
  ['a link to it', [{ name: 'a', type: 'symlink', linkname: 'manifest.json' }], /leads to a file that names images/],
  ['a second name of it', [{ name: 'a', type: 'link', linkname: './manifest.json' }], /leads to a file that names/],
  ['one by a link', [dot, { name: 'c', type: 'link', linkname: 'a/manifest.json' }], /leads to a link/],
  ['one by a way round', [{ name: 'c', type: 'link', linkname: 'x/../b' }], /leaves its place/],
]

for (const [what, rows, why] of HOSTILE) {
  test(`an archive with ${what} is refused, whatever stands beside it`, async () => {
    await assert.rejects(
      given([...rows, ...(rows.includes(MANIFEST) ? [] : [MANIFEST])]),
      (error) => error instanceof UserFault && error.code === 'image.not_an_archive' && why.test(error.message),
    )
  })
}

test('more links than any image has are not held in memory', async () => {
  const links = Array.from({ length: 10_001 }, (_, n): Row => ({ name: `${n}`, type: 'symlink', linkname: 'x' }))
  await assert.rejects(given([...links, MANIFEST]), /more than 10000 links/)
})

test('a directory with content is refused: some would take the next entries for that', () => {
  const told = { mode: 0o755, mtime: new Date(0), linkname: '', uid: 0, gid: 0, uname: '', gname: '' }
  const device = { devmajor: 0, devminor: 0 }
  for (const [name, type] of [
    ['a', 'directory'],
    ['b/', 'file'],
    ['./', 'directory'],
  ] as const) {
    const header = { ...told, ...device, name, type, size: 1024 }
    assert.throws(() => new ArchiveEntries().sort(header), /is a directory with content/, name)
  }
})
