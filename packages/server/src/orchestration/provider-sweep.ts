import { messageOf } from '../domain/errors.ts'
import type { Clock, Logger } from './ports/clock.ts'
import { LEFT_PROVIDERS_BELL, type LeftProvider } from './ports/left-providers.ts'
import type { ResourceClaims } from './ports/resource-claims.ts'
import type { Doorbell, Store } from './ports/store.ts'
import { Rounds } from './rounds.ts'
import { claimOf } from './scheduling/claim-of.ts'

export interface ProviderSweepDeps {
  readonly store: Store
  readonly doorbell: Pick<Doorbell, 'listen'>
  readonly claims: ResourceClaims
  readonly clock: Clock
  readonly log: Logger
  readonly pollMs: number
}

const AT_ONCE = 50

/**
 * Takes providers of hosts that were removed for good out of a cloud's count, once nothing is held of them. Several processes
 * may do it: what is gone is gone.
 */
export class ProviderSweep extends Rounds {
  readonly #deps: ProviderSweepDeps
  /** Providers that containers still hold of: the log says so once of each. */
  readonly #held = new Set<string>()

  constructor(deps: ProviderSweepDeps) {
    const { clock, log, pollMs, doorbell } = deps
    super({
      clock,
      log,
      everyMs: pollMs,
      failed: 'providers of hosts that are gone were not looked at',
      listen: (onRing, signal) => doorbell.listen(LEFT_PROVIDERS_BELL, onRing, signal),
    })
    this.#deps = deps
  }

  async round(): Promise<void> {
    const { store, log } = this.#deps
    for (const left of await store.leftProviders.list(AT_ONCE)) {
      this.signal.throwIfAborted()
      const about = { host: left.host, provider: left.uuid }
      try {
        await this.#lookAt(left)
      } catch (error) {
        if (this.signal.aborted) return
        log.warn({ ...about, why: messageOf(error) }, 'the provider of a host that is gone could not be removed yet')
      }
    }
  }

  async #lookAt({ uuid, host }: LeftProvider): Promise<void> {
    const { store, claims, log } = this.#deps
    const { signal } = this
    const about = { host, provider: uuid }
    const hosts = await store.hosts.list()
    if (hosts.some(({ inventory }) => inventory?.resourceProvider?.uuid === uuid)) {
      log.info(about, 'the host has come back, and its provider stays')
    } else {
      const isGone = (await claims.removeProvider(uuid, { signal })) || (await this.#emptied(uuid, signal))
      if (!isGone) {
        if (!this.#held.has(uuid)) {
          log.info(about, 'containers still hold of the provider of a host that is gone; it stays')
        }
        this.#held.add(uuid)
        return
      }
      log.info(about, 'a host that is gone has no provider any more')
    }
    this.#held.delete(uuid)
    await store.write((tx) => tx.leftProviders.remove(uuid))
  }

  /** Gives back what is held of it by no record any more. False: something else is. */
  async #emptied(provider: string, signal: AbortSignal): Promise<boolean> {
    const { store, claims } = this.#deps
    for (const consumer of (await claims.heldOf(provider, { signal })).keys()) {
      const record = await store.containers.byUuid(consumer, { kind: 'all' })
      const { claim } = record === undefined ? {} : claimOf(record)
      if (claim === undefined) await claims.release(consumer, { signal })
      else if (claim.provider !== provider) await claims.hold(consumer, claim, { signal })
    }
    return await claims.removeProvider(provider, { signal })
  }
}
