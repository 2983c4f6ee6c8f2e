import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'
import { EngineNotFound, EngineRefused, messageOf } from '../../domain/errors.ts'
import type { EngineArchives, EngineCallOptions } from '../../orchestration/ports/engine.ts'
import { SimFiles } from './sim-files.ts'
import type { SimCalls } from './sim-calls.ts'
import type { SimImages } from './sim-images.ts'

/** Images of a SimEngine as archives: one layer each, which holds all the files. */
export class SimArchives implements EngineArchives {
  readonly #images: SimImages
  readonly #calls: SimCalls

  constructor(images: SimImages, calls: SimCalls) {
    this.#images = images
    this.#calls = calls
  }

  async saveImage(reference: string, { signal }: EngineCallOptions): Promise<Readable> {
    const call = { call: 'saveImage' as const, containerUuid: null }
    return await this.#calls.run(call, signal, () => this.#save(reference, signal), 0)
  }

  async loadImage(archive: Readable, { signal }: EngineCallOptions): Promise<void> {
    const call = { call: 'loadImage' as const, containerUuid: null }
    await this.#calls.run(call, signal, () => this.#load(archive, signal), 0)
  }

  async #save(reference: string, signal: AbortSignal): Promise<Readable> {
    const image = this.#images.find(reference)
    if (image === undefined) throw new EngineNotFound(`No such image: ${reference}`)
    const config = JSON.stringify({ id: image.id, config: { Cmd: image.command, Entrypoint: image.entrypoint } })
    const layer = await wholeOf(image.files.archive('/').tar)
    const names = reference === image.id ? null : [reference]
    const tar = pack()
    tar.entry({ name: 'config.json' }, config)
    tar.entry({ name: 'layer.tar' }, layer)
    tar.entry(
      { name: 'manifest.json' },
      JSON.stringify([{ Config: 'config.json', RepoTags: names, Layers: ['layer.tar'] }]),
    )
    tar.finalize()
    return Readable.from(tar as AsyncIterable<Buffer>, { signal })
  }

  async #load(archive: Readable, signal: AbortSignal): Promise<void> {
    const files = await filesOf(archive, signal)
    signal.throwIfAborted()
    const manifest = jsonOf(files.get('manifest.json'))
    if (!Array.isArray(manifest)) throw new EngineRefused('manifest.json: no such file')
    for (const entry of manifest as { Config?: string; RepoTags?: string[] | null; Layers?: string[] }[]) {
      const config = files.get(entry.Config ?? '')
      if (config === undefined) throw new EngineRefused(`${entry.Config ?? 'config'}: no such file`)
      const said = jsonOf(config) as { id?: string; config?: { Cmd?: string[]; Entrypoint?: string[] } }
      const unpacked = new SimFiles()
      for (const name of entry.Layers ?? []) {
        const layer = files.get(name)
        if (layer === undefined) throw new EngineRefused(`${name}: no such file`)
        await unpacked.extract('/', Readable.from([layer]))
      }
      const image = {
        id: said.id ?? `sha256:${createHash('sha256').update(config).digest('hex')}`,
        command: said.config?.Cmd ?? null,
        entrypoint: said.config?.Entrypoint ?? null,
        files: unpacked,
      }
      this.#images.put(image)
      for (const tag of entry.RepoTags ?? []) this.#images.tag(tag, image)
    }
  }
}

async function filesOf(archive: Readable, signal: AbortSignal): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  const unpacked = extract()
  let broken: unknown
  archive.once('error', (error) => {
    broken = error
  })
  const reading = (async () => {
    for await (const entry of unpacked) files.set(entry.header.name, await wholeOf(entry as AsyncIterable<Buffer>))
  })()
  try {
    await Promise.all([pipeline(archive, unpacked, { signal }), reading])
  } catch (error) {
    signal.throwIfAborted()
    throw broken ?? new EngineRefused(`Error processing tar file: ${messageOf(error)}`)
  }
  return files
}

async function wholeOf(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function jsonOf(content: Buffer | undefined): unknown {
  if (content === undefined) return undefined
  try {
    return JSON.parse(content.toString('utf8'))
  } catch (error) {
    throw new EngineRefused(messageOf(error))
  }
}
