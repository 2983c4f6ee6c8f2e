import { Retryable, UserFault } from '../../../domain/errors.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { SnapshotStore } from '../../../orchestration/ports/drivers.ts'
import type { EngineArchives } from '../../../orchestration/ports/engine.ts'
import { OpenStackError, toRetryable } from '../../openstack/errors.ts'
import type { Glance } from '../../openstack/glance.ts'
import { renamed } from './renamed.ts'

export interface GlanceSnapshotsDeps {
  readonly glance: Pick<Glance, 'show' | 'upload'>
  readonly archives: Pick<EngineArchives, 'saveImage'>
}

/** Fills records of the image service with what an engine has committed. */
export class GlanceSnapshots implements SnapshotStore {
  readonly #deps: GlanceSnapshotsDeps

  constructor(deps: GlanceSnapshotsDeps) {
    this.#deps = deps
  }

  async isWhole(imageId: string, o: CallOptions): Promise<boolean> {
    return (await this.#statusOf(imageId, o)) === 'active'
  }

  async upload(
    { imageId, reference, name }: { readonly imageId: string; readonly reference: string; readonly name: string },
    o: CallOptions,
  ): Promise<void> {
    const { glance, archives } = this.#deps
    const status = await this.#statusOf(imageId, o)
    if (status === 'active') return
    // Of an upload that was broken off: the service takes a moment to see that.
    if (status !== 'queued') throw new Retryable('image.not_ready', `image ${imageId} is ${status}`)
    // Who fetches it from the service finds the name that its user gave, not ours.
    const archive = renamed(await archives.saveImage(reference, o), name)
    let broken: Error | undefined
    archive.once('error', (error) => {
      broken = error
    })
    try {
      await glance.upload(imageId, archive, o)
    } catch (error) {
      o.signal.throwIfAborted()
      if (broken !== undefined && !(error instanceof OpenStackError)) throw broken
      throw refusalOf(imageId, error)
    } finally {
      archive.destroy()
    }
  }

  async #statusOf(imageId: string, o: CallOptions): Promise<string> {
    try {
      const image = await this.#deps.glance.show(imageId, {}, o)
      if (image !== undefined && image.status !== 'deleted' && image.status !== 'pending_delete') return image.status
    } catch (error) {
      throw toRetryable(error)
    }
    throw new UserFault('image.not_found', `image ${imageId} was deleted while it was being made`)
  }
}

function refusalOf(imageId: string, error: unknown): unknown {
  const told = toRetryable(error)
  if (!(told instanceof OpenStackError)) return told
  if (told.status === 409) return new Retryable('image.not_ready', told.message, { cause: told })
  return new UserFault('image.refused', `image ${imageId} is not taken: ${told.reason}`, { cause: told })
}
