import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SystemFault, messageOf } from '../../../domain/errors.ts'
import { isRecord, recordIn, textIn } from '../../openstack/json.ts'
import type { Connection } from '../connectors/connector.ts'
import { flush } from '../volume-image.ts'

export interface Holder {
  /** At the volume service. */
  readonly attachmentId: string
  /** The volume goes with its last holder. */
  readonly autoRemove: boolean
}

/** What this host has of one volume: written before it is done, so that it is known to whoever comes after a crash. */
export interface HostRecord {
  readonly volumeId: string
  readonly connection: Connection
  /** A file system was begun to be made on an empty device, and may be half made. */
  readonly isBeingFormatted: boolean
  /** Containers, or capsules, that use it here. */
  readonly holders: Readonly<Record<string, Holder>>
}

/** One file for each volume, for root only: how a volume is reached may hold passwords. */
export class HostRecords {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async all(): Promise<HostRecord[]> {
    const names = await readdir(this.#directory).catch(() => [])
    const found: HostRecord[] = []
    for (const name of names) {
      const volumeId = /^([0-9a-f-]{36})\.json$/.exec(name)?.[1]
      const record = volumeId === undefined ? undefined : await this.read(volumeId)
      if (record !== undefined) found.push(record)
    }
    return found
  }

  async read(volumeId: string): Promise<HostRecord | undefined> {
    const path = this.#pathOf(volumeId)
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    try {
      return toRecord(volumeId, JSON.parse(text))
    } catch (error) {
      throw new SystemFault('volume.record_damaged', `${path} is damaged: ${messageOf(error)}`, { cause: error })
    }
  }

  /** On the disk when this returns. */
  async write(record: HostRecord): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const path = this.#pathOf(record.volumeId)
    const file = await open(`${path}.new`, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify({ version: 1, ...record }))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
    await flush(this.#directory)
  }

  async remove(volumeId: string): Promise<void> {
    await rm(this.#pathOf(volumeId), { force: true })
  }

  #pathOf(volumeId: string): string {
    return join(this.#directory, `${volumeId}.json`)
  }
}

function toRecord(volumeId: string, body: unknown): HostRecord {
  const connection = recordIn(body, 'connection')
  const type = textIn(connection, 'type')
  if (!isRecord(body) || type === undefined) throw new Error('it describes no connection')
  const holders: Record<string, Holder> = {}
  for (const [uuid, holder] of Object.entries(recordIn(body, 'holders'))) {
    const attachmentId = textIn(holder, 'attachmentId')
    if (attachmentId !== undefined)
      holders[uuid] = { attachmentId, autoRemove: recordIn(body['holders'], uuid)['autoRemove'] === true }
  }
  return {
    volumeId,
    connection: { type, data: recordIn(connection, 'data'), readOnly: connection['readOnly'] === true },
    isBeingFormatted: body['isBeingFormatted'] === true,
    holders,
  }
}
