/**
 * Engine names of images that are kept by an image service. They lie under the domain that is no registry, at paths that
 * are no project's: nobody can pull, commit or load another image over them, or name them in a request.
 */

/** What was loaded from the service. Its data cannot change under one id. */
export function serviceImageReference(imageId: string): string {
  return `zund.local/images/${imageId}:latest`
}

/** What was committed, until the service has it. */
export function uploadName(imageId: string): string {
  return `zund.local/uploads/${imageId}`
}
