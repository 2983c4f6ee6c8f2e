import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { extract, pack, type Header } from 'tar-stream'
import { UserFault, messageOf } from '../../../domain/errors.ts'
import { ArchiveEntries, MANIFEST, notAnArchive, type GivenHeader } from './archive-entries.ts'

type Entry = AsyncIterable<Buffer> & { readonly header: Header; resume(): void }

const LARGEST_MANIFEST = 4 * 1024 * 1024

/**
 * The archive of one image, under this name and no other: an engine takes the names that an archive gives from the images
 * that have them, and they are those of everybody on the host. UserFault `image.not_an_archive` as the error of the
 * stream; an error of the archive itself stays that.
 */
export function renamed(archive: Readable, reference: string): Readable {
  const result = Readable.from(repacked(archive, reference), { objectMode: false })
  // Also of one that was never read.
  result.once('close', () => archive.destroy())
  return result
}

async function* repacked(archive: Readable, reference: string): AsyncGenerator<Buffer> {
  let broken: unknown
  archive.once('error', (error) => {
    broken = error
  })
  const unpacked = extract()
  const packed = pack()
  const work = Promise.all([
    pipeline(unzipped(archive), unpacked),
    repack(unpacked as AsyncIterable<Entry>, packed, reference),
  ]).catch((error: unknown) => {
    packed.destroy()
    throw error
  })
  work.catch(() => undefined)
  try {
    for await (const chunk of packed as AsyncIterable<Buffer>) yield chunk
    await work
  } catch (error) {
    // What came first counts, not what it broke.
    const first = await work.then(
      () => error,
      (cause: unknown) => cause,
    )
    if (broken !== undefined) throw broken
    throw first instanceof UserFault ? first : notAnArchive(messageOf(first))
  } finally {
    packed.destroy()
    unpacked.destroy()
  }
}

async function repack(
  unpacked: AsyncIterable<Entry>,
  packed: ReturnType<typeof pack>,
  reference: string,
): Promise<void> {
  const entries = new ArchiveEntries()
  let hasManifest = false
  for await (const entry of unpacked) {
    const sorted = entries.sort(entry.header)
    if (sorted.kind === 'names' && sorted.name === MANIFEST) {
      const text = JSON.stringify(manifestNamed(await wholeOf(entry), reference))
      packed.entry({ name: MANIFEST, mode: 0o644 }, text)
      hasManifest = true
    } else if (sorted.kind === 'content') await copy(entry, packed, sorted.header)
    else entry.resume()
  }
  if (!hasManifest) throw notAnArchive(`it has no ${MANIFEST}`)
  packed.finalize()
}

async function copy(entry: Entry, packed: ReturnType<typeof pack>, header: GivenHeader): Promise<void> {
  const sink = packed.entry(header)
  let onClose: () => void = () => undefined
  const done = new Promise<void>((resolve, reject) => {
    onClose = () => reject(new Error('the archive is not read any more'))
    sink.once('finish', () => resolve())
    sink.once('error', reject)
    packed.once('close', onClose)
  })
  done.catch(() => undefined)
  try {
    for await (const chunk of entry) {
      if (!sink.write(chunk))
        await Promise.race([new Promise((resolve) => sink.once('drain', () => resolve(undefined))), done])
    }
    sink.end(undefined)
    await done
  } finally {
    packed.off('close', onClose)
  }
}

/**
 * Only the first image is taken, and of that only where its parts are: engines read the names of members whatever their case, and
 * the last one counts, so `repotags` would be names, too.
 */
function manifestNamed(text: Buffer, reference: string): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.toString('utf8'))
  } catch {
    throw notAnArchive(`its ${MANIFEST} is not JSON`)
  }
  const first: unknown = Array.isArray(parsed) ? parsed[0] : undefined
  if (typeof first !== 'object' || first === null || !('Config' in first) || !('Layers' in first)) {
    throw notAnArchive(`its ${MANIFEST} names no image`)
  }
  return [{ Config: first.Config, RepoTags: [reference], Layers: first.Layers }]
}

async function wholeOf(entry: Entry): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of entry) {
    size += chunk.length
    if (size > LARGEST_MANIFEST) throw notAnArchive(`its ${MANIFEST} has more than ${LARGEST_MANIFEST} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Engines take archives that were packed with gzip, too. */
async function* unzipped(archive: Readable): AsyncGenerator<Buffer> {
  const chunks = (archive as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done === true) return
  const all = rest(first.value, chunks)
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* all
    return
  }
  const gunzip = createGunzip()
  const feeding = pipeline(all, gunzip)
  feeding.catch(() => undefined)
  yield* gunzip as AsyncIterable<Buffer>
  await feeding
}

async function* rest(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (let next: IteratorResult<Buffer> = { value: first }; next.done !== true; next = await chunks.next()) {
    yield next.value
  }
}
