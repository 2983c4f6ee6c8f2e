import { messageOf } from '../../../domain/errors.ts'
import type { Clock, Logger } from '../../../orchestration/ports/clock.ts'
import type { HostPort, PortPlugger } from '../../../orchestration/ports/host-ports.ts'
import type { ActivePorts } from './active-ports.ts'

export interface LateJoinsDeps {
  readonly active: Pick<ActivePorts, 'revisionOf' | 'wait'>
  readonly plugger: Pick<PortPlugger, 'hasFilters' | 'isKeptOut' | 'join'>
  readonly clock: Clock
  readonly log: Logger
}

const RETRY_MS = 2_000

/**
 * Ports of containers that the engine has started by itself, after an exit, a restart or a boot: nobody could wait for them
 * before. They are kept out of the switch until they are ACTIVE, since their filters may have been taken away meanwhile.
 */
export class LateJoins {
  #begun: { readonly deps: LateJoinsDeps; readonly signal: AbortSignal } | undefined
  /** Taken before it has begun. */
  readonly #waiting = new Map<string, HostPort>()
  readonly #running = new Map<string, AbortController>()

  /** A pair that is new; what was begun for an older one of this port ends. */
  readonly take = (port: HostPort): void => {
    if (this.#begun === undefined) this.#waiting.set(port.portId, port)
    else this.#start(port, this.#begun)
  }

  /** Once the network service can be asked, until `signal` is aborted. */
  begin(deps: LateJoinsDeps, signal: AbortSignal): void {
    this.#begun = { deps, signal }
    for (const port of this.#waiting.values()) this.#start(port, this.#begun)
    this.#waiting.clear()
  }

  #start(port: HostPort, { deps, signal }: { readonly deps: LateJoinsDeps; readonly signal: AbortSignal }): void {
    this.#running.get(port.portId)?.abort()
    const stop = new AbortController()
    this.#running.set(port.portId, stop)
    void run(port, deps, AbortSignal.any([stop.signal, signal])).finally(() => {
      if (this.#running.get(port.portId) === stop) this.#running.delete(port.portId)
    })
  }
}

/** Never rejects: nobody waits for it. */
async function run(port: HostPort, { active, plugger, clock, log }: LateJoinsDeps, signal: AbortSignal): Promise<void> {
  const { portId } = port
  while (!signal.aborted) {
    try {
      const revision = await active.revisionOf(portId, { signal })
      if (!(await plugger.isKeptOut(port, { signal }))) return
      await active.wait(portId, { signal }, { revision, hasFilters: async () => plugger.hasFilters(port, { signal }) })
      await plugger.join(port, { signal })
      return
    } catch (error) {
      if (signal.aborted) return
      log.warn({ portId, why: messageOf(error) }, 'a port is not in its network yet')
      await clock.sleep(RETRY_MS, signal).catch(() => undefined)
    }
  }
}
