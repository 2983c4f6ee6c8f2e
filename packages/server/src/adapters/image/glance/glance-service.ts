import type { Asker } from '../../../app/ports/asker.ts'
import type { ImageService, ServiceImage } from '../../../app/ports/image-service.ts'
import { Conflict, InvalidInput } from '../../../domain/errors.ts'
import { normaliseUuid } from '../../../domain/ids.ts'
import { refusalFor } from '../../openstack/errors.ts'
import type { Glance, GlanceImage, InNameOf } from '../../openstack/glance.ts'
import { textIn } from '../../openstack/json.ts'
import { CONTAINER_FORMAT, whyUnusable } from './usable.ts'

/** Longest text of a name in a message. */
const SHOWN = 255

/** What the API asks the image service, with the caller's own token. */
export class GlanceService implements ImageService {
  readonly #glance: Glance

  constructor(glance: Glance) {
    this.#glance = glance
  }

  async resolve(text: string, asker: Asker): Promise<{ readonly id: string }> {
    return await answered(async () => {
      const found = await this.#candidates(text, asker)
      const [usable, ...others] = found.filter((image) => whyUnusable(image) === undefined)
      if (usable !== undefined && others.length === 0) return usable
      if (usable !== undefined) {
        throw new Conflict(
          `Multiple images exist with name '${text.slice(0, SHOWN)}'. Please use the image id to be more specific.`,
        )
      }
      const [image] = found
      if (image === undefined) throw notFound(text, 'could not be found')
      throw notFound(text, `(${image.id}) cannot be run: ${whyUnusable(image) ?? ''}`)
    })
  }

  /** What the text may mean; the first reading that there is anything of counts. */
  async #candidates(text: string, asker: Asker): Promise<readonly GlanceImage[]> {
    const as = nameOf(asker)
    const id = normaliseUuid(text)
    const byId = id === undefined ? undefined : await this.#glance.show(id, as, asker)
    if (byId !== undefined) return [byId]
    const exactly = await this.#named(text, as, asker)
    const colon = text.lastIndexOf(':')
    if (exactly.length > 0 || colon < 1) return exactly
    const tag = text.slice(colon + 1)
    const tagged = await this.#named(text.slice(0, colon), as, asker)
    const [only] = tagged
    // One that has no tags at all is any of them.
    if (tagged.length === 1 && only !== undefined)
      return only.tags.length === 0 || only.tags.includes(tag) ? tagged : []
    return tagged.filter(({ tags }) => tags.includes(tag))
  }

  async #named(name: string, as: InNameOf, o: { signal: AbortSignal }): Promise<readonly GlanceImage[]> {
    return (await this.#glance.list(byName(name), as, o)).filter((image) => image.name === name)
  }

  async search(name: string, exactMatch: boolean, asker: Asker): Promise<ServiceImage[]> {
    return await answered(async () => {
      const filters = { container_format: CONTAINER_FORMAT, ...(exactMatch ? byName(name) : {}) }
      const found = await this.#glance.list(filters, nameOf(asker), asker)
      return found.filter((image) => (exactMatch ? image.name === name : image.name.includes(name))).map(toServiceImage)
    })
  }

  async begin(
    { id, name, tag }: { readonly id: string; readonly name: string; readonly tag: string },
    asker: Asker,
  ): Promise<void> {
    await answered(() =>
      this.#glance.create(
        // Raw: an archive is nothing that the service should look into.
        { id, name, tags: [tag], container_format: CONTAINER_FORMAT, disk_format: 'raw', visibility: 'private' },
        nameOf(asker),
        asker,
      ),
    )
  }

  async remove(id: string, o: { readonly signal: AbortSignal }): Promise<void> {
    await this.#glance.remove(id, {}, o)
  }
}

function nameOf({ token, caller, requestId }: Asker): InNameOf {
  return { userToken: token, projectId: caller.projectId, requestId }
}

/** What stands before a colon would be an operator, commas would part names, and quotes cannot be written at all. */
function byName(name: string): Readonly<Record<string, string>> {
  if (/["\\]/.test(name)) return { container_format: CONTAINER_FORMAT }
  return { name: /[:,]/.test(name) ? `in:"${name}"` : name }
}

function notFound(text: string, why: string): InvalidInput {
  return new InvalidInput(`Image ${text.slice(0, SHOWN)} ${why}.`, 'image-not-found')
}

/** What the service says to the caller is for the caller. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw refusalFor(error)
  }
}

function toServiceImage({ id, status, tags, sizeBytes, containerFormat, fields }: GlanceImage): ServiceImage {
  const text = (name: string): string | null => textIn(fields, name) ?? null
  return {
    id,
    name: text('name'),
    status,
    tags,
    size: sizeBytes,
    container_format: containerFormat,
    disk_format: text('disk_format'),
    visibility: text('visibility'),
    owner: text('owner'),
    created_at: text('created_at'),
    updated_at: text('updated_at'),
  }
}
