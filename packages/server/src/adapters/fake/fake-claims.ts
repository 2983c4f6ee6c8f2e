import { HostLacks } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { HeldAmounts, ResourceClaims } from '../../orchestration/ports/resource-claims.ts'
import type { ResourceClaim } from '../../orchestration/ports/wire.ts'

type Amounts = Pick<ResourceClaim, 'cpu' | 'memoryMiB' | 'diskGiB'>

const NOTHING: Amounts = { cpu: 0, memoryMiB: 0, diskGiB: 0 }

/** A count of hosts in memory. */
export class FakeClaims implements ResourceClaims {
  /** By provider; one that is not here has room for everything. */
  readonly capacity = new Map<string, Amounts>()
  readonly disabled = new Set<string>()
  readonly removed = new Set<string>()
  readonly #held = new Map<string, ResourceClaim>()

  async isHeld(consumer: string, claim: ResourceClaim, { signal }: CallOptions): Promise<boolean> {
    signal.throwIfAborted()
    const held = this.#held.get(consumer)
    return held?.provider === claim.provider && isSame(held, claim)
  }

  async hold(consumer: string, claim: ResourceClaim, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted()
    const others = [...this.#held].filter(([other, { provider }]) => other !== consumer && provider === claim.provider)
    const used = others.map(([, held]) => held).reduce(sum, NOTHING)
    const room = this.capacity.get(claim.provider)
    if (room !== undefined && !fits(sum(used, claim), room)) throw new HostLacks('there is no room for it on the host')
    this.#held.set(consumer, claim)
  }

  async release(consumer: string, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted()
    this.#held.delete(consumer)
  }

  async heldOf(provider: string, { signal }: CallOptions): Promise<ReadonlyMap<string, HeldAmounts>> {
    signal.throwIfAborted()
    const held = [...this.#held].filter(([, claim]) => claim.provider === provider)
    return new Map(held.map(([consumer, amounts]) => [consumer, { isAsClaimed: (claim) => isSame(amounts, claim) }]))
  }

  async markDisabled(provider: string, isDisabled: boolean, { signal }: CallOptions): Promise<void> {
    signal.throwIfAborted()
    if (isDisabled) this.disabled.add(provider)
    else this.disabled.delete(provider)
  }

  async removeProvider(provider: string, { signal }: CallOptions): Promise<boolean> {
    signal.throwIfAborted()
    if ([...this.#held.values()].some((claim) => claim.provider === provider)) return false
    this.capacity.delete(provider)
    this.removed.add(provider)
    return true
  }

  /** For tests: who holds what of whom. */
  world(): string[] {
    return [...this.#held]
      .map(([consumer, { provider, cpu, memoryMiB, diskGiB }]) => {
        return `${consumer} holds ${cpu} cores, ${memoryMiB} MiB, ${diskGiB} GiB of ${provider}`
      })
      .toSorted()
  }
}

function sum(a: Amounts, b: Amounts): Amounts {
  return { cpu: a.cpu + b.cpu, memoryMiB: a.memoryMiB + b.memoryMiB, diskGiB: a.diskGiB + b.diskGiB }
}

function fits(a: Amounts, room: Amounts): boolean {
  return a.cpu <= room.cpu && a.memoryMiB <= room.memoryMiB && a.diskGiB <= room.diskGiB
}

function isSame(a: Amounts, b: Amounts): boolean {
  return a.cpu === b.cpu && a.memoryMiB === b.memoryMiB && a.diskGiB === b.diskGiB
}
