/** What the steps on a host use besides the engine itself. */
import type { CallOptions } from './control-plane.ts'
import type { ContainerSpec, MountData, PortData, RegistryAuth } from './wire.ts'
import type { EngineEndpoint, EngineMount, PullProgress } from './engine.ts'

export interface ImageRequest {
  readonly spec: Pick<ContainerSpec, 'image' | 'imageDriver' | 'imageId' | 'imagePullPolicy'>
  /** Project that asks: its own snapshots are looked at first (domain/image/snapshot.ts). */
  readonly projectId: string
  readonly registryDomain: string | null
  readonly auth: RegistryAuth | null
  /** It is wanted here for itself, and not for a container: it stays without one. */
  readonly isToStay?: boolean
}

/** An image that is on this host, ready to be run. */
export interface LocalImage {
  /** What to give to the engine as `Image`. */
  readonly reference: string
  readonly id: string
  readonly driver: string
}

export interface ImageDriver {
  /** The image if it is on the host AND the pull policy is content with that; undefined if work is needed. */
  find(request: ImageRequest, o: CallOptions): Promise<LocalImage | undefined>
  /**
   * Brings the image here. Callers that want the same image at the same time share one pull; each gets the progress.
   * UserFault `image.not_found`, `image.not_present` (policy never), `image.access_denied`; Retryable when the registry
   * does not answer or the pull stands still.
   */
  obtain(request: ImageRequest, onProgress: (p: PullProgress) => void, o: CallOptions): Promise<LocalImage>
}

/** Where snapshots go that are not only for their host: an image service has a record of each already. */
export interface SnapshotStore {
  /** UserFault `image.not_found` when the record is gone. */
  isWhole(imageId: string, o: CallOptions): Promise<boolean>
  /** Repeatable. `reference`: what the engine has; `name`: what it is called for those who get it. */
  upload(
    snapshot: { readonly imageId: string; readonly reference: string; readonly name: string },
    o: CallOptions,
  ): Promise<void>
}

export interface NetworkDriver {
  /**
   * Gets the port from the network service and ties it to this host; one that is there already, from an earlier try, is
   * taken. Gives what is known of it then. Repeatable. UserFault when the network service refuses, Retryable when it is
   * away, SystemFault when it cannot be tied to this host.
   */
  bind(port: PortData, o: CallOptions): Promise<PortData>
  /** Puts the port into a security group, or takes it out of it. Repeatable; errors as in `bind`. */
  changeGroup(port: PortData, change: GroupChange, o: CallOptions): Promise<PortData>
  /** Makes the port usable on this host (engine network exists). Repeatable. */
  prepare(port: PortData, o: CallOptions): Promise<EngineEndpoint>
  /**
   * Before what is on the port runs: returns once the port's packets pass, and only those that its security groups let
   * through, as far as can be told and awaited. Repeatable, also while it runs already.
   */
  activate(port: PortData, o: CallOptions): Promise<void>
  /**
   * The container has left the network: give up what the host holds for it. A port that was made goes, one that was brought
   * is as it was before. Repeatable.
   */
  release(port: PortData, o: CallOptions): Promise<void>
  /** What was remembered as ready may not be so any more: look again next time. */
  forget(): void
}

/** What a host has of containers besides those of its engine. */
export interface HostHoldings {
  /** Uuids of containers and capsules that have something here. */
  holders(): Promise<readonly string[]>
  /** Gives up what one has here that no record owns any more; its data stay. Repeatable. */
  abandon(holder: string, o: CallOptions): Promise<void>
}

export interface GroupChange {
  readonly kind: 'add' | 'remove'
  /** Its id. */
  readonly group: string
}

/** What is bound, and what has been learned of it that is to be kept. */
export interface AttachedVolume extends EngineMount {
  readonly data?: MountData
}

export interface VolumeDriver {
  /** Formats on first use, mounts, and says what to bind where. Repeatable; never formats a volume that has data. */
  attach(mount: MountData, o: CallOptions): Promise<AttachedVolume>
  /** Unmounts; with `destroy` also deletes the data. Repeatable. */
  detach(mount: MountData, destroy: boolean, o: CallOptions): Promise<void>
}
