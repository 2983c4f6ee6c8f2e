/** `image_driver`: where images come from, in the words of the API. */

/** Registries, and what the engine has. */
export const REGISTRY_DRIVER = 'docker'
/** The cloud's image service. */
export const SERVICE_DRIVER = 'glance'

/** Of an image that is named by its id. */
export const ONLY_TAG = 'latest'

export const DRIVERS: readonly string[] = [SERVICE_DRIVER, REGISTRY_DRIVER]
