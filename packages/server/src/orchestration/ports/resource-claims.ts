/** Where a cloud counts what hosts have and who holds it, beside our own count. */
import type { CallOptions } from './control-plane.ts'
import type { ResourceClaim } from './wire.ts'

/** Rung when a container holds less of its host than it has claimed. */
export const CLAIMS_BELL = 'claims'

export interface HeldAmounts {
  /** Whole numbers, as they are counted there. */
  readonly isAsClaimed: (claim: ResourceClaim) => boolean
}

/** Of a container or a capsule by its uuid. Every call may be repeated; Retryable when it cannot be asked. */
export interface ResourceClaims {
  /** Holds exactly that, and nothing elsewhere? */
  isHeld(consumer: string, claim: ResourceClaim, o: CallOptions): Promise<boolean>
  /** Whatever it held before, anywhere, it holds this instead. HostLacks when the provider has not as much. */
  hold(consumer: string, claim: ResourceClaim, o: CallOptions): Promise<void>
  /** It holds nothing any more; nothing happens if it never did. */
  release(consumer: string, o: CallOptions): Promise<void>
  /** Everything that is held of a provider, by consumer. */
  heldOf(provider: string, o: CallOptions): Promise<ReadonlyMap<string, HeldAmounts>>
  /** Others see whether the host takes new containers. */
  markDisabled(provider: string, isDisabled: boolean, o: CallOptions): Promise<void>
  /** Takes the provider itself away. False: somebody holds something of it, and nothing was done. */
  removeProvider(provider: string, o: CallOptions): Promise<boolean>
}
