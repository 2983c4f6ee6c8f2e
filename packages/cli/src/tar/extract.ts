/** Writes an archive that came from a container below a directory of this machine, and nowhere else. */
import {
  chmodSync,
  createWriteStream,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { codeOf, Failure } from '../failures.ts'

export interface Target {
  /** What is first in the archive's names is put here under this name. */
  readonly directory: string
  /** null: what is in it is put here. */
  readonly name: string | null
}

export async function extractTo(tar: Readable, target: Target, progress: (bytes: number) => void): Promise<void> {
  const reader = extract()
  tar.once('error', (error) => reader.destroy(error))
  tar.pipe(reader)
  const directories: (readonly [string, Header])[] = []
  let done = 0
  for await (const entry of reader) {
    const { header } = entry
    const path = placeOf(header.name, target)
    if (path === null) {
      entry.resume()
      continue
    }
    makeParents(target.directory, path)
    if (header.type === 'directory') {
      if (kindOf(path) !== 'directory') mkdirSync(path)
      directories.push([path, header])
      entry.resume()
    } else if (header.type === 'file' || header.type === 'contiguous-file') {
      makeRoom(path)
      entry.on('data', (chunk) => {
        if (chunk instanceof Uint8Array) progress((done += chunk.length))
      })
      // wx: nothing is written through a link that somebody puts there meanwhile.
      await pipeline(entry, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
      dress(path, header)
    } else {
      makeOther(path, header, target)
      entry.resume()
    }
  }
  // Last, since a directory may not let anybody write into it, and each file in it changes its time.
  for (const [path, header] of directories.toReversed()) dress(path, header)
}

function makeOther(path: string, header: Header, target: Target): void {
  if (header.type === 'symlink') {
    makeRoom(path)
    symlinkSync(header.linkname ?? '', path)
    dress(path, header)
  } else if (header.type === 'link') {
    const other = placeOf(header.linkname ?? '', target)
    if (other === null) throw unsafe(header.linkname ?? '')
    makeParents(target.directory, other)
    if (kindOf(other) !== 'other') throw unsafe(header.linkname ?? '')
    makeRoom(path)
    linkSync(other, path)
  } else throw new Failure(`${header.name} in the archive is a ${header.type}, which is not copied`)
}

/** null: it is the place itself. */
function placeOf(name: string, { directory, name: wanted }: Target): string | null {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (name.startsWith('/') || name.includes('\0') || parts.includes('..')) throw unsafe(name)
  const below = wanted === null ? parts.slice(1) : [wanted, ...parts.slice(1)]
  return below.length === 0 || parts.length === 0 ? null : join(directory, ...below)
}

/** Every directory on the way is one and no link, which an earlier entry could have made to lead elsewhere. */
function makeParents(root: string, path: string): void {
  const below = dirname(path)
    .slice(root.length)
    .split('/')
    .filter((part) => part !== '' && part !== '.')
  let at = root
  for (const part of root === '.'
    ? dirname(path)
        .split('/')
        .filter((one) => one !== '' && one !== '.')
    : below) {
    at = join(at, part)
    const kind = kindOf(at)
    if (kind === 'nothing') mkdirSync(at)
    else if (kind !== 'directory') throw new Failure(`${at} is no directory; nothing is written through it`)
  }
}

function makeRoom(path: string): void {
  const kind = kindOf(path)
  if (kind === 'directory') throw new Failure(`${path} is a directory, and in the archive it is none`)
  if (kind !== 'nothing') rmSync(path)
}

function kindOf(path: string): 'nothing' | 'directory' | 'link' | 'other' {
  try {
    const stat = lstatSync(path)
    if (stat.isDirectory()) return 'directory'
    return stat.isSymbolicLink() ? 'link' : 'other'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'nothing'
    throw error
  }
}

/** Owner, mode and time. Only root can give files away; for others they are their own. */
function dress(path: string, { uid, gid, mode, mtime, type }: Header): void {
  if (process.getuid?.() === 0) lchownSync(path, uid ?? 0, gid ?? 0)
  if (type === 'symlink') {
    if (mtime != null) lutimesSync(path, mtime, mtime)
    return
  }
  if (mode !== undefined) chmodSync(path, mode & 0o7777)
  if (mtime != null) utimesSync(path, mtime, mtime)
}

function unsafe(name: string): Failure {
  return new Failure(
    `the archive has a path that leads out of it: ${JSON.stringify(basename(name) === '' ? '/' : name)}`,
  )
}
