import { messageOf, UserFault } from '../domain/errors.ts'
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
/** Ten minutes of it. Whoever has to mend it reads the log; who deletes the port himself is done with it. */
const REFUSALS = 20

/**
 * Gives back ports that could not be given back when their container went, because the network service was away. Several
 * processes may do it: what is gone is gone.
 */
export class PortSweep extends Rounds {
  readonly #deps: PortSweepDeps
  readonly #refusals = new Map<string, number>()

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
        this.#refusals.delete(uuid)
        log.info(about, 'gave back a port that was left')
      } catch (error) {
        if (error instanceof UserFault && this.#isEnough(uuid)) {
          await forget(uuid)
          const port = data.remote?.portId ?? null
          log.error(
            { ...about, portId: port, why: messageOf(error) },
            'a port that was left stays in the network service',
          )
          continue
        }
        log.warn({ ...about, why: messageOf(error) }, 'a port that was left could not be given back yet')
      }
    }
  }

  /** What is refused is not refused because of a bad moment: for ever it would only be in the way of others. */
  #isEnough(uuid: string): boolean {
    const times = (this.#refusals.get(uuid) ?? 0) + 1
    if (times < REFUSALS) this.#refusals.set(uuid, times)
    else this.#refusals.delete(uuid)
    return times >= REFUSALS
  }
}
