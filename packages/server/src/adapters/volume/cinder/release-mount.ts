import { Retryable } from '../../../domain/errors.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { MountData } from '../../../orchestration/ports/wire.ts'
import type { Cinder } from '../../openstack/cinder.ts'

/** What Cinder holds for a mount whose host is gone. Retryable while a volume that is to go has not gone. */
export async function releaseMount(cinder: Cinder, mount: MountData, o: CallOptions): Promise<void> {
  const { volumeUuid, attachment, autoRemove } = mount
  if (attachment === undefined || attachment === null) return
  for (const { id } of await cinder.attachmentsOf(volumeUuid, attachment.holder, o)) await cinder.detach(id, o)
  if (!autoRemove) return
  const volume = await cinder.show(volumeUuid, {}, o)
  if (volume === undefined) return
  if (volume.status !== 'deleting') await cinder.remove(volumeUuid, o)
  throw new Retryable('volume.not_deleted', `volume ${volumeUuid} is ${volume.status}`)
}
