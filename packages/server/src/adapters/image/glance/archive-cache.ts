import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Retryable, SystemFault } from '../../../domain/errors.ts'
import type { Clock, Logger } from '../../../orchestration/ports/clock.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { GlanceImage } from '../../openstack/glance.ts'

export interface ArchiveCacheOptions {
  /** [glance] images_directory */
  readonly directory: string
  /** Bytes that all archives may have together. */
  readonly maxBytes: number
  /** Milliseconds that one is kept without being used. */
  readonly maxAgeMs: number
  readonly clock: Clock
  readonly log: Logger
}

interface CallOptions {
  readonly signal: AbortSignal
}

/** Of one that is being fetched; what has it not has been checked. */
const UNFINISHED = '.part'
const ENDING = '.tar'
/** Bytes that stay free on the disk for others. */
const KEEP_FREE_BYTES = 1024 ** 3

/** Archives of images on the host's disk, each whole and checked. They are only kept to spare the network. */
export class ArchiveCache {
  readonly #options: ArchiveCacheOptions
  readonly #inUse = new Map<string, number>()
  /** To begin to use one and to remove it must not meet. */
  readonly #turns = new TurnByKey()

  constructor(options: ArchiveCacheOptions) {
    this.#options = options
  }

  /** Fetches it unless it is there, and keeps it for as long as `work` lasts. */
  async use<T>(
    image: GlanceImage,
    fetch: () => Promise<Readable>,
    onBytes: (count: number) => void,
    work: (path: string) => Promise<T>,
    o: CallOptions,
  ): Promise<T> {
    const path = join(this.#options.directory, `${image.id}${ENDING}`)
    await this.#turns.run(image.id, o.signal, async () => {
      this.#inUse.set(image.id, (this.#inUse.get(image.id) ?? 0) + 1)
    })
    try {
      if (!(await this.#isWhole(path, image, o))) await this.#fetch(path, image, fetch, onBytes, o)
      const now = new Date(this.#options.clock.now())
      await utimes(path, now, now)
      return await work(path)
    } finally {
      const users = (this.#inUse.get(image.id) ?? 1) - 1
      if (users > 0) this.#inUse.set(image.id, users)
      else this.#inUse.delete(image.id)
    }
  }

  /** Its data was not what it should be. */
  async drop(imageId: string): Promise<void> {
    await rm(join(this.#options.directory, `${imageId}${ENDING}`), { force: true })
  }

  /** Removes what is too old, and the oldest of what is too much; nothing that is in use. */
  async collect({ signal }: CallOptions): Promise<void> {
    const { maxBytes, maxAgeMs, clock, log } = this.#options
    const kept = (await this.#all()).toSorted((a, b) => b.usedAtMs - a.usedAtMs)
    let sum = 0
    for (const { id, path, bytes, usedAtMs, isWhole } of kept) {
      const isWanted = isWhole && clock.now() - usedAtMs <= maxAgeMs && sum + bytes <= maxBytes
      if (isWanted || !(await this.#remove(id, path, signal))) {
        sum += bytes
        continue
      }
      log.info({ imageId: id, bytes }, 'removed an archive of an image')
    }
  }

  /** False: it is in use. */
  async #remove(id: string, path: string, signal: AbortSignal): Promise<boolean> {
    return await this.#turns.run(id, signal, async () => {
      if (this.#inUse.has(id)) return false
      await rm(path, { force: true })
      return true
    })
  }

  async #all() {
    const { directory } = this.#options
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const found = []
    for (const name of await readdir(directory)) {
      const [, id, unfinished] = /^([0-9a-f-]{36})\.tar(\.part)?$/.exec(name) ?? []
      if (id === undefined) continue
      const path = join(directory, name)
      const there = await stat(path).catch(() => undefined)
      if (there === undefined) continue
      found.push({ id, path, bytes: there.size, usedAtMs: there.mtimeMs, isWhole: unfinished === undefined })
    }
    return found
  }

  /** What a disk has kept for long may not be what was put there. */
  async #isWhole(path: string, { checksum, sizeBytes }: GlanceImage, { signal }: CallOptions): Promise<boolean> {
    const there = await stat(path).catch(() => undefined)
    if (there === undefined || (sizeBytes !== null && there.size !== sizeBytes)) return false
    if (checksum === null) return true
    const sum = createHash(algorithmOf(checksum))
    await pipeline(createReadStream(path), sum, { signal })
    return sum.digest('hex') === checksum.value
  }

  async #fetch(
    path: string,
    image: GlanceImage,
    fetch: () => Promise<Readable>,
    onBytes: (count: number) => void,
    { signal }: CallOptions,
  ): Promise<void> {
    const { directory } = this.#options
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await requireRoom(directory, image)
    const part = path + UNFINISHED
    const sum = image.checksum === null ? undefined : createHash(algorithmOf(image.checksum))
    let bytes = 0
    const counting = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        bytes += chunk.length
        if (image.sizeBytes !== null && bytes > image.sizeBytes) {
          next(damaged(image, `it has more than the ${image.sizeBytes} bytes that it should have`))
          return
        }
        sum?.update(chunk)
        onBytes(bytes)
        next(null, chunk)
      },
    })
    try {
      await pipeline(await fetch(), counting, createWriteStream(part, { mode: 0o600 }), { signal })
      if (image.sizeBytes !== null && bytes < image.sizeBytes) {
        throw new Retryable(
          'image.truncated',
          `image ${image.name} (${image.id}) broke off after ${bytes} of ${image.sizeBytes} bytes`,
        )
      }
      if (sum !== undefined && image.checksum !== null && sum.digest('hex') !== image.checksum.value) {
        throw damaged(image, `it does not have the ${image.checksum.algorithm} that the image service gives`)
      }
      await flush(part)
      await rename(part, path)
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }
}

/** A service may name one that this Node does not know; the older sum would have been as good, but it was not told. */
function algorithmOf({ algorithm }: { readonly algorithm: string }): string {
  try {
    createHash(algorithm)
    return algorithm
  } catch {
    throw new SystemFault('image.unknown_checksum', `the image service gives a checksum of the kind ${algorithm}`)
  }
}

async function requireRoom(directory: string, { name, id, sizeBytes }: GlanceImage): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize - (sizeBytes ?? 0) >= KEEP_FREE_BYTES) return
  throw new SystemFault('image.no_room', `there is no room on this host for image ${name} (${id}): ${sizeBytes} bytes`)
}

function damaged({ name, id }: GlanceImage, why: string): SystemFault {
  return new SystemFault('image.damaged', `the data of image ${name} (${id}) is damaged: ${why}`)
}

async function flush(path: string): Promise<void> {
  await using file = await open(path, 'r')
  await file.sync()
}
