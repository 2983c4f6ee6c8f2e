import type { Logger } from '../../orchestration/ports/clock.ts'
import type { Doorbell, Store } from '../../orchestration/ports/store.ts'
import type { AppOptions } from '../options.ts'
import type { HostGateway } from '../ports/host-gateway.ts'
import type { ImageService } from '../ports/image-service.ts'
import type { Policy } from '../ports/policy.ts'

export type ImageOptions = Pick<
  AppOptions,
  'maxPageSize' | 'serviceDownTimeS' | 'engineGraceMs' | 'imageDrivers' | 'defaultRegistry'
> & { readonly defaults: Pick<AppOptions['defaults'], 'imageDriver'> }

/** What the use cases of images work with. */
export interface ImageDeps {
  readonly store: Store
  readonly doorbell: Doorbell
  readonly policy: Policy
  readonly gateway: Pick<HostGateway, 'searchImages'>
  /** undefined: there is none, and no driver that needs one. */
  readonly imageService: ImageService | undefined
  readonly options: ImageOptions
  readonly log: Logger
  readonly newUuid: () => string
}
