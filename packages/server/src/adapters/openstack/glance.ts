import type { Readable } from 'node:stream'
import type { OpenStack, OpenStackCall } from './call.ts'
import { OpenStackError, OpenStackUnreachable } from './errors.ts'
import { isRecord, numberIn, recordsIn, textIn, textsIn, type JsonRecord } from './json.ts'

/** In whose name; empty: the service's own. */
export type InNameOf = Pick<OpenStackCall, 'userToken' | 'projectId' | 'requestId'>

export interface GlanceImage {
  readonly id: string
  readonly name: string
  /** `active` when its data can be had. */
  readonly status: string
  readonly containerFormat: string | null
  readonly sizeBytes: number | null
  readonly tags: readonly string[]
  /** Of its data. null: the service has not counted any. */
  readonly checksum: { readonly algorithm: string; readonly value: string } | null
  /** All that was told. */
  readonly fields: JsonRecord
}

interface CallOptions {
  readonly signal: AbortSignal
}

/** Images read in one answer. */
const PAGE = 100
/** A name that has more than this is no name. */
const MOST_PAGES = 20

/** The image service, version 2. */
export class Glance {
  readonly #cloud: OpenStack

  constructor(cloud: OpenStack) {
    this.#cloud = cloud
  }

  /** undefined: there is none that the asker may see. */
  async show(id: string, as: InNameOf, { signal }: CallOptions): Promise<GlanceImage | undefined> {
    try {
      const { body } = await this.#cloud.json({ ...as, service: 'image', method: 'GET', path: pathOf(id), signal })
      return toImage(body)
    } catch (error) {
      if (error instanceof OpenStackError && error.status === 404) return undefined
      throw error
    }
  }

  /** Those whose fields have these values, as the asker may see them. */
  async list(
    filters: Readonly<Record<string, string>>,
    as: InNameOf,
    { signal }: CallOptions,
  ): Promise<readonly GlanceImage[]> {
    const found: GlanceImage[] = []
    let marker: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const { body } = await this.#cloud.json({
        ...as,
        service: 'image',
        method: 'GET',
        path: '/v2/images',
        query: { ...filters, limit: PAGE, ...(marker === undefined ? {} : { marker }) },
        signal,
      })
      const images = recordsIn(body, 'images').map(toImage)
      found.push(...images)
      // The service may have a smaller page than was asked for, so its length says nothing.
      marker = isRecord(body) && typeof body['next'] === 'string' ? images.at(-1)?.id : undefined
      if (marker === undefined) return found
    }
    return found
  }

  /** A record without data. Whoever asks is its owner. */
  async create(fields: JsonRecord, as: InNameOf, { signal }: CallOptions): Promise<void> {
    const call = { ...as, service: 'image' as const, method: 'POST' as const, path: '/v2/images', signal }
    await this.#cloud.json({ ...call, body: fields })
  }

  async upload(id: string, data: Readable, { signal }: CallOptions): Promise<void> {
    const { body } = await this.#cloud.stream({
      service: 'image',
      method: 'PUT',
      path: `${pathOf(id)}/file`,
      headers: { 'Content-Type': 'application/octet-stream' },
      body: data,
      signal,
    })
    body.destroy()
  }

  async download(id: string, { signal }: CallOptions): Promise<Readable> {
    const { body } = await this.#cloud.stream({ service: 'image', method: 'GET', path: `${pathOf(id)}/file`, signal })
    return body
  }

  /** Gone already is a success. */
  async remove(id: string, as: InNameOf, { signal }: CallOptions): Promise<void> {
    try {
      await this.#cloud.json({ ...as, service: 'image', method: 'DELETE', path: pathOf(id), signal })
    } catch (error) {
      if (!(error instanceof OpenStackError) || error.status !== 404) throw error
    }
  }
}

function pathOf(id: string): string {
  return `/v2/images/${encodeURIComponent(id)}`
}

function toImage(body: unknown): GlanceImage {
  const id = textIn(body, 'id')
  const status = textIn(body, 'status')
  if (!isRecord(body) || id === undefined || status === undefined) {
    throw new OpenStackUnreachable('image', 'has answered with something that is no image')
  }
  return {
    id,
    status,
    name: textIn(body, 'name') ?? '',
    containerFormat: textIn(body, 'container_format') ?? null,
    sizeBytes: numberIn(body, 'size') ?? null,
    tags: textsIn(body, 'tags'),
    checksum: checksumIn(body),
    fields: body,
  }
}

/** The better one, where there are two. */
function checksumIn(body: JsonRecord): GlanceImage['checksum'] {
  const algorithm = textIn(body, 'os_hash_algo')
  const value = textIn(body, 'os_hash_value')
  if (algorithm !== undefined && value !== undefined) return { algorithm, value: value.toLowerCase() }
  const md5 = textIn(body, 'checksum')
  return md5 === undefined ? null : { algorithm: 'md5', value: md5.toLowerCase() }
}
