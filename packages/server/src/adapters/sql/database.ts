import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { Kysely } from 'kysely'
import { Unavailable } from '../../domain/errors.ts'
import { SqliteConnection, SqliteDialect } from './dialect/sqlite.ts'
import { deploymentId, migrate, requireCurrent } from './migrate.ts'
import type { Schema } from './schema.ts'
import { isBusy, toStoreError } from './store-errors.ts'

/** Most transactions that share one commit. More would not save much and would make the first ones wait. */
const GROUP_SIZE = 64

/** Between two tries to get at a file that another process writes to. */
const FIRST_WAIT_MS = 1
const LONGEST_WAIT_MS = 16
/** Milliseconds after which whoever waits for that is told to come again. */
const PATIENCE_MS = 10_000
/** Milliseconds in which other processes get their turn. */
const TURN_MS = 2

export interface DatabaseOptions {
  /** The database's clock, for tests; default the machine's. */
  readonly nowMs?: () => number
  /** Other processes write to the same file: a busy one leaves them a turn now and then. */
  readonly isShared?: boolean
  /** false: a database of another version is refused, not changed. */
  readonly migrate?: boolean
}

interface QueuedWork {
  run(): Promise<void>
  settle(commitError: unknown): void
}

/**
 * The database file: one connection that writes, one that reads. Several processes of one machine may have it open.
 *
 * Writes queue up; whatever is waiting when the writer gets free shares one commit, each in a savepoint of its own, and
 * is answered after the commit is on the disk. Readers have their own connection, so they never see what is not
 * committed yet.
 */
export class SqlDatabase {
  readonly read: Kysely<Schema>
  /** Uuid made with the database; engine objects that carry it are this database's. */
  readonly deploymentId: string
  readonly #writer: SqliteConnection
  readonly #write: Kysely<Schema>
  readonly #isShared: boolean
  #queue: QueuedWork[] = []
  #flushing: Promise<void> | undefined

  constructor(path: string, options: DatabaseOptions = {}) {
    const { nowMs } = options
    this.#isShared = options.isShared ?? false
    this.#writer = new SqliteConnection(path, { readOnly: false, nowMs })
    try {
      if (options.migrate === false) requireCurrent(this.#writer)
      else migrate(this.#writer)
      this.deploymentId = deploymentId(this.#writer)
    } catch (error) {
      this.#writer.close()
      throw error
    }
    this.#writer.neverBlock()
    this.#write = new Kysely<Schema>({ dialect: new SqliteDialect(this.#writer) })
    const reader = new SqliteConnection(path, { readOnly: true, nowMs })
    this.read = new Kysely<Schema>({ dialect: new SqliteDialect(reader) })
  }

  write<T>(work: (trx: Kysely<Schema>) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let outcome: { value: T } | { error: unknown } | undefined
      this.#queue.push({
        run: async () => {
          this.#writer.exec('SAVEPOINT work')
          try {
            outcome = { value: await work(this.#write) }
            this.#writer.exec('RELEASE work')
          } catch (error) {
            outcome = { error }
            this.#writer.exec('ROLLBACK TO work')
            this.#writer.exec('RELEASE work')
          }
        },
        settle: (commitError) => {
          if (outcome !== undefined && 'error' in outcome) reject(toStoreError(outcome.error))
          else if (commitError !== undefined) reject(toStoreError(commitError))
          else if (outcome !== undefined) resolve(outcome.value)
        },
      })
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = undefined
      })
    })
  }

  async #flush(): Promise<void> {
    // Requests that arrived in the same turn of the event loop share the commit.
    await setImmediate()
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0, GROUP_SIZE)
      let failure: unknown
      try {
        await this.#begin()
        for (const work of group) await work.run()
        this.#writer.exec('COMMIT')
      } catch (error) {
        failure = error
        // After some errors (a full disk) SQLite has rolled back by itself, and this says so.
        try {
          this.#writer.exec('ROLLBACK')
        } catch {}
      }
      for (const work of group) work.settle(failure)
      if (this.#isShared && this.#queue.length > 0) await sleep(TURN_MS)
    }
  }

  /** While another process writes, the requests of this one go on. */
  async #begin(): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        this.#writer.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        if (!isBusy(error)) throw error
        if (performance.now() > end) {
          throw new Unavailable('The database is busy.', { cause: error, retryAfterS: 1 })
        }
      }
      await sleep(waitMs)
    }
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.read.destroy()
    await this.#write.destroy()
  }
}
