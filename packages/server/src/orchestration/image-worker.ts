import {
  EngineConflict,
  EngineUnavailable,
  FencedOut,
  messageOf,
  Retryable,
  ShuttingDown,
  Superseded,
} from '../domain/errors.ts'
import { SERVICE_DRIVER } from '../domain/image/drivers.ts'
import { parseImageReference } from '../domain/image/reference.ts'
import { serviceImageReference } from '../domain/image/service-image.ts'
import { fullReference, registryImage } from '../domain/image/sources.ts'
import { hostLane } from '../domain/operation/types.ts'
import { Gate } from '../lib/gate.ts'
import { onBehalfOf } from '../lib/log-ids.ts'
import type { Checkpoint, Clock, Logger, Service } from './ports/clock.ts'
import type { ControlPlane } from './ports/control-plane.ts'
import type { ImageDriver } from './ports/drivers.ts'
import type { ContainerEngine, PullProgress } from './ports/engine.ts'
import type { Doorbell } from './ports/store.ts'
import type { ImageDone, PendingImage, SessionRef } from './ports/wire.ts'
import { backoffMs } from './runner.ts'
import { pullOf } from './steps/image.ts'

export interface ImageWorkerDeps {
  readonly controlPlane: Pick<ControlPlane, 'pendingImages' | 'imageProgress' | 'imageDone'>
  readonly doorbell: Pick<Doorbell, 'listen'>
  readonly images: Pick<ImageDriver, 'obtain'>
  readonly engine: Pick<ContainerEngine, 'inspectImage' | 'removeImage'>
  readonly host: string
  /** Session of the host's agent; undefined while it has none. */
  readonly session: () => SessionRef | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly checkpoint: Checkpoint
  /** Longest time between two looks although nobody rang. */
  readonly pollMs: number
  /** How long a registry that does not answer is tried before the pull counts as failed. */
  readonly retryBudgetMs: number
  readonly maxAtOnce: number
  /** Shortest time between two reports of how far a pull is. */
  readonly progressMs: number
}

interface Job {
  readonly action: PendingImage['action']
  readonly stop: AbortController
  readonly done: Promise<void>
}

/**
 * Pulls and deletes images that the API asks of this host for themselves, not for a container.
 *
 * The record is the work: what is pending is looked for at every ring and every so often, done, and reported. A worker
 * that dies leaves it pending, and the next one does it again, which harms nothing.
 */
export class ImageWorker implements Service {
  readonly #deps: ImageWorkerDeps
  readonly #stopping = new AbortController()
  readonly #gate: Gate
  readonly #jobs = new Map<string, Job>()
  #wake = new AbortController()
  #loop: Promise<void> | undefined

  constructor(deps: ImageWorkerDeps) {
    this.#deps = deps
    this.#gate = new Gate(deps.maxAtOnce)
  }

  async start(): Promise<void> {
    const { doorbell, host } = this.#deps
    doorbell.listen(hostLane(host), () => this.#wake.abort(), this.#stopping.signal)
    this.#loop = this.#run()
  }

  /** What is not done stays pending for the next life. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ShuttingDown())
    this.#wake.abort()
    await this.#loop
    await Promise.all([...this.#jobs.values()].map((job) => job.done))
  }

  async #run(): Promise<void> {
    const { clock, pollMs, log } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted) {
      // Renewed before looking: a ring that comes between the look and the wait must not be lost.
      this.#wake = new AbortController()
      try {
        await this.#look()
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'pending images could not be looked at')
      }
      await clock.sleep(pollMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const session = this.#deps.session()
    if (session === undefined) return
    const pending = await this.#deps.controlPlane.pendingImages(session, { signal: this.#stopping.signal })
    for (const [uuid, job] of this.#jobs) {
      const wanted = pending.find((image) => image.uuid === uuid)
      // Asked to delete what is being pulled.
      if (wanted !== undefined && wanted.action !== job.action) job.stop.abort(new Superseded())
    }
    for (const image of pending) if (!this.#jobs.has(image.uuid)) this.#launch(image, session)
  }

  #launch(image: PendingImage, session: SessionRef): void {
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, this.#stopping.signal])
    const ids = { projectId: image.projectId }
    const done = this.#gate
      .run(signal, () => onBehalfOf(ids, () => this.#work(image, session, signal)))
      .catch((error: unknown) => this.#letGo(image, error, signal))
      .finally(() => {
        this.#jobs.delete(image.uuid)
        // Something else may be wanted of it by now.
        if (signal.aborted) this.#wake.abort()
      })
    this.#jobs.set(image.uuid, { action: image.action, stop, done })
  }

  /** It stays pending; the next look finds it. */
  #letGo(image: PendingImage, error: unknown, signal: AbortSignal): void {
    if (signal.aborted || error instanceof FencedOut) return
    this.#deps.log.warn({ imageUuid: image.uuid, image: image.reference, err: error }, 'image left pending')
  }

