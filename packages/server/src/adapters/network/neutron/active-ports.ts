import { messageOf, Retryable, SystemFault } from '../../../domain/errors.ts'
import type { Clock, Logger } from '../../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import { isAway } from '../../openstack/errors.ts'
import type { NeutronClient } from './neutron-client.ts'

export interface ActivePortsDeps {
  readonly neutron: NeutronClient
  readonly clock: Clock
  /** 0: nothing is waited for. */
  readonly activeTimeoutMs: number
  /** Otherwise a port that does not become active is told in the log, and that is all. */
  readonly activeRequired: boolean
  readonly log: Logger
}

const POLL_MS = 400
/** More than between two looks of an agent at its interfaces: by then it has taken away what was of an older one. */
const NOTICED_MS = 5_000

/** What was so when a port was plugged. */
export interface PluggedAt {
  /** null: it is not known, and whatever is ACTIVE counts. */
  readonly revision: number | null
  /**
   * Whether its filters are in the kernel. For who may have asked for the revision too late, when its agent had seen the new
   * interface already.
   */
  readonly hasFilters?: () => Promise<boolean>
}

/**
 * Waits for plugged ports to be ACTIVE. The agent of a host sets the filters of a port some time after it has found it
 * plugged; with Linux bridges, packets pass before. What Neutron shows as ACTIVE is filtered.
 */
export class ActivePorts {
  readonly #deps: ActivePortsDeps

  constructor(deps: ActivePortsDeps) {
    this.#deps = deps
  }

  /** To be asked before it is plugged. null: it is not known. */
  async revisionOf(portId: string, o: CallOptions): Promise<number | null> {
    const { neutron, activeTimeoutMs } = this.#deps
    if (activeTimeoutMs === 0) return null
    try {
      const signal = AbortSignal.any([o.signal, AbortSignal.timeout(activeTimeoutMs)])
      return (await neutron.port(portId, { signal }))?.revision ?? null
    } catch {
      // Who waits finds out what is wrong.
      o.signal.throwIfAborted()
      return null
    }
  }

  /**
   * One that was plugged a moment ago may still be shown as ACTIVE: the agent has not seen yet that an older interface went,
   * and takes the filters away when it does; or it is not there, after a boot. An agent that sees a new interface makes the port
   * BUILD and ACTIVE again, which are new revisions. `at` absent: it was plugged before.
   * When it is required: SystemFault after the time, Retryable while Neutron is away.
   */
  async wait(portId: string, o: CallOptions, at: PluggedAt = { revision: null }): Promise<void> {
    const { activeTimeoutMs, activeRequired, log } = this.#deps
    if (activeTimeoutMs === 0) return
    const why = await this.#untilActive(portId, o, at)
    o.signal.throwIfAborted()
    if (why === undefined) return
    const message = `port ${portId} is plugged, and not known to be active: ${why.message}`
    if (!activeRequired) {
      log.warn({ portId }, `${message}; its container starts all the same, and its security groups may not hold yet`)
      return
    }
    if (why.isAway) throw new Retryable('network.away', message)
    throw new SystemFault('network.port_not_active', message)
  }

  /** The reason when it has not come to that. */
  async #untilActive(
    portId: string,
    o: CallOptions,
    { revision: earlier, hasFilters }: PluggedAt,
  ): Promise<{ message: string; isAway: boolean } | undefined> {
    const { neutron, clock, activeTimeoutMs } = this.#deps
    const timeout = AbortSignal.timeout(activeTimeoutMs)
    const signal = AbortSignal.any([o.signal, timeout])
    const noticed = clock.now() + NOTICED_MS
    let status: string | undefined
    try {
      for (;;) {
        const port = await neutron.port(portId, { signal })
        if (port === undefined) return { message: 'it is gone', isAway: false }
        status = port.status
        const isOld = earlier !== null && port.revision !== null && port.revision <= earlier
        if (status === 'ACTIVE' && !isOld) return undefined
        if (status === 'ACTIVE' && clock.now() > noticed && (await hasFilters?.()) === true) return undefined
        await clock.sleep(POLL_MS, signal)
      }
    } catch (error) {
      if (!timeout.aborted) {
        if (isAway(error)) return { message: messageOf(error), isAway: true }
        throw error
      }
      const seconds = `${activeTimeoutMs / 1_000} s`
      if (status === undefined) {
        return { message: `the network service has not answered in ${seconds}`, isAway: true }
      }
      return {
        message: `it is ${status}${status === 'ACTIVE' ? ' as it was before' : ''} after ${seconds}, as it is while no agent of Neutron does its part here`,
        isAway: false,
      }
    }
  }
}
