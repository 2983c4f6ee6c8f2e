/** Makes an archive of a file or directory of this machine. */
import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack as makePack, type Pack } from 'tar-stream'
import { codeOf, Failure, messageOf } from '../failures.ts'

type HeaderArgument = Parameters<Pack['entry']>[0]

export interface Packing {
  /** Its name in the archive; `.` for the contents of a directory. */
  readonly name: string
  readonly progress: (bytes: number) => void
  /** What is no file, directory or link is left out. */
  readonly leftOut: (path: string) => void
}

export function pack(path: string, packing: Packing): Readable {
  const made = makePack()
  add(made, path, packing.name, packing, { done: 0 }).then(
    () => made.finalize(),
    (error: unknown) => made.destroy(error instanceof Error ? error : new Error(messageOf(error))),
  )
  // Of tar-stream's own make, which node:http does not know.
  return Readable.from(made as AsyncIterable<Buffer>, { objectMode: false })
}

async function add(to: Pack, path: string, name: string, packing: Packing, count: { done: number }): Promise<void> {
  const stat = lstatSync(path)
  const header: HeaderArgument = { name, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: stat.mtime }
  if (stat.isDirectory()) {
    await entry(to, { ...header, name: `${name}/`, type: 'directory' })
    for (const one of readdirSync(path).toSorted()) await add(to, join(path, one), `${name}/${one}`, packing, count)
  } else if (stat.isSymbolicLink()) {
    await entry(to, { ...header, type: 'symlink', linkname: readlinkSync(path) })
  } else if (stat.isFile()) await addFile(to, path, { ...header, size: stat.size }, stat, packing, count)
  else packing.leftOut(path)
}

async function addFile(
  to: Pack,
  path: string,
  header: HeaderArgument,
  { size }: Stats,
  packing: Packing,
  count: { done: number },
): Promise<void> {
  if (size === 0) return await entry(to, header)
  const sink = to.entry(header)
  // What is appended meanwhile is not in the size that has been written already.
  const source = createReadStream(path, { end: size - 1 })
  source.on('data', (chunk) => packing.progress((count.done += chunk.length)))
  try {
    await pipeline(source, sink)
  } catch (error) {
    throw new Failure(`${path} cannot be copied: ${codeOf(error) ?? messageOf(error)}`, 1, { cause: error })
  }
}

async function entry(to: Pack, header: HeaderArgument): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    to.entry(header, '', (error) => (error == null ? resolve() : reject(error)))
  })
}

export function sizeOf(path: string): number {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return stat.isFile() ? stat.size : 0
  return readdirSync(path).reduce((sum, one) => sum + sizeOf(join(path, one)), 0)
}
