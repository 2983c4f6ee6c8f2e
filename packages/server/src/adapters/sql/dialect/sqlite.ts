import { DatabaseSync, type StatementSync, type SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { SystemFault } from '../../../domain/errors.ts'

/** Statements kept prepared per connection; texts of lists vary with their filters, so the cache is bounded. */
const STATEMENT_CACHE_SIZE = 500

interface Prepared {
  readonly statement: StatementSync
  /** Asked once: describing forty columns takes longer than reading a row of them. */
  readonly givesRows: boolean
}

/**
 * One connection to an SQLite file.
 *
 * node:sqlite is synchronous, so a query never overlaps another one. It takes an object as the first parameter for named
 * parameters and then stores NULL without a word; such parameters are refused here.
 */
export class SqliteConnection implements DatabaseConnection {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, Prepared>()

  constructor(path: string, options: { readOnly: boolean; nowMs?: (() => number) | undefined }) {
    this.#db = new DatabaseSync(path, { readOnly: options.readOnly, timeout: 5_000 })
    const nowMs = options.nowMs ?? Date.now
    this.#db.function('zund_now_ms', () => BigInt(nowMs()))
    if (!options.readOnly) {
      this.#db.exec('PRAGMA journal_mode = WAL')
      // A 202 has been on the disk: not tuned away.
      this.#db.exec('PRAGMA synchronous = FULL')
    }
    this.#db.exec('PRAGMA foreign_keys = ON')
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.run<R>(query.sql, query.parameters)
  }

  run<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const { statement, givesRows } = this.#prepare(sql)
    const values = parameters.map(toSqlValue)
    if (givesRows) return { rows: statement.all(...values) as R[] }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  /** From now on a file that another process writes to is an error at once, and does not keep this thread. */
  neverBlock(): void {
    this.#db.exec('PRAGMA busy_timeout = 0')
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new SystemFault('store.no_streaming', 'streaming queries are not offered')
  }

  close(): void {
    this.#statements.clear()
    this.#db.close()
  }

  #prepare(sql: string): Prepared {
    const cached = this.#statements.get(sql)
    if (cached !== undefined) return cached
    const statement = this.#db.prepare(sql)
    const prepared = { statement, givesRows: statement.columns().length > 0 }
    if (this.#statements.size >= STATEMENT_CACHE_SIZE) {
      const [oldest] = this.#statements.keys()
      if (oldest !== undefined) this.#statements.delete(oldest)
    }
    this.#statements.set(sql, prepared)
    return prepared
  }
}

function toSqlValue(value: unknown): SQLInputValue {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return value
  throw new SystemFault('store.bad_parameter', `a ${typeof value} cannot be a query parameter`)
}

/** Kysely over one given connection. Transactions are the store's own (it groups commits), not Kysely's. */
export class SqliteDialect implements Dialect {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  createDriver(): Driver {
    const connection = this.#connection
    return {
      init: async () => undefined,
      acquireConnection: async () => connection,
      beginTransaction: async () => refuse(),
      commitTransaction: async () => refuse(),
      rollbackTransaction: async () => refuse(),
      releaseConnection: async () => undefined,
      destroy: async () => connection.close(),
    }
  }

  createQueryCompiler() {
    return new SqliteQueryCompiler()
  }

  createAdapter() {
    return new SqliteAdapter()
  }

  createIntrospector(db: Kysely<unknown>) {
    return new SqliteIntrospector(db)
  }
}

function refuse(): never {
  throw new SystemFault('store.own_transactions', 'transactions go through the write queue')
}

/** Epoch milliseconds by the database's clock, which for a file is the machine's, or a test's. */
export const NOW_MS = 'zund_now_ms()'
