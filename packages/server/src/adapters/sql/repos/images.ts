import type { Kysely, Selectable } from 'kysely'
import { Conflict, InvalidInput, SystemFault } from '../../../domain/errors.ts'
import type { ImageEventDetails } from '../../../orchestration/ports/events.ts'
import type { ImageRecord, ImageWrites, Page, Scope } from '../../../orchestration/ports/store.ts'
import type { PullCount } from '../../../orchestration/ports/wire.ts'
import { isConstraint } from '../store-errors.ts'
import type { ImageTable, Schema } from '../schema.ts'
import { scoped } from './container-query.ts'
import { EventRepo } from './event-log.ts'

const SORT_COLUMNS: Readonly<Record<string, keyof ImageTable>> = {
  id: 'id',
  uuid: 'uuid',
  image_id: 'image_id',
  repo: 'repo',
  tag: 'tag',
  size: 'size',
  host: 'host',
  project_id: 'project_id',
}

export class ImageRepo implements ImageWrites {
  readonly #db: Kysely<Schema>
  readonly #events: EventRepo

  constructor(db: Kysely<Schema>, events = new EventRepo(db)) {
    this.#db = db
    this.#events = events
  }

  async byUuid(uuid: string, scope: Scope): Promise<ImageRecord | undefined> {
    const row = await scoped(
      this.#db.selectFrom('image').selectAll().where('uuid', '=', uuid),
      scope,
    ).executeTakeFirst()
    return row === undefined ? undefined : toImage(row)
  }

  async list(page: Page, scope: Scope): Promise<ImageRecord[]> {
    const column = Object.hasOwn(SORT_COLUMNS, page.sortKey) ? SORT_COLUMNS[page.sortKey] : undefined
    if (column === undefined) {
      throw new InvalidInput(
        `Invalid input for query parameters 'sort_key'. Value: '${page.sortKey}'. It is not one of ${Object.keys(SORT_COLUMNS).join(', ')}`,
        'invalid-parameter-value',
      )
    }
    const rows = await scoped(this.#db.selectFrom('image').selectAll(), scope)
      .orderBy(column, page.sortDir)
      .orderBy('id', page.sortDir)
      .execute()
    const all = rows.map(toImage)
    const from = page.marker === null ? 0 : all.findIndex((image) => image.uuid === page.marker) + 1
    if (page.marker !== null && from === 0) {
      throw new InvalidInput(`Image ${page.marker} could not be found.`, 'image-not-found')
    }
    return all.slice(from, from + page.limit)
  }

  async named(repo: string, tag: string, host: string): Promise<ImageRecord | undefined> {
    const row = await this.#db
      .selectFrom('image')
      .selectAll()
      .where('repo', '=', repo)
      .where('tag', '=', tag)
      .where('host', '=', host)
      .executeTakeFirst()
    return row === undefined ? undefined : toImage(row)
  }

  async pendingOn(host: string): Promise<ImageRecord[]> {
    const rows = await this.#db
      .selectFrom('image')
      .selectAll()
      .where('host', '=', host)
      .where('pending', 'in', ['pull', 'delete'])
      .orderBy('id')
      .execute()
    return rows.map(toImage)
  }

  async insert(image: Omit<ImageRecord, 'id'>): Promise<ImageRecord> {
    try {
      await this.#db
        .insertInto('image')
        .values({
          uuid: image.uuid,
          image_id: image.imageId,
          repo: image.repo,
          tag: image.tag,
          size: image.sizeBytes,
          host: image.host,
          project_id: image.projectId,
          user_id: image.userId,
          pending: image.pending,
          error: image.error,
        })
        .execute()
    } catch (error) {
      if (!isConstraint(error)) throw error
      throw new Conflict(
        `An image ${image.repo}:${image.tag} exists on host ${image.host} already.`,
        'image-already-exists',
      )
    }
    const made = await this.byUuid(image.uuid, { kind: 'all' })
    if (made === undefined) throw new SystemFault('store.lost', 'an image was not stored')
    await this.#tell(made.uuid, { type: 'created' })
    return made
  }

  async update(
    uuid: string,
    patch: Partial<Pick<ImageRecord, 'imageId' | 'repo' | 'tag' | 'sizeBytes' | 'pending' | 'error'>>,
  ): Promise<boolean> {
    const result = await this.#db
      .updateTable('image')
      .set({
        uuid,
        ...(patch.imageId === undefined ? {} : { image_id: patch.imageId }),
        ...(patch.repo === undefined ? {} : { repo: patch.repo }),
        ...(patch.tag === undefined ? {} : { tag: patch.tag }),
        ...(patch.sizeBytes === undefined ? {} : { size: patch.sizeBytes }),
        ...(patch.pending === undefined ? {} : { pending: patch.pending }),
        ...(patch.error === undefined ? {} : { error: patch.error }),
      })
      .where('uuid', '=', uuid)
      .executeTakeFirst()
    const { imageId, sizeBytes, error } = patch
    if (typeof imageId === 'string') {
      await this.#tell(uuid, { type: 'stored', image_id: imageId, size: sizeBytes ?? null })
    }
    if (typeof error === 'string') await this.#tell(uuid, { type: 'failed', error_message: error })
    return result.numUpdatedRows > 0n
  }

  async tellProgress(uuid: string, progress: { detail: string; pull: PullCount }): Promise<void> {
    await this.#tell(uuid, { type: 'progress', ...progress })
  }

  async #tell(uuid: string, details: ImageEventDetails): Promise<void> {
    const row = await this.#db
      .selectFrom('image')
      .select(['uuid', 'project_id', 'user_id', 'repo', 'tag'])
      .where('uuid', '=', uuid)
      .executeTakeFirst()
    if (row !== undefined) await this.#events.ofImage(row, details)
  }

  async remove(uuid: string): Promise<boolean> {
    await this.#tell(uuid, { type: 'deleted' })
    const result = await this.#db.deleteFrom('image').where('uuid', '=', uuid).executeTakeFirst()
    return result.numDeletedRows > 0n
  }

  async abandonCommit(uuid: string): Promise<void> {
    const record = await this.byUuid(uuid, { kind: 'all' })
    if (record?.imageId === null) await this.remove(uuid)
    await this.#db
      .updateTable('image')
      .set({ pending: null })
      .where('uuid', '=', uuid)
      .where('pending', '=', 'commit')
      .execute()
  }
}

function toImage(row: Selectable<ImageTable>): ImageRecord {
  return {
    id: row.id,
    uuid: row.uuid,
    imageId: row.image_id,
    repo: row.repo,
    tag: row.tag,
    sizeBytes: row.size,
    host: row.host,
    projectId: row.project_id,
    userId: row.user_id,
    pending: row.pending,
    error: row.error,
  }
}
