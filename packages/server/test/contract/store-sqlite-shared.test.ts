/** One SQLite file, several processes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { schemaVersion } from '../../src/adapters/sql/migrate.ts'
import { MIGRATIONS } from '../../src/adapters/sql/migrations/index.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { SystemFault } from '../../src/domain/errors.ts'
import { addContainer } from '../support/store-harness.ts'

const WRITER = join(import.meta.dirname, '../support/sql-writer.ts')

function newFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'zund-shared-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'zund.sqlite')
}

async function containersIn(store: SqlStore): Promise<number> {
  return Object.values(await store.containers.countByStatus()).reduce((sum, count) => sum + count, 0)
}

test('a file that another process writes to is waited for, and everything else goes on', async (t) => {
  const path = newFile(t)
  const store = new SqlStore(new SqlDatabase(path, { isShared: true }))
  t.after(() => store.close())
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const writing = addContainer(store)
  // Would not come to an end if the wait kept the thread.
  for (let turns = 0; turns < 100; turns += 1) await setImmediate()
  assert.equal(await containersIn(store), 0)
  other.exec('COMMIT')
  await writing
  assert.equal(await containersIn(store), 1)
})

test('processes that begin at once on a new file agree on it, and lose no write of each other', async (t) => {
  const path = newFile(t)
  const writers = ['a', 'b', 'c'].map((name) =>
    spawn(process.execPath, [WRITER, path, name, '150'], { stdio: 'inherit' }),
  )
  for (const [code] of await Promise.all(writers.map(async (writer) => await once(writer, 'exit')))) {
    assert.equal(code, 0)
  }
  const store = new SqlStore(new SqlDatabase(path, { migrate: false }))
  t.after(() => store.close())
  assert.equal(await containersIn(store), 450)
  const db = new DatabaseSync(path, { readOnly: true })
  assert.equal(db.prepare('SELECT count(*) AS deployments FROM deployment').get()?.['deployments'], 1)
  db.close()
})

test('a database of an older version is refused where it must not be changed, and says how to mend it', async (t) => {
  const path = newFile(t)
  await new SqlStore(new SqlDatabase(path)).close()
  const newest = MIGRATIONS.at(-1)?.name ?? ''
  const db = new DatabaseSync(path)
  db.prepare('DELETE FROM schema_migration WHERE name = ?').run(newest)
  db.prepare('INSERT INTO schema_migration (name) VALUES (?)').run('999-of-tomorrow')
  db.close()
  assert.deepEqual(schemaVersion(path), {
    newest: '999-of-tomorrow',
    missing: [newest],
    unknown: ['999-of-tomorrow'],
  })
  assert.throws(
    () => new SqlDatabase(path, { migrate: false }),
    (error) => error instanceof SystemFault && error.message.includes(newest) && error.message.includes('zund db sync'),
  )
})
