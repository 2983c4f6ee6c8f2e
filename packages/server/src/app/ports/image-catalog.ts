import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ImageRequest } from '../../orchestration/ports/drivers.ts'

/**
 * Does an image exist where its driver would look for it? Asked before a create is accepted, so it must be quick: a
 * registry look-up has a deadline and a short cache, and `unknown` (no answer in time) lets the request pass.
 */
export interface ImageCatalog {
  /** `host` is where the engine's own images are looked at when the pull policy allows them; null: any. */
  check(request: ImageRequest, host: string | null, o: CallOptions): Promise<'exists' | 'absent' | 'denied' | 'unknown'>
}
