import { UserFault } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { AttachedVolume, VolumeDriver } from '../../orchestration/ports/drivers.ts'
import type { MountData } from '../../orchestration/ports/wire.ts'

type Provider = MountData['provider']

/** Each volume by the driver of its provider. */
export class VolumesByProvider implements VolumeDriver {
  readonly #drivers: ReadonlyMap<Provider, VolumeDriver>

  /** Those that the host accepts. */
  constructor(drivers: ReadonlyMap<Provider, VolumeDriver>) {
    this.#drivers = drivers
  }

  async attach(mount: MountData, o: CallOptions): Promise<AttachedVolume> {
    return await this.#of(mount).attach(mount, o)
  }

  /** Of what is not accepted nothing was attached. */
  async detach(mount: MountData, destroy: boolean, o: CallOptions): Promise<void> {
    await this.#drivers.get(mount.provider)?.detach(mount, destroy, o)
  }

  #of({ provider }: MountData): VolumeDriver {
    const driver = this.#drivers.get(provider)
    if (driver !== undefined) return driver
    throw new UserFault(
      'volume.provider_unavailable',
      `The volume provider '${provider}' is not supported on this host`,
    )
  }
}