  async #work(image: PendingImage, session: SessionRef, signal: AbortSignal): Promise<void> {
    const { controlPlane, log, checkpoint } = this.#deps
    await checkpoint(`image:${image.action}:before`)
    const end = await this.#toItsEnd(image, session, signal)
    await checkpoint(`image:${image.action}:applied`)
    await controlPlane.imageDone({ session, uuid: image.uuid, end }, { signal })
    log.info({ imageUuid: image.uuid, image: image.reference, action: image.action, end: end.kind }, 'image done')
  }

  async #toItsEnd(image: PendingImage, session: SessionRef, signal: AbortSignal): Promise<ImageDone['end']> {
    const { clock, retryBudgetMs, log } = this.#deps
    const startedAt = clock.now()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return image.action === 'pull' ? await this.#pull(image, session, signal) : await this.#remove(image, signal)
      } catch (error) {
        signal.throwIfAborted()
        // An engine that is away comes back; the record waits for it.
        const patient = error instanceof EngineUnavailable || clock.now() - startedAt < retryBudgetMs
        if (!(error instanceof Retryable) || !patient) {
          log.warn({ imageUuid: image.uuid, image: image.reference, err: error }, 'image failed')
          return { kind: 'failed', action: image.action, message: messageOf(error) }
        }
        await clock.sleep(error.afterMs ?? backoffMs(attempt), signal)
      }
    }
  }

  async #pull(image: PendingImage, session: SessionRef, signal: AbortSignal): Promise<ImageDone['end']> {
    const { images, engine } = this.#deps
    const isService = image.imageDriver === SERVICE_DRIVER
    const parsed = isService ? undefined : parseImageReference(image.reference)
    const name = parsed === undefined ? image.reference : fullReference(registryImage(parsed))
    const imageId = isService ? image.reference : null
    const { id } = await images.obtain(
      {
        spec: { image: name, imageDriver: image.imageDriver, imageId, imagePullPolicy: 'always' },
        projectId: image.projectId,
        registryDomain: null,
        auth: null,
        isToStay: true,
      },
      this.#progressOf(image, session, signal),
      { signal },
    )
    const sizeBytes = (await engine.inspectImage(id, { signal }))?.sizeBytes ?? 0
    return { kind: 'pulled', imageId: id, sizeBytes }
  }

  /** Told now and then; that it could not be told changes nothing. */
  #progressOf({ uuid, reference }: PendingImage, session: SessionRef, signal: AbortSignal): (p: PullProgress) => void {
    const { controlPlane, clock, log, progressMs } = this.#deps
    let toldAt = -Infinity
    return (progress) => {
      log.debug({ imageUuid: uuid, image: reference, detail: progress.detail }, 'pulling')
      if (clock.now() - toldAt < progressMs) return
      toldAt = clock.now()
      controlPlane
        .imageProgress({ session, uuid, detail: progress.detail, pull: pullOf(reference, progress) }, { signal })
        .catch((error: unknown) => log.debug({ err: error }, 'progress of an image not recorded'))
    }
  }

  /** Only what the record stands for: its name may mean a newer image by now, which is not ours to remove. */
  async #remove(
    { reference: name, imageId, imageDriver }: PendingImage,
    signal: AbortSignal,
  ): Promise<ImageDone['end']> {
    const { engine } = this.#deps
    if (imageId === null) return { kind: 'deleted' }
    const reference = imageDriver === SERVICE_DRIVER ? serviceImageReference(name) : name
    if ((await engine.inspectImage(reference, { signal }))?.id === imageId) {
      await engine.removeImage(reference, { signal })
      return { kind: 'deleted' }
    }
    const left = await engine.inspectImage(imageId, { signal })
    if (left === undefined || left.repoTags.length > 0) return { kind: 'deleted' }
    try {
      await engine.removeImage(imageId, { signal })
    } catch (error) {
      // Without a name and in use: the engine lets it go with its last container.
      if (!(error instanceof EngineConflict)) throw error
    }
    return { kind: 'deleted' }
  }
}
