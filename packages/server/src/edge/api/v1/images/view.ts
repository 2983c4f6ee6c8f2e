import type { Image } from '@zund/contract/api/admin.ts'
import { userRepository } from '../../../../domain/image/snapshot.ts'
import type { ImageRecord } from '../../../../orchestration/ports/store.ts'

/** A snapshot is shown under the name its user gave, not under the place it has on the engine. */
export function imageView(image: ImageRecord, baseUrl: string): Image {
  return {
    uuid: image.uuid,
    links: [
      { href: `${baseUrl}/v1/images/${image.uuid}`, rel: 'self' },
      { href: `${baseUrl}/images/${image.uuid}`, rel: 'bookmark' },
    ],
    image_id: image.imageId,
    repo: userRepository(image.projectId, image.repo),
    tag: image.tag,
    size: image.sizeBytes === null ? null : String(image.sizeBytes),
    project_id: image.projectId,
    host: image.host,
  }
}
