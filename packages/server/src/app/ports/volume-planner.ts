/**
 * Whose volumes containers mount. Adapters: app/volumes/local-planner (the built-in service), and
 * adapters/volume/cinder/cinder-planner.
 */
import type { Tx } from '../../orchestration/ports/store.ts'
import type { MountData } from '../../orchestration/ports/wire.ts'
import type { Asker } from './asker.ts'

export type VolumeRequest =
  /** By uuid, and by name unless `onlyById`. */
  | { readonly kind: 'existing'; readonly source: string; readonly onlyById: boolean }
  | { readonly kind: 'new'; readonly sizeGiB: number; readonly autoRemove: boolean }

export type PlannedVolume = Pick<MountData, 'volumeUuid' | 'provider' | 'sizeGiB' | 'autoRemove' | 'attachment'>

export interface VolumePlace {
  /** Where the container will be. */
  readonly host: string
  /** Uuid of the container, or of the capsule for all of its members. */
  readonly holder: string
  readonly userId: string
}

export interface VolumePlan {
  /** The host that existing volumes tie a container to: their data is there and nowhere else. null: any. */
  host(tx: Tx): Promise<string | null>
  /** One for each request, in the transaction that accepts: what can only be told there is checked there. */
  volumes(tx: Tx, place: VolumePlace): Promise<PlannedVolume[]>
  /** The request was not accepted, or got no host: what was made for it goes. Never throws. */
  giveUp(): Promise<void>
}

export interface VolumePlanner {
  /**
   * NotFound `volume-not-found`, Conflict when a name is that of several, InvalidInput `volume-not-usable`, `volume-in-use`,
   * `volume-create-failed`; Unavailable. Some of them may come only in the transaction.
   */
  plan(asker: Asker, requests: readonly VolumeRequest[]): Promise<VolumePlan>
}
