import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'
import { EngineNotFound, EngineRefused, messageOf } from '../../domain/errors.ts'
import type { PathStat } from '../../orchestration/ports/engine.ts'

interface SimFile {
  readonly type: 'file' | 'directory'
  readonly mode: number
  readonly mtimeMs: number
  readonly data: Buffer
}

/** Go's bit for a directory, as it stands in the engine's path stat. */
const GO_DIRECTORY = 0x8000_0000

/** Files of an image or a container, in memory, by absolute path. */
export class SimFiles {
  readonly #files: Map<string, SimFile>

  constructor(files?: Iterable<readonly [string, SimFile]>) {
    this.#files = new Map(files ?? [['/', directory(0o755)]])
  }

  clone(): SimFiles {
    return new SimFiles(this.#files)
  }

  read(path: string): Buffer | undefined {
    const file = this.#files.get(clean(path))
    return file?.type === 'file' ? file.data : undefined
  }

  isDirectory(path: string): boolean {
    return this.#files.get(clean(path))?.type === 'directory'
  }

  write(path: string, data: Buffer | string, mode = 0o644): void {
    const at = clean(path)
    this.makeDirectory(parentOf(at))
    this.#files.set(at, { type: 'file', mode, mtimeMs: 0, data: Buffer.from(data) })
  }

  makeDirectory(path: string, mode = 0o755): void {
    const at = clean(path)
    if (this.#files.get(at)?.type === 'directory') return
    if (at !== '/') this.makeDirectory(parentOf(at))
    this.#files.set(at, directory(mode))
  }

  get sizeBytes(): number {
    return [...this.#files.values()].reduce((sum, file) => sum + file.data.length, 0)
  }

  /** A tar of the file, or of the directory with all below it, named as the last part of the path. */
  archive(path: string): { stat: PathStat; tar: AsyncIterable<Buffer> } {
    const at = clean(path)
    const found = this.#files.get(at)
    if (found === undefined) throw new EngineNotFound(`Could not find the file ${path} in container`)
    const name = at === '/' ? '/' : (at.split('/').at(-1) ?? '')
    const prefix = at === '/' ? '' : name
    const tar = pack()
    for (const [filePath, file] of [...this.#files].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (filePath !== at && !filePath.startsWith(at === '/' ? '/' : `${at}/`)) continue
      const entry = `${prefix}${at === '/' ? filePath.slice(1) : filePath.slice(at.length)}`
      if (entry === '') continue
      const { type, mode } = file
      const mtime = new Date(file.mtimeMs)
      if (type === 'directory') tar.entry({ name: `${entry}/`, type, mode, mtime })
      else tar.entry({ name: entry, mode, mtime }, file.data)
    }
    tar.finalize()
    return {
      stat: {
        name,
        size: found.data.length,
        mode: found.mode + (found.type === 'directory' ? GO_DIRECTORY : 0),
        mtime: new Date(found.mtimeMs).toISOString(),
        linkTarget: '',
      },
      tar: tar as AsyncIterable<Buffer>,
    }
  }

  /** Unpacks below the directory `path`. What was unpacked before an error stays. */
  async extract(path: string, tar: AsyncIterable<Buffer>): Promise<void> {
    const at = clean(path)
    const target = this.#files.get(at)
    if (target === undefined) throw new EngineNotFound(`Could not find the file ${path} in container`)
    if (target.type !== 'directory') throw new EngineRefused('extraction point is not a directory')
    const unpacked = extract()
    const reading = (async () => {
      for await (const entry of unpacked) {
        const chunks: Buffer[] = []
        for await (const chunk of entry) chunks.push(chunk as Buffer)
        const to = `${at}/${entry.header.name}`
        if (entry.header.type === 'directory') this.makeDirectory(to, entry.header.mode)
        else this.write(to, Buffer.concat(chunks), entry.header.mode)
      }
    })()
    try {
      await Promise.all([pipeline(Readable.from(tar), unpacked), reading])
    } catch (error) {
      throw new EngineRefused(`Error processing tar file: ${messageOf(error)}`)
    }
  }
}

function directory(mode: number): SimFile {
  return { type: 'directory', mode, mtimeMs: 0, data: Buffer.alloc(0) }
}

/** No dots, no doubled slashes, never above the root. */
function clean(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

function parentOf(path: string): string {
  return clean(path.slice(0, path.lastIndexOf('/')))
}
