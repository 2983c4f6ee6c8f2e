import { Retryable } from '../../../domain/errors.ts'
import type { Cinder } from '../../openstack/cinder.ts'

/** Metadata of volumes that were made for a request; the value is the mark that was noted before. */
export const VOLUME_MARK = 'zund_request'

/** Removes the volume with this mark that no container has got. Retryable while it cannot be. */
export async function removeMarked(cinder: Cinder, mark: string, o: { signal: AbortSignal }): Promise<void> {
  for (const { id, status } of await cinder.marked(VOLUME_MARK, mark, o)) {
    if (status === 'deleting') continue
    if (!['available', 'error', 'error_deleting'].includes(status)) {
      throw new Retryable('volume.not_deleted', `volume ${id} cannot be deleted while it is ${status}`)
    }
    await cinder.remove(id, o)
  }
}
