/** Which version of the schema a database file is at, and how it gets to ours. */
import { randomUUID } from 'node:crypto'
import { SystemFault } from '../../domain/errors.ts'
import { SqliteConnection } from './dialect/sqlite.ts'
import { MIGRATIONS } from './migrations/index.ts'
import { toStoreError } from './store-errors.ts'

/** Names of migrations. */
export interface SchemaVersion {
  readonly newest: string | undefined
  /** This program has them and the database does not. */
  readonly missing: readonly string[]
  /** The other way round: a newer program was here. */
  readonly unknown: readonly string[]
}

/** What a database file is at; it must be there. Nothing is changed. */
export function schemaVersion(path: string): SchemaVersion {
  const connection = new SqliteConnection(path, { readOnly: true })
  try {
    return versionOf(connection)
  } finally {
    connection.close()
  }
}

function versionOf(connection: SqliteConnection): SchemaVersion {
  const [table] = connection.run("SELECT name FROM sqlite_master WHERE name = 'schema_migration'", []).rows
  const rows = table === undefined ? [] : connection.run<{ name: string }>('SELECT name FROM schema_migration', []).rows
  const done = rows.map(({ name }) => name).toSorted()
  const known = MIGRATIONS.map(({ name }) => name)
  return {
    newest: done.at(-1),
    missing: known.filter((name) => !done.includes(name)),
    unknown: done.filter((name) => !known.includes(name)),
  }
}

export function requireCurrent(connection: SqliteConnection): void {
  const { newest, missing } = versionOf(connection)
  const [first] = missing
  if (first === undefined) return
  throw new SystemFault(
    'store.old_schema',
    `it is at ${newest ?? 'no version'}, before ${first}; 'zund db sync' mends it`,
  )
}

export function migrate(connection: SqliteConnection): void {
  if (versionOf(connection).missing.length === 0) return
  connection.exec('CREATE TABLE IF NOT EXISTS schema_migration (name VARCHAR(255) PRIMARY KEY)')
  for (const { name, statements } of MIGRATIONS) {
    connection.exec('BEGIN IMMEDIATE')
    try {
      // Looked up in the transaction: another process may be doing the same.
      if (connection.run('SELECT name FROM schema_migration WHERE name = ?', [name]).rows.length === 0) {
        for (const statement of statements) connection.exec(statement)
        connection.run('INSERT INTO schema_migration (name) VALUES (?)', [name])
      }
      connection.exec('COMMIT')
    } catch (error) {
      connection.exec('ROLLBACK')
      throw toStoreError(error)
    }
  }
}

export function deploymentId(connection: SqliteConnection): string {
  const known = (): string | undefined => connection.run<{ id: string }>('SELECT id FROM deployment', []).rows[0]?.id
  const before = known()
  if (before !== undefined) return before
  connection.exec('BEGIN IMMEDIATE')
  try {
    const id = known() ?? randomUUID()
    if (known() === undefined) connection.run('INSERT INTO deployment (id) VALUES (?)', [id])
    return id
  } finally {
    connection.exec('COMMIT')
  }
}
