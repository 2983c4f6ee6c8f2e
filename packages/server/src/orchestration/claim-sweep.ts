import type { Container } from '../domain/container/types.ts'
import { HostLacks, messageOf } from '../domain/errors.ts'
import type { Clock, Logger } from './ports/clock.ts'
import { CLAIMS_BELL, type ResourceClaims } from './ports/resource-claims.ts'
import type { Doorbell, Host, Store } from './ports/store.ts'
import { claimOf, claimOn } from './scheduling/claim-of.ts'
import { Rounds } from './rounds.ts'

export interface ClaimSweepDeps {
  readonly store: Store
  readonly doorbell: Pick<Doorbell, 'listen'>
  readonly claims: ResourceClaims
  readonly clock: Clock
  readonly log: Logger
  readonly pollMs: number
}

/**
 * Makes the cloud's count of what is held of our hosts that of our records, both ways: what nobody holds any more is
 * released, and what is missing is claimed. Steps do both in time; this is for those that could not, and for resizes that have made
 * something smaller: only the record knows what others that were accepted meanwhile will need.
 */
export class ClaimSweep extends Rounds {
  readonly #deps: ClaimSweepDeps
  /** Claims that were refused; each is told once. */
  readonly #refused = new Set<string>()

  constructor(deps: ClaimSweepDeps) {
    const { clock, log, pollMs, doorbell } = deps
    super({
      clock,
      log,
      everyMs: pollMs,
      failed: 'what is held of the hosts was not compared',
      listen: (onRing, signal) => doorbell.listen(CLAIMS_BELL, onRing, signal),
    })
    this.#deps = deps
  }

  async round(): Promise<void> {
    const { store, log } = this.#deps
    const hosts = await store.hosts.list().catch((error: unknown) => {
      log.warn({ err: error }, 'the hosts could not be looked up')
      return []
    })
    for (const host of hosts) {
      const provider = host.inventory?.resourceProvider
      if (provider === undefined || this.signal.aborted) continue
      try {
        await this.#lookAt(host, provider)
      } catch (error) {
        if (this.signal.aborted) return
        log.warn({ host: host.name, why: messageOf(error) }, 'what is held of the host could not be compared')
      }
    }
  }

  async #lookAt(host: Host, { uuid: provider, isShared }: { uuid: string; isShared: boolean }): Promise<void> {
    const { store, claims } = this.#deps
    const { signal } = this
    await claims.markDisabled(provider, host.disabled, { signal })
    // First what is held, then the records: a record is there before its claim is made.
    const held = await claims.heldOf(provider, { signal })
    const records = new Map((await store.containers.onHost(host.name)).map((record) => [record.uuid, record]))
    for (const consumer of held.keys()) {
      if ((records.get(consumer)?.allocation ?? null) === null) await this.#mendExtra(consumer, host, isShared)
    }
    for (const record of records.values()) {
      const claim = claimOn(record, provider)
      if (claim === undefined || held.get(record.uuid)?.isAsClaimed(claim) === true) continue
      await this.#mendMissing(record, provider)
    }
  }

  /** Held of this host, and by our records not. */
  async #mendExtra(consumer: string, host: Host, isShared: boolean): Promise<void> {
    const { store, claims, log } = this.#deps
    const { signal } = this
    const record = await store.containers.byUuid(consumer, { kind: 'all' })
    if (record?.host === host.name && record.allocation !== null) return
    // Another service's, as long as we do not know that it was one of ours.
    if (isShared && record === undefined && (await store.history.byUuid(consumer, { kind: 'all' })) === undefined)
      return
    const { claim } = record === undefined ? {} : claimOf(record)
    if (claim === undefined) await claims.release(consumer, { signal })
    else await claims.hold(consumer, claim, { signal })
    log.info({ containerId: consumer, host: host.name }, 'room that it does not hold any more was given back')
  }

  async #mendMissing({ uuid }: Container, provider: string): Promise<void> {
    const { store, claims, log } = this.#deps
    const { signal } = this
    // What is under way claims and releases by itself.
    if ((await store.operations.unfinished(uuid)).length > 0) return
    const record = await store.containers.byUuid(uuid, { kind: 'all' })
    const claim = record === undefined ? undefined : claimOn(record, provider)
    if (claim === undefined) return
    try {
      await claims.hold(uuid, claim, { signal })
    } catch (error) {
      if (!(error instanceof HostLacks)) throw error
      if (!this.#refused.has(uuid))
        log.warn({ containerId: uuid, why: error.message }, 'room that it holds was refused')
      this.#refused.add(uuid)
      return
    }
    this.#refused.delete(uuid)
    log.info({ containerId: uuid, provider }, 'room that it holds was claimed')
    // It may have been deleted meanwhile, and what deletes it has released before this.
    const now = await store.containers.byUuid(uuid, { kind: 'all' })
    if (now === undefined || now.allocation === null) await claims.release(uuid, { signal })
  }
}
