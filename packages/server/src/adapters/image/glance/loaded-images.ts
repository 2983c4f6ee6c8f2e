import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineConflict, messageOf } from '../../../domain/errors.ts'
import { SERVICE_IMAGES, serviceImageIn, serviceImageReference } from '../../../domain/image/service-image.ts'
import type { Clock, Logger } from '../../../orchestration/ports/clock.ts'
import type { ContainerEngine } from '../../../orchestration/ports/engine.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { Glance } from '../../openstack/glance.ts'

export interface LoadedImagesOptions {
  readonly engine: Pick<ContainerEngine, 'imageNames' | 'removeImage'>
  readonly glance: Pick<Glance, 'show'>
  /** [glance] images_directory */
  readonly directory: string
  /** Milliseconds that one which came for a container is kept without being used. */
  readonly maxAgeMs: number
  readonly clock: Clock
  readonly log: Logger
}

interface CallOptions {
  readonly signal: AbortSignal
}

/** Between the look for an image and the container that is made of it. */
const SOON_MS = 15 * 60_000
/** Between two rounds: each asks the image service of every image. */
const EVERY_MS = 10 * 60_000
const ENDING = '.used'

/**
 * What the engine has of the image service, and how it gets rid of that: who uploads, runs and deletes would fill the disk of
 * the host. What a container has stays, the engine sees to it. A file beside the archives says of an image that it came
 * for a container, and by its time when it was used last; without one it was asked for by itself, and stays as long as the service
 * has it.
 */
export class LoadedImages {
  readonly #options: LoadedImagesOptions
  readonly #soon = new Map<string, number>()
  /** To look for one and to remove it must not meet. */
  readonly #turns = new TurnByKey()
  #roundAtMs = -Infinity

  constructor(options: LoadedImagesOptions) {
    this.#options = options
  }

  /** Somebody is about to look for it: it is not removed for a while. */
  async use(id: string, { signal }: CallOptions): Promise<void> {
    await this.#turns.run(id, signal, async () => {
      this.#soon.set(id, this.#options.clock.now())
      await this.#touch(id)
    })
  }

  /** It is about to be loaded, for a container. */
  async note(id: string): Promise<void> {
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 })
    await writeFile(this.#pathOf(id), '', { mode: 0o600 })
    await this.#touch(id)
  }

  /** It was asked for by itself, or did not come. */
  async forget(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true })
  }

  /** One round, unless the last one is not long ago. What cannot be found out stays. */
  async collect(o: CallOptions): Promise<void> {
    const { clock, engine, log } = this.#options
    const now = clock.now()
    if (now - this.#roundAtMs < EVERY_MS) return
    this.#roundAtMs = now
    for (const [id, at] of this.#soon) if (now - at > SOON_MS) this.#soon.delete(id)
    try {
      const there = (await engine.imageNames(SERVICE_IMAGES, o)).flatMap((name) => serviceImageIn(name) ?? [])
      await this.#forgetAllBut(new Set(there))
      for (const id of there) {
        const why = await this.#whyOver(id, o)
        if (why !== undefined) await this.#remove(id, why, o)
      }
    } catch (error) {
      log.info({ why: messageOf(error) }, 'images of the image service are not looked through')
    }
  }

  async #whyOver(id: string, o: CallOptions): Promise<string | undefined> {
    const { glance, maxAgeMs, clock } = this.#options
    if (this.#soon.has(id)) return undefined
    const usedAtMs = (await stat(this.#pathOf(id)).catch(() => undefined))?.mtimeMs
    if (usedAtMs !== undefined && clock.now() - usedAtMs > maxAgeMs) return 'it was not used for long'
    const image = await glance.show(id, {}, o)
    const isThere = image !== undefined && image.status !== 'deleted' && image.status !== 'pending_delete'
    return isThere ? undefined : 'the image service has it no more'
  }

  async #remove(id: string, why: string, { signal }: CallOptions): Promise<void> {
    const { engine, log } = this.#options
    await this.#turns.run(id, signal, async () => {
      // Since it was looked at.
      if (this.#soon.has(id)) return
      try {
        await engine.removeImage(serviceImageReference(id), { signal })
      } catch (error) {
        if (!(error instanceof EngineConflict)) throw error
        await this.#touch(id)
        return
      }
      await rm(this.#pathOf(id), { force: true })
      log.info({ imageId: id, why }, 'removed an image of the image service')
    })
  }

  /** Removed by somebody else: it may come back by itself. */
  async #forgetAllBut(there: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#options.directory).catch(() => [])) {
      const id = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : undefined
      if (id !== undefined && !there.has(id) && !this.#soon.has(id)) await rm(this.#pathOf(id), { force: true })
    }
  }

  async #touch(id: string): Promise<void> {
    const now = new Date(this.#options.clock.now())
    // There need not be one.
    await utimes(this.#pathOf(id), now, now).catch(() => undefined)
  }

  #pathOf(id: string): string {
    return join(this.#options.directory, `${id}${ENDING}`)
  }
}
