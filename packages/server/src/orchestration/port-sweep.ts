import { messageOf } from '../domain/errors.ts'
import type { Clock, Logger } from './ports/clock.ts'
import type { CallOptions } from './ports/control-plane.ts'
import type { Store } from './ports/store.ts'
import type { PortData } from './ports/wire.ts'
import { Rounds } from './rounds.ts'

export interface PortSweepDeps {
  readonly store: Pick<Store, 'leftoverPorts'>
  /** Removes the note. */
  readonly forget: (uuid: string) => Promise<unknown>
  /** Gives back what the network service holds for it; repeatable. */
  readonly release: (port: PortData, o: CallOptions) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

const EVERY_MS = 30_000
const AT_ONCE = 50
const TIMEOUT_MS = 60_000

/**
 * Gives back ports that could not be given back when their container went, because the network service was away. Several
 * processes may do it: what is gone is gone.
 */
export class PortSweep extends Rounds {
  readonly #deps: PortSweepDeps

  constructor(deps: PortSweepDeps) {
    const { clock, log } = deps
    super({ clock, log, everyMs: EVERY_MS, failed: 'ports that were left were not looked at' })
    this.#deps = deps
  }

  async round(): Promise<void> {
    const { store, release, forget, log } = this.#deps
    for (const { uuid, containerUuid, data } of await store.leftoverPorts.due(AT_ONCE)) {
      this.signal.throwIfAborted()
      const about = { containerId: containerUuid, networkId: data.networkId }
      try {
        await release(data, { signal: AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS)]) })
        await forget(uuid)
        log.info(about, 'gave back a port that was left')
      } catch (error) {
        log.warn({ ...about, why: messageOf(error) }, 'a port that was left could not be given back yet')
      }
    }
  }
}
