import type { Clock, Logger } from '../../orchestration/ports/clock.ts'
import type { Doorbell, Store } from '../../orchestration/ports/store.ts'
import type { AppOptions } from '../options.ts'
import type { AllocationCandidates } from '../ports/allocation-candidates.ts'
import type { ImageCatalog } from '../ports/image-catalog.ts'
import type { ImageService } from '../ports/image-service.ts'
import type { NetworkPlanner } from '../ports/network-planner.ts'
import type { Policy } from '../ports/policy.ts'
import type { Secrets } from '../ports/secrets.ts'
import type { VolumePlanner } from '../ports/volume-planner.ts'

/** What the use cases of containers work with. */
export interface ContainerDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly policy: Policy
  readonly images: ImageCatalog
  /** Who else counts what hosts have; absent: nobody. */
  readonly candidates?: AllocationCandidates | undefined
  /** undefined: there is none, and no driver that needs one. */
  readonly imageService: ImageService | undefined
  readonly networks: NetworkPlanner
  readonly secrets: Secrets
  readonly volumes: VolumePlanner
  readonly options: AppOptions
  readonly clock: Clock
  readonly log: Logger
  readonly newUuid: () => string
}
