import type { Asker } from './asker.ts'

/** As the image service describes it to its users. */
export interface ServiceImage {
  readonly id: string
  readonly name: string | null
  readonly status: string
  readonly tags: readonly string[]
  readonly size: number | null
  readonly container_format: string | null
  readonly disk_format: string | null
  readonly visibility: string | null
  readonly owner: string | null
  readonly created_at: string | null
  readonly updated_at: string | null
}

/** The cloud's images, as the caller may see them; what they may see is the service's own judgement. */
export interface ImageService {
  /**
   * The image that an id, a name, or a name with a tag means. InvalidInput `image-not-found` when there is none, or none
   * that a container can be made of; Conflict when there are several; Unavailable.
   */
  resolve(text: string, asker: Asker): Promise<{ readonly id: string }>
  search(name: string, exactMatch: boolean, asker: Asker): Promise<ServiceImage[]>
  /** A record without data, under this id, whose owner is the caller's project. */
  begin(image: { readonly id: string; readonly name: string; readonly tag: string }, asker: Asker): Promise<void>
  /** As the service itself. Gone already is a success. */
  remove(id: string, o: { readonly signal: AbortSignal }): Promise<void>
}
