import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { looksEmpty } from './looks-empty.ts'

const MIB = 1024 * 1024
const directory = mkdtempSync(join(tmpdir(), 'zund-looks-empty-'))
after(() => rmSync(directory, { recursive: true }))

/** Of zeros, and of what `write` puts there. */
async function device(size: number, write: (path: string) => void | Promise<void> = () => undefined): Promise<string> {
  const path = join(directory, 'device')
  rmSync(path, { force: true })
  await using file = await open(path, 'w')
  await file.truncate(size)
  await write(path)
  return path
}

const put =
  (bytes: Buffer, at: number) =>
  async (path: string): Promise<void> => {
    await using file = await open(path, 'r+')
    await file.write(bytes, 0, bytes.length, at)
  }

test('zeros are nothing, however many; a device without a size is told apart', async () => {
  for (const size of [512, MIB, MIB + 1, 700 * MIB]) assert.equal(await looksEmpty(await device(size)), true)
  assert.equal(await looksEmpty(await device(0)), undefined)
})

test('a byte at an end is something, and so is what fills more than a small part of it', async () => {
  const size = 700 * MIB
  for (const at of [0, MIB - 1, size - MIB, size - 1]) {
    assert.equal(await looksEmpty(await device(size, put(Buffer.from('a'), at))), false, `at ${at}`)
  }
  assert.equal(await looksEmpty(await device(size, put(Buffer.alloc(MIB, 'a'), 300 * MIB))), false)
})

test('a file system that has lost its beginning and its end is something', async () => {
  for (const [mib, block] of [
    [64, 1024],
    [300, 2048],
    [300, 4096],
    [1100, 4096],
  ] as const) {
    const path = await device(mib * MIB, async (made) => {
      execFileSync('mkfs.ext4', ['-F', '-q', '-b', String(block), made], { stdio: 'ignore' })
      await put(Buffer.alloc(MIB), 0)(made)
      await put(Buffer.alloc(MIB), (mib - 1) * MIB)(made)
    })
    assert.equal(await looksEmpty(path), false, `${mib} MiB in blocks of ${block}`)
  }
})
