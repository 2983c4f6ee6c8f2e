/** cp both ways, on a real engine; and archives that want out, from no engine at all. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pack } from 'tar-stream'
import { extractTo } from '../../../cli/src/tar/extract.ts'
import { ZundProcess } from '../support/zund-process.ts'
import { Home } from './command.ts'

let zund: ZundProcess
let home: Home

before(async () => {
  zund = await ZundProcess.start()
  home = new Home({ ZUND_STATE_DIR: zund.stateDir })
  await home.ok(['run', '-d', '--pull', 'never', '--name', 'box', 'busybox', 'sleep', '1000'])
  await home.ok(['exec', 'box', 'mkdir', '-p', '/in', '/made'])
})
after(async () => {
  home.remove()
  await zund.destroy()
})

test('a file goes there and comes back byte for byte, with its mode and owner, under its own name or another', async () => {
  const data = randomBytes(1_500_000)
  writeFileSync(home.file('big'), data, { mode: 0o640 })
  await home.ok(['cp', 'big', 'box:/in'])
  await home.ok(['cp', 'big', 'box:/in/other'])
  assert.equal(
    await home.ok(['exec', 'box', 'stat', '-c', '%s %a %u', '/in/big', '/in/other']),
    '1500000 640 0\n'.repeat(2),
  )
  await home.ok(['cp', 'box:/in/other', 'back'])
  assert.ok(readFileSync(home.file('back')).equals(data))
  assert.equal(statSync(home.file('back')).mode & 0o777, 0o640)
  mkdirSync(home.file('into'))
  await home.ok(['cp', 'box:/in/big', 'into'])
  assert.ok(readFileSync(home.file('into/big')).equals(data))
})

test('a directory is copied with all that is in it, links as links', async () => {
  const tree = home.file('tree')
  mkdirSync(join(tree, 'deep/er'), { recursive: true })
  writeFileSync(join(tree, 'deep/er/leaf'), 'leaf', { mode: 0o755 })
  symlinkSync('er/leaf', join(tree, 'deep/link'))
  mkdirSync(join(tree, 'empty'))
  await home.ok(['cp', 'tree', 'box:/made'])
  await home.ok(['cp', 'tree', 'box:/renamed'])
  await home.ok(['cp', 'tree/.', 'box:/made'])
  for (const at of ['/made/tree', '/renamed', '/made']) {
    assert.equal(await home.ok(['exec', 'box', 'cat', `${at}/deep/link`]), 'leaf', at)
  }
  await home.ok(['cp', 'box:/renamed', 'copy'])
  assert.deepEqual(readdirSync(home.file('copy')).toSorted(), ['deep', 'empty'])
  assert.equal(readlinkSync(home.file('copy/deep/link')), 'er/leaf')
  assert.equal(lstatSync(home.file('copy/deep/er/leaf')).mode & 0o777, 0o755)
  mkdirSync(home.file('flat'))
  await home.ok(['cp', 'box:/renamed/.', 'flat'])
  assert.deepEqual(readdirSync(home.file('flat')).toSorted(), ['deep', 'empty'])
})

test('as a tar archive: from standard input and to standard output', async () => {
  const archive = pack()
  archive.entry({ name: 'piped' }, 'through a pipe')
  archive.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk)
  await home.ok(['cp', '-', 'box:/in'], { input: Buffer.concat(chunks) })
  assert.equal(await home.ok(['exec', 'box', 'cat', '/in/piped']), 'through a pipe')
  const out = await home.ok(['cp', 'box:/in/piped', '-'])
  assert.match(out, /^piped\0[\s\S]*ustar[\s\S]*through a pipe/)
})

test('what cannot be is said in one line', async () => {
  writeFileSync(home.file('small'), 'x')
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [['box:/nothing', 'x'], /nothing/],
    [['box:/in/piped', 'no/where'], /there is no directory no/],
    [['small', 'box:/no/where'], /there is no directory box:\/no/],
    [['small', 'box:/no/'], /there is no directory box:\/no\//],
    [['absent', 'box:/in'], /absent cannot be read: ENOENT/],
    [['box:/in', 'small'], /small is no directory/],
  ]
  for (const [args, message] of wrong) {
    const { code, err } = await home.zund(['cp', ...args])
    assert.equal(code, 1)
    assert.match(err, message)
    assert.equal(err.split('\n').length, 2, err)
  }
})

const EVIL: readonly (readonly [string, readonly object[]])[] = [
  ['..', [{ name: 'a/../../out' }]],
  ['an absolute path', [{ name: '/out' }]],
  ['a link to a directory', [{ name: 'a/l', type: 'symlink', linkname: '..' }, { name: 'a/l/out' }]],
  ['a hard link to what is outside', [{ name: 'a/l', type: 'link', linkname: '../secret' }]],
  [
    'a hard link through a link',
    [
      { name: 'a/l', type: 'symlink', linkname: '..' },
      { name: 'a/h', type: 'link', linkname: 'a/l/secret' },
    ],
  ],
]

for (const [what, entries] of EVIL) {
  test(`an archive with ${what} writes nothing outside`, async () => {
    const root = home.file(`evil ${what.replaceAll('.', 'dots')}`)
    mkdirSync(join(root, 'here'), { recursive: true })
    writeFileSync(join(root, 'secret'), 'secret')
    writeFileSync(join(root, 'here/secret'), 'secret')
    const archive = pack()
    for (const entry of entries) archive.entry({ name: '', ...entry }, 'type' in entry ? '' : 'evil')
    archive.finalize()
    const { Readable } = await import('node:stream')
    const tar = Readable.from(archive, { objectMode: false })
    await assert.rejects(
      extractTo(tar, { directory: join(root, 'here'), name: 'a' }, () => undefined),
      /leads out|no directory/,
    )
    assert.deepEqual(readdirSync(root).toSorted(), ['here', 'secret'])
    assert.equal(existsSync(join(root, 'here/out')), false)
    assert.equal(statSync(join(root, 'secret')).nlink, 1)
  })
}
