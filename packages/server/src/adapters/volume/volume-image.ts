import { open, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SystemFault } from '../../domain/errors.ts'
import { complaint, type HostCommand } from '../host-command/host-command.ts'

const GIB = 1024 ** 3
/** Milliseconds for one program; reserving and formatting take their time with the size. */
const TIMEOUT_MS = 5 * 60_000
/** While an image is being made it has this ending. Nothing has ever been mounted from such a file. */
export const UNFINISHED = '.part'

export interface ImageOptions {
  readonly sizeGiB: number
  /** What has to stay free on the host's disk. */
  readonly keepFreeBytes: number
}

/**
 * Makes the image file of a volume unless it is there. It gets its name only when its file system is whole, so a file of
 * that name is never formatted, and one that a crash has left unfinished is known by its ending and made anew.
 */
export async function ensureImage(
  command: HostCommand,
  image: string,
  { sizeGiB, keepFreeBytes }: ImageOptions,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  if (await exists(image)) return await requireFileSystem(image)
  const part = image + UNFINISHED
  await rm(part, { force: true })
  await requireRoom(image, sizeGiB, keepFreeBytes)
  try {
    await reserve(command, part, sizeGiB, signal)
    await format(command, part, signal)
    await flush(part)
    await rename(part, image)
    await flush(dirname(image))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** Every block at once: a sparse file would let the host's disk run full under a volume that is in use. */
async function reserve(command: HostCommand, part: string, sizeGiB: number, signal: AbortSignal): Promise<void> {
  // 'wx': only a file that we have just made may be formatted below.
  await (await open(part, 'wx', 0o600)).close()
  const result = await command.run('fallocate', ['--length', String(sizeGiB * GIB), part], {
    signal,
    timeoutMs: TIMEOUT_MS,
  })
  if (result.exitCode === 0) return
  throw new SystemFault('volume.not_reserved', `no room for a volume of ${sizeGiB} GiB: ${complaint(result)}`)
}

async function format(command: HostCommand, part: string, signal: AbortSignal): Promise<void> {
  // nodiscard: a discard would give the reserved blocks back. lazy: they read as zeros, so nothing needs to be zeroed.
  const extended = 'nodiscard,lazy_itable_init=1,lazy_journal_init=1'
  // -m 0: blocks held back for root would be of no use to anyone but a container's root.
  const result = await command.run('mkfs.ext4', ['-q', '-m', '0', '-E', extended, part], {
    signal,
    timeoutMs: TIMEOUT_MS,
  })
  if (result.exitCode === 0) return
  throw new SystemFault('volume.not_formatted', `a volume could not be formatted: ${complaint(result)}`)
}

async function requireRoom(image: string, sizeGiB: number, keepFreeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(image))
  const freeBytes = bavail * bsize
  if (freeBytes - sizeGiB * GIB >= keepFreeBytes) return
  const gib = (bytes: number): string => (bytes / GIB).toFixed(1)
  throw new SystemFault(
    'volume.no_room',
    `no room for a volume of ${sizeGiB} GiB on this host: ${gib(freeBytes)} GiB are free, of which ${gib(keepFreeBytes)} GiB are kept free`,
  )
}

/** Superblock of ext2 and its successors: its offset, and where in it the magic number is. */
const MAGIC_AT = 1024 + 0x38
const MAGIC = 0xef53

async function requireFileSystem(image: string): Promise<void> {
  await using file = await open(image, 'r')
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, MAGIC_AT)
  if (buffer.readUInt16LE(0) === MAGIC) return
  throw new SystemFault('volume.damaged', `${image} holds no file system any more; it is left as it is`)
}

export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
      throw error
    },
  )
}

/** A file's content, or a directory's names, onto the disk. */
export async function flush(path: string): Promise<void> {
  await using file = await open(path, 'r')
  await file.sync()
}
