/**
 * Engine names of images that are kept by an image service. They lie under the domain that is no registry, at paths that
 * are no project's: nobody can pull, commit or load another image over them, or name them in a request.
 */

export const SERVICE_IMAGES = 'zund.local/images/'

/** What was loaded from the service. Its data cannot change under one id. */
export function serviceImageReference(imageId: string): string {
  return `${SERVICE_IMAGES}${imageId}:latest`
}

/** undefined: it is not the name of such an image. */
export function serviceImageIn(reference: string): string | undefined {
  const [, id] = /^([0-9a-f-]{36}):latest$/.exec(reference.replace(SERVICE_IMAGES, '')) ?? []
  return id !== undefined && serviceImageReference(id) === reference ? id : undefined
}

/** What was committed, until the service has it. */
export function uploadName(imageId: string): string {
  return `zund.local/uploads/${imageId}`
}
