/** The control plane's end of what hosts do with images outside of a container's operations. */
import { REGISTRY_DRIVER, SERVICE_DRIVER } from '../../domain/image/drivers.ts'
import { normaliseUuid } from '../../domain/ids.ts'
import type { ImageRecord, Store, StoreReads } from '../ports/store.ts'
import { requireHostSession } from './fencing.ts'
import type { ImageDone, ImageProgress, PendingImage, SessionRef } from '../ports/wire.ts'

export async function pendingImages(reads: StoreReads, session: SessionRef): Promise<PendingImage[]> {
  await requireHostSession(reads.hosts, session)
  return (await reads.images.pendingOn(session.host)).flatMap(toPending)
}

function toPending(record: ImageRecord): PendingImage[] {
  const { uuid, pending, repo, tag, projectId, imageId } = record
  if (pending !== 'pull' && pending !== 'delete') return []
  const isService = normaliseUuid(repo) !== undefined
  const imageDriver = isService ? SERVICE_DRIVER : REGISTRY_DRIVER
  const reference = isService ? repo : referenceOf(repo, tag)
  return [{ uuid, action: pending, reference, projectId, imageDriver, imageId }]
}

/** An image named by digest has that for its tag. */
function referenceOf(repo: string, tag: string): string {
  return tag.startsWith('sha256:') ? `${repo}@${tag}` : `${repo}:${tag}`
}

/** Of a pull that is wanted no more nothing is told. */
export async function imageProgress(store: Store, { session, uuid, detail, pull }: ImageProgress): Promise<void> {
  await store.write(async (tx) => {
    await requireHostSession(tx.hosts, session)
    const record = await tx.images.byUuid(uuid, { kind: 'all' })
    if (record?.host === session.host && record.pending === 'pull') await tx.images.tellProgress(uuid, { detail, pull })
  })
}

export async function imageDone(store: Store, { session, uuid, end }: ImageDone): Promise<void> {
  await store.write(async (tx) => {
    await requireHostSession(tx.hosts, session)
    const record = await tx.images.byUuid(uuid, { kind: 'all' })
    if (record === undefined || record.host !== session.host) return
    switch (end.kind) {
      case 'pulled': {
        const { imageId, sizeBytes } = end
        // Also while a deletion waits: it must know what to delete.
        await tx.images.update(uuid, {
          imageId,
          sizeBytes,
          ...(record.pending === 'pull' ? { pending: null, error: null } : {}),
        })
        break
      }
      case 'deleted':
        if (record.pending === 'delete') await tx.images.remove(uuid)
        break
      case 'failed':
        if (record.pending === end.action) await tx.images.update(uuid, { pending: null, error: end.message })
        break
      default:
        end satisfies never
    }
  })
}
