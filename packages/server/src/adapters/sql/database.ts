import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { Kysely } from 'kysely'
import { SystemFault, ZunError } from '../../domain/errors.ts'
import { SqliteConnection, SqliteDialect } from './dialect/sqlite.ts'
import { MIGRATIONS } from './migrations/index.ts'
import type { Schema } from './schema.ts'

/** Most transactions that share one commit. More would not save much and would make the first ones wait. */
const GROUP_SIZE = 64

interface QueuedWork {
  run(): Promise<void>
  settle(commitError: unknown): void
}

/**
 * The database file: one connection that writes, one that reads.
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
  #queue: QueuedWork[] = []
  #flushing: Promise<void> | undefined

  /** `nowMs`: the database's clock, for tests; default the machine's. */
  constructor(path: string, options: { readonly nowMs?: () => number } = {}) {
    const { nowMs } = options
    this.#writer = new SqliteConnection(path, { readOnly: false, nowMs })
    migrate(this.#writer)
    this.deploymentId = deploymentId(this.#writer)
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
        this.#writer.exec('BEGIN IMMEDIATE')
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
    }
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.read.destroy()
    await this.#write.destroy()
  }
}

function migrate(connection: SqliteConnection): void {
  connection.exec('CREATE TABLE IF NOT EXISTS schema_migration (name VARCHAR(255) PRIMARY KEY)')
  const { rows } = connection.run<{ name: string }>('SELECT name FROM schema_migration', [])
  const done = new Set(rows.map((row) => row.name))
  for (const { name, statements } of MIGRATIONS) {
    if (done.has(name)) continue
    connection.exec('BEGIN IMMEDIATE')
    try {
      for (const statement of statements) connection.exec(statement)
      connection.run('INSERT INTO schema_migration (name) VALUES (?)', [name])
      connection.exec('COMMIT')
    } catch (error) {
      connection.exec('ROLLBACK')
      throw toStoreError(error)
    }
  }
}

function deploymentId(connection: SqliteConnection): string {
  const [known] = connection.run<{ id: string }>('SELECT id FROM deployment', []).rows
  if (known !== undefined) return known.id
  const id = randomUUID()
  connection.run('INSERT INTO deployment (id) VALUES (?)', [id])
  return id
}

const SQLITE_FULL = 13
const SQLITE_CONSTRAINT = 19

/** Errors of ours pass; those of the database get a code. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof ZunError) return error
  const errcode = sqliteCode(error)
  if (errcode === SQLITE_FULL)
    return new SystemFault('store.full', 'the disk of the database is full', { cause: error })
  if (errcode === undefined) return error
  return new SystemFault('store.failed', 'the database refused a statement', { cause: error })
}

/** True for a UNIQUE (or other) constraint that a statement ran into. */
export function isConstraint(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_CONSTRAINT
}

function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  const { errcode } = error
  // The low byte is the primary code; the rest says more exactly which constraint.
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}
