import type { OpenStack, OpenStackCall } from './call.ts'
import { OpenStackError, OpenStackUnreachable } from './errors.ts'
import { isRecord, numberIn, recordIn, recordsIn, textIn, type JsonRecord } from './json.ts'

/** In whose name; empty: the service's own. */
export type InNameOf = Pick<OpenStackCall, 'userToken' | 'projectId' | 'requestId'>

export interface CinderVolume {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly sizeGiB: number
  readonly multiattach: boolean
  readonly encrypted: boolean
  /** null: the asker is not told. */
  readonly projectId: string | null
  /** `server_id` of each. */
  readonly holders: readonly string[]
}

export interface CinderAttachment {
  readonly id: string
  /** In whose name it was made. */
  readonly holder: string | null
  readonly status: string
  /** Empty: it only reserves the volume. */
  readonly connection: JsonRecord
}

interface CallOptions {
  readonly signal: AbortSignal
}

/** Of attachments: 3.44 has their completion. Newer ones are not needed. */
const MICROVERSION = '3.44'
const PAGE = 500

/** The block storage service, version 3. */
export class Cinder {
  readonly #cloud: OpenStack

  constructor(cloud: OpenStack) {
    this.#cloud = cloud
  }

  /** undefined: there is none that the asker may see. */
  async show(id: string, as: InNameOf, o: CallOptions): Promise<CinderVolume | undefined> {
    return await orNone(async () => {
      const body = await this.#ask({ ...as, method: 'GET', path: `/volumes/${encodeURIComponent(id)}` }, o)
      return toVolume(recordIn(body, 'volume'))
    })
  }

  async named(name: string, as: InNameOf, o: CallOptions): Promise<readonly CinderVolume[]> {
    const query = { name, limit: PAGE }
    const body = await this.#ask({ ...as, method: 'GET', path: '/volumes/detail', query }, o)
    return recordsIn(body, 'volumes')
      .map(toVolume)
      .filter((volume) => volume.name === name)
  }

  /** Of all projects, as the service itself. */
  async marked(key: string, value: string, o: CallOptions): Promise<readonly CinderVolume[]> {
    const query = { all_tenants: 1, metadata: `{"${key}": "${value}"}`, limit: PAGE }
    const body = await this.#ask({ method: 'GET', path: '/volumes/detail', query }, o)
    return recordsIn(body, 'volumes')
      .filter((volume) => textIn(recordIn(volume, 'metadata'), key) === value)
      .map(toVolume)
  }

  /** Of the asker's project. */
  async create(
    { sizeGiB, metadata }: { readonly sizeGiB: number; readonly metadata: Readonly<Record<string, string>> },
    as: InNameOf,
    o: CallOptions,
  ): Promise<CinderVolume> {
    const body = { volume: { size: sizeGiB, metadata } }
    return toVolume(recordIn(await this.#ask({ ...as, method: 'POST', path: '/volumes', body }, o), 'volume'))
  }

  /** Accepted, and not done yet; gone already is a success. */
  async remove(id: string, o: CallOptions): Promise<void> {
    await orNone(() => this.#ask({ method: 'DELETE', path: `/volumes/${encodeURIComponent(id)}` }, o))
  }

  /** Those that were made in this name. */
  async attachmentsOf(volumeId: string, holder: string, o: CallOptions): Promise<readonly CinderAttachment[]> {
    const query = { all_tenants: 1, volume_id: volumeId, instance_id: holder, limit: PAGE }
    const body = await this.#ask({ method: 'GET', path: '/attachments/detail', query }, o)
    return recordsIn(body, 'attachments')
      .filter((found) => textIn(found, 'volume_id') === volumeId && textIn(found, 'instance') === holder)
      .map(toAttachment)
  }

  async attach(volumeId: string, holder: string, connector: JsonRecord, o: CallOptions): Promise<CinderAttachment> {
    const body = { attachment: { volume_uuid: volumeId, instance_uuid: holder, connector } }
    return toAttachment(recordIn(await this.#ask({ method: 'POST', path: '/attachments', body }, o), 'attachment'))
  }

  /** The host has it: from now on the volume is in use. */
  async complete(attachmentId: string, o: CallOptions): Promise<void> {
    const path = `/attachments/${encodeURIComponent(attachmentId)}/action`
    await this.#ask({ method: 'POST', path, body: { 'os-complete': {} } }, o)
  }

  /** Gone already is a success. */
  async detach(attachmentId: string, o: CallOptions): Promise<void> {
    await orNone(() => this.#ask({ method: 'DELETE', path: `/attachments/${encodeURIComponent(attachmentId)}` }, o))
  }

  async #ask(call: Omit<OpenStackCall, 'service' | 'signal'>, { signal }: CallOptions): Promise<unknown> {
    // Only a service may take an attachment from a server; without its token the compute service would be asked.
    const { body } = await this.#cloud.json({
      ...call,
      service: 'volumev3',
      microversion: MICROVERSION,
      asService: true,
      signal,
    })
    return body
  }
}

async function orNone<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof OpenStackError && error.status === 404) return undefined
    throw error
  }
}

function toVolume(volume: JsonRecord): CinderVolume {
  const id = textIn(volume, 'id')
  const status = textIn(volume, 'status')
  if (id === undefined || status === undefined) throw badAnswer('volume')
  return {
    id,
    status,
    name: textIn(volume, 'name') ?? '',
    sizeGiB: numberIn(volume, 'size') ?? 0,
    multiattach: volume['multiattach'] === true,
    encrypted: volume['encrypted'] === true,
    projectId: textIn(volume, 'os-vol-tenant-attr:tenant_id') ?? null,
    holders: recordsIn(volume, 'attachments').map((one) => textIn(one, 'server_id') ?? ''),
  }
}

function toAttachment(attachment: JsonRecord): CinderAttachment {
  const id = textIn(attachment, 'id')
  if (id === undefined) throw badAnswer('attachment')
  const connection = attachment['connection_info']
  return {
    id,
    holder: textIn(attachment, 'instance') ?? null,
    status: textIn(attachment, 'status') ?? '',
    connection: isRecord(connection) ? connection : {},
  }
}

function badAnswer(what: string): OpenStackUnreachable {
  return new OpenStackUnreachable('volumev3', `has answered with something that is no ${what}`)
}
