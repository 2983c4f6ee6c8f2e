import { SystemFault, UserFault } from '../../domain/errors.ts'
import type { ImageService, ServiceImage } from '../../app/ports/image-service.ts'
import type { SnapshotStore } from '../../orchestration/ports/drivers.ts'

interface FakeRecord {
  readonly name: string
  isWhole: boolean
}

/** An image service in memory, as far as snapshots go: records are begun, and filled once. */
export class FakeImageService implements ImageService, SnapshotStore {
  readonly #records = new Map<string, FakeRecord>()
  readonly #hasImage: (reference: string) => boolean
  /** How often one that was whole was filled again. */
  #overwritten = 0

  /** `hasImage`: of any engine that could be the source. */
  constructor(hasImage: (reference: string) => boolean) {
    this.#hasImage = hasImage
  }

  async begin({ id, name, tag }: { readonly id: string; readonly name: string; readonly tag: string }): Promise<void> {
    this.#records.set(id, { name: `${name}:${tag}`, isWhole: false })
  }

  async remove(id: string): Promise<void> {
    this.#records.delete(id)
  }

  async resolve(): Promise<{ readonly id: string }> {
    throw new SystemFault('fake.not_simulated', 'images of the service are not looked up here')
  }

  async search(): Promise<ServiceImage[]> {
    return []
  }

  async isWhole(imageId: string): Promise<boolean> {
    return this.#record(imageId).isWhole
  }

  async upload({ imageId, reference }: { readonly imageId: string; readonly reference: string }): Promise<void> {
    const record = this.#record(imageId)
    if (!this.#hasImage(reference)) throw new UserFault('image.not_found', `the engine has no ${reference}`)
    if (record.isWhole) this.#overwritten += 1
    record.isWhole = true
  }

  /** Records that nothing came of are left out: those of requests that were never accepted are swept later. */
  world() {
    const whole = [...this.#records.values()].filter(({ isWhole }) => isWhole)
    return { images: whole.map(({ name }) => name).sort(), overwritten: this.#overwritten }
  }

  #record(imageId: string): FakeRecord {
    const record = this.#records.get(imageId)
    if (record === undefined) throw new UserFault('image.not_found', `there is no image ${imageId}`)
    return record
  }
}
