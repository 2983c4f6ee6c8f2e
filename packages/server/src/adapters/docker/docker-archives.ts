import type { Readable } from 'node:stream'
import { EngineFailed, EngineRefused } from '../../domain/errors.ts'
import type { EngineArchives, EngineCallOptions } from '../../orchestration/ports/engine.ts'
import { EngineHttp } from './http-client.ts'
import { jsonLines } from './json-lines.ts'

export interface DockerArchivesOptions {
  readonly socketPath: string
  /** Milliseconds until a save begins. */
  readonly callTimeoutMs: number
  /** Milliseconds that an engine may take to unpack what it was given whole. */
  readonly unpackTimeoutMs: number
}

/** Images of a Docker Engine as archives. */
export class DockerArchives implements EngineArchives {
  readonly #http: EngineHttp
  readonly #unpackTimeoutMs: number

  constructor({ socketPath, callTimeoutMs, unpackTimeoutMs }: DockerArchivesOptions) {
    this.#http = new EngineHttp({ socketPath, timeoutMs: callTimeoutMs })
    this.#unpackTimeoutMs = unpackTimeoutMs
  }

  close(): void {
    this.#http.destroy()
  }

  async saveImage(reference: string, { signal }: EngineCallOptions): Promise<Readable> {
    // The engine begins its answer before it knows that there is no such image.
    const path = `/images/${reference.split('/').map(encodeURIComponent).join('/')}`
    await this.#http.json({ method: 'GET', path: `${path}/json`, signal })
    return await this.#http.open({ method: 'GET', path: `${path}/get`, signal })
  }

  async loadImage(archive: Readable, { signal }: EngineCallOptions): Promise<void> {
    let broken: Error | undefined
    archive.once('error', (error) => {
      broken = error
    })
    try {
      await this.#load(archive, signal)
    } catch (error) {
      signal.throwIfAborted()
      throw broken ?? error
    } finally {
      archive.destroy()
    }
  }

  async #load(archive: Readable, signal: AbortSignal): Promise<void> {
    const call = { method: 'POST' as const, path: '/images/load', signal }
    const body = await this.#http
      .open({ ...call, query: { quiet: 1 }, upload: () => archive, timeoutMs: this.#unpackTimeoutMs })
      .catch((error: unknown) => {
        throw error instanceof EngineFailed ? failure(error.message) : error
      })
    let said: string | undefined
    await this.#http.reading(call, async () => {
      for await (const line of jsonLines(body)) if (typeof line['error'] === 'string') said ??= line['error']
    })
    if (said !== undefined) throw failure(said)
  }
}

/** An engine says with 500, or after a 200, that it cannot make anything of what it was sent. */
const BAD_ARCHIVE =
  /unexpected EOF|invalid tar header|docker-import-\d+\/\S*: (no such file|not a directory)|invalid (manifest|layer|character)|cannot unmarshal|unrecognized image format/i

function failure(said: string): EngineRefused | EngineFailed {
  return BAD_ARCHIVE.test(said) ? new EngineRefused(said) : new EngineFailed(said)
}
