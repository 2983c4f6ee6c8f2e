import { HostLacks, Retryable } from '../../../domain/errors.ts'
import type { Clock } from '../../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { HeldAmounts, ResourceClaims } from '../../../orchestration/ports/resource-claims.ts'
import type { ResourceClaim } from '../../../orchestration/ports/wire.ts'
import { OpenStackError, toRetryable } from '../errors.ts'
import { isSame, resourcesFor } from './amounts.ts'
import type { PlacementClient } from './client.ts'
import { overConflicts } from './conflicts.ts'

/** Of a host that takes no new containers. */
export const DISABLED_TRAIT = 'CUSTOM_ZUN_COMPUTE_STATUS_DISABLED'

/** What containers and capsules hold, as allocations with their uuid as consumer. */
export class PlacementClaims implements ResourceClaims {
  readonly #client: PlacementClient
  readonly #clock: Clock
  #isTraitThere = false

  constructor(client: PlacementClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async isHeld(consumer: string, claim: ResourceClaim, { signal }: CallOptions): Promise<boolean> {
    return await told(async () => {
      const { allocations } = await this.#client.consumer(consumer, signal)
      const held = allocations[claim.provider]
      return Object.keys(allocations).length === 1 && held !== undefined && isSame(held, resourcesFor(claim))
    })
  }

  async hold(consumer: string, claim: ResourceClaim, { signal }: CallOptions): Promise<void> {
    const { provider, projectId, userId } = claim
    await told(
      async () =>
        await overConflicts(this.#clock, signal, async () => {
          const { generation } = await this.#client.consumer(consumer, signal)
          const allocations = { [provider]: resourcesFor(claim) }
          await this.#client.putConsumer(consumer, { allocations, projectId, userId, generation }, signal)
        }),
    )
  }

  async release(consumer: string, { signal }: CallOptions): Promise<void> {
    await told(
      async () =>
        await overConflicts(this.#clock, signal, async () => {
          const held = await this.#client.consumer(consumer, signal)
          if (Object.keys(held.allocations).length === 0) return
          await this.#client.putConsumer(consumer, { ...held, allocations: {} }, signal)
        }),
    )
  }

  async heldOf(provider: string, { signal }: CallOptions): Promise<ReadonlyMap<string, HeldAmounts>> {
    return await told(async () => {
      const held = Object.entries(await this.#client.allocationsOn(provider, signal))
      return new Map(
        held.map(([consumer, amounts]) => [
          consumer,
          { isAsClaimed: (claim: ResourceClaim) => isSame(amounts, resourcesFor(claim)) },
        ]),
      )
    })
  }

  async markDisabled(provider: string, isDisabled: boolean, { signal }: CallOptions): Promise<void> {
    await told(async () => {
      const isAnyConflict = (): boolean => true
      await overConflicts(
        this.#clock,
        signal,
        async () => {
          const { generation, traits } = await this.#client.traits(provider, signal)
          if (traits.includes(DISABLED_TRAIT) === isDisabled) return
          if (isDisabled) await this.ensureTrait(signal)
          // Those of others stay as they are.
          const others = traits.filter((trait) => trait !== DISABLED_TRAIT)
          const wanted = isDisabled ? [...others, DISABLED_TRAIT] : others
          await this.#client.putTraits(provider, generation, wanted, signal)
        },
        isAnyConflict,
      )
    })
  }

  async removeProvider(provider: string, { signal }: CallOptions): Promise<boolean> {
    try {
      await this.#client.deleteProvider(provider, signal)
      return true
    } catch (error) {
      if (error instanceof OpenStackError && error.status === 404) return true
      if (error instanceof OpenStackError && error.status === 409) return false
      throw toRetryable(error)
    }
  }

  /** Once in a process. */
  async ensureTrait(signal: AbortSignal): Promise<void> {
    if (this.#isTraitThere) return
    await this.#client.ensureTrait(DISABLED_TRAIT, signal)
    this.#isTraitThere = true
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof OpenStackError)) throw toRetryable(error)
    if (error.status === 409) {
      throw new HostLacks(`The placement service gives it no room on the host: ${error.reason}`)
    }
    // A provider that is not there (yet, or any more) is reported anew by its host.
    if (error.status === 400 || error.status === 404) {
      throw new Retryable('placement.refused', error.message, { cause: error })
    }
    throw toRetryable(error)
  }
}
