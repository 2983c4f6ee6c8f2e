import { open, stat, type FileHandle } from 'node:fs/promises'

const KIB = 1024
const MIB = 1024 * KIB
/** Bytes looked at, at both ends. */
const AT_ENDS = MIB
/** Bytes looked at elsewhere: a block of most file systems. */
const BLOCK = 4 * KIB
/** Places in between, evenly spaced: some seconds on slow storage, once in the life of a volume. */
const PLACES = 2048
/** Groups of blocks in which ext keeps copies of its superblock: 1 and powers of 3, 5 and 7. */
const GROUPS_WITH_COPIES = [1, 3, 5, 7, 9, 25, 27, 49, 81, 125]

/**
 * Whether nothing but zeros is found on a device that shows no signature: there may be data of which only its owner knows, or
 * a file system of which the beginning was lost. It is not read whole, which could take hours. undefined: it has no size.
 */
export async function looksEmpty(device: string): Promise<boolean | undefined> {
  await using file = await open(device, 'r')
  const size = await sizeOf(device, file)
  if (size === 0) return undefined
  const step = size / PLACES
  const between = Array.from({ length: PLACES }, (_, index) => Math.floor((index * step) / BLOCK) * BLOCK)
  const places = [...copiesOfSuperblock(size), ...between].map((at) => [at, BLOCK] as const)
  for (const [at, length] of [[0, AT_ENDS] as const, [Math.max(0, size - AT_ENDS), AT_ENDS] as const, ...places]) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, Math.min(length, size), at)
    if (buffer.subarray(0, bytesRead).some((byte) => byte !== 0)) return false
  }
  return true
}

/** In bytes, for each size of block that mkfs chooses. A group has as many blocks as one block has bits. */
function copiesOfSuperblock(size: number): number[] {
  const all = [KIB, 2 * KIB, 4 * KIB].flatMap((block) =>
    // With blocks of one KiB the first one is before the first group.
    GROUPS_WITH_COPIES.map((group) => group * block * 8 * block + (block === KIB ? block : 0)),
  )
  return all.filter((at) => at < size)
}

/** A device's own record has no size: it is found by halving. */
async function sizeOf(device: string, file: FileHandle): Promise<number> {
  const { size } = await stat(device)
  if (size > 0) return size
  const isThere = async (position: number): Promise<boolean> =>
    (await file.read(Buffer.alloc(1), 0, 1, position)).bytesRead === 1
  if (!(await isThere(0))) return 0
  let above = 1
  while (await isThere(above)) above *= 2
  let below = above / 2
  while (above - below > 1) {
    const middle = below + Math.floor((above - below) / 2)
    if (await isThere(middle)) below = middle
    else above = middle
  }
  return above
}
