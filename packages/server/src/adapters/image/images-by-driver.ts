import { UserFault } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ImageDriver, ImageRequest, LocalImage } from '../../orchestration/ports/drivers.ts'
import type { PullProgress } from '../../orchestration/ports/engine.ts'

/** Each image by the driver that its request names. */
export class ImagesByDriver implements ImageDriver {
  readonly #drivers: Readonly<Record<string, ImageDriver>>

  constructor(drivers: Readonly<Record<string, ImageDriver>>) {
    this.#drivers = drivers
  }

  async find(request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined> {
    return await this.#of(request).find(request, o)
  }

  async obtain(request: ImageRequest, onProgress: (p: PullProgress) => void, o: CallOptions): Promise<LocalImage> {
    return await this.#of(request).obtain(request, onProgress, o)
  }

  #of({ spec }: ImageRequest): ImageDriver {
    const driver = Object.hasOwn(this.#drivers, spec.imageDriver) ? this.#drivers[spec.imageDriver] : undefined
    if (driver !== undefined) return driver
    throw new UserFault('image.driver_unavailable', `this host has no image driver '${spec.imageDriver}'`)
  }
}
