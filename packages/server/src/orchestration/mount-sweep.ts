import { messageOf } from '../domain/errors.ts'
import type { Clock, Logger } from './ports/clock.ts'
import type { CallOptions } from './ports/control-plane.ts'
import type { LostMount } from './ports/local-resources.ts'
import { Rounds } from './rounds.ts'
import type { MountData } from './ports/wire.ts'

export interface MountSweepDeps {
  readonly store: { readonly disposals: { mountsOfLostHosts(): Promise<readonly LostMount[]> } }
  /** Removes the note. */
  readonly forget: (lost: LostMount) => Promise<unknown>
  /** Takes the attachment away, and the volume if it was to go with its container; repeatable. */
  readonly release: (mount: MountData, o: CallOptions) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

const EVERY_MS = 30_000
const TIMEOUT_MS = 60_000

/**
 * Gives back volumes of the cloud that were left on hosts which have been removed for good: a host that is there does it itself,
 * since only it knows whether the device has gone. Several processes may do it: what is gone is gone.
 */
export class MountSweep extends Rounds {
  readonly #deps: MountSweepDeps

  constructor(deps: MountSweepDeps) {
    const { clock, log } = deps
    super({ clock, log, everyMs: EVERY_MS, failed: 'volumes that were left on lost hosts were not looked at' })
    this.#deps = deps
  }

  async round(): Promise<void> {
    const { store, release, forget, log } = this.#deps
    for (const lost of await store.disposals.mountsOfLostHosts()) {
      this.signal.throwIfAborted()
      const { host, mount } = lost
      const about = { host, volumeUuid: mount.volumeUuid }
      try {
        await release(mount, { signal: AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS)]) })
        await forget(lost)
        log.info(about, 'gave back a volume that was left on a lost host')
      } catch (error) {
        log.warn(
          { ...about, why: messageOf(error) },
          'a volume that was left on a lost host could not be given back yet',
        )
      }
    }
  }
}
