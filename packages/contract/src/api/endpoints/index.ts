import type { RequestOptions } from '../limits.ts'
import { hostEndpoints, imageEndpoints, NETWORK_ENDPOINTS, SERVICE_ENDPOINTS } from './admin.ts'
import { containerEndpoints } from './containers.ts'
import { EVENT_ENDPOINTS } from './events.ts'
import { EXTENSION_ENDPOINTS, historyEndpoints, localEndpoints } from './extensions.ts'
import { LIVE_ENDPOINTS } from './live.ts'
import { capsuleEndpoints, QUOTA_ENDPOINTS, registryEndpoints } from './tenant.ts'

/** Every call of `/v1`, by its id. */
export function apiEndpoints(options: RequestOptions) {
  return {
    ...containerEndpoints(options),
    ...LIVE_ENDPOINTS,
    ...capsuleEndpoints(options),
    ...imageEndpoints(options),
    ...hostEndpoints(options),
    ...SERVICE_ENDPOINTS,
    ...NETWORK_ENDPOINTS,
    ...QUOTA_ENDPOINTS,
    ...registryEndpoints(options),
    ...EVENT_ENDPOINTS,
    ...historyEndpoints(options),
    ...localEndpoints(options),
    ...EXTENSION_ENDPOINTS,
  }
}

export type ApiEndpoints = ReturnType<typeof apiEndpoints>
