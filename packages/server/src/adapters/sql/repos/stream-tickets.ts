import { createHash, randomBytes } from 'node:crypto'
import { sql, type Kysely } from 'kysely'
import type { StreamTarget, StreamTicket, StreamTickets } from '../../../app/ports/stream-tickets.ts'
import type { SqlDatabase } from '../database.ts'
import { NOW_MS } from '../dialect/sqlite.ts'
import type { Schema } from '../schema.ts'

const now = sql<number>`${sql.raw(NOW_MS)}`

export class SqlStreamTickets implements StreamTickets {
  readonly #database: SqlDatabase
  readonly #ttlMs: number

  constructor(options: { database: SqlDatabase; ttlMs: number }) {
    this.#database = options.database
    this.#ttlMs = options.ttlMs
  }

  async issue({ containerUuid, host, userId, stream }: StreamTicket): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    await this.#database.write(async (trx) => {
      await trx.deleteFrom('stream_ticket').where('expires_at', '<=', now).execute()
      if (stream.verb !== 'exec') {
        await trx
          .deleteFrom('stream_ticket')
          .where('container_uuid', '=', containerUuid)
          .where('user_id', '=', userId)
          .where('verb', '=', stream.verb)
          .execute()
      }
      await trx
        .insertInto('stream_ticket')
        .values({
          token_hash: digest(token),
          container_uuid: containerUuid,
          host,
          verb: stream.verb,
          exec_id: execIdOf(stream),
          user_id: userId,
          expires_at: sql<number>`${now} + ${this.#ttlMs}`,
        })
        .execute()
    })
    return token
  }

  async take(token: string, containerUuid: string, stream: StreamTarget): Promise<StreamTicket | undefined> {
    const hash = digest(token)
    const row = await matching(this.#database.read, hash, containerUuid, stream).executeTakeFirst()
    if (row === undefined) return undefined
    // Of several that come with one token, the one whose delete hits the row has it.
    const { numDeletedRows } = await this.#database.write((trx) =>
      trx.deleteFrom('stream_ticket').where('token_hash', '=', hash).executeTakeFirstOrThrow(),
    )
    return numDeletedRows === 0n ? undefined : { containerUuid, host: row.host, userId: row.user_id, stream }
  }
}

function matching(db: Kysely<Schema>, hash: string, containerUuid: string, stream: StreamTarget) {
  const select = db
    .selectFrom('stream_ticket')
    .select(['host', 'user_id'])
    .where('token_hash', '=', hash)
    .where('container_uuid', '=', containerUuid)
    .where('verb', '=', stream.verb)
    .where('expires_at', '>', now)
  return stream.verb === 'exec' ? select.where('exec_id', '=', stream.execId) : select
}

function execIdOf(stream: StreamTarget): string | null {
  return stream.verb === 'exec' ? stream.execId : null
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
