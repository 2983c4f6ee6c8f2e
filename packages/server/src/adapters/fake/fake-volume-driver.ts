import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { VolumeDriver } from '../../orchestration/ports/drivers.ts'
import type { EngineMount } from '../../orchestration/ports/engine.ts'
import type { MountData } from '../../orchestration/ports/wire.ts'
import type { FakeHost } from './fake-host.ts'
import type { SimEngine } from './sim-engine.ts'

/** Volumes are names; what the host holds is whether they have data and whether they are mounted. */
export class FakeVolumeDriver implements VolumeDriver {
  readonly #deps: { readonly sim: SimEngine; readonly host: FakeHost }

  constructor(deps: { readonly sim: SimEngine; readonly host: FakeHost }) {
    this.#deps = deps
  }

  async attach(mount: MountData, { signal }: CallOptions): Promise<EngineMount> {
    signal.throwIfAborted()
    return { source: this.#deps.host.mount(mount), destination: mount.destination }
  }

  async detach(mount: MountData, destroy: boolean, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted()
    if (mount.provider === 'block-storage') await this.#deps.host.requireCloud()
    this.#deps.host.unmount(mount, destroy, this.#deps.sim)
  }
}
