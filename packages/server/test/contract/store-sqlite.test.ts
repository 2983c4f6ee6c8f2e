import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { SystemFault } from '../../src/domain/errors.ts'
import { aContainer, aSpec } from '../support/builders.ts'
import { addContainer, ALL, type StoreHarness } from '../support/store-harness.ts'
import { storeSuite } from './store.suite.ts'

async function open(): Promise<StoreHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'zund-store-'))
  const path = join(directory, 'zund.sqlite')
  let aheadMs = 0
  const openStore = (): SqlStore => new SqlStore(new SqlDatabase(path, { nowMs: () => Date.now() + aheadMs }))
  const harness: StoreHarness = {
    store: openStore(),
    async pass(ms) {
      aheadMs += ms
    },
    async reopen() {
      await this.store.close()
      this.store = openStore()
    },
    async close() {
      await this.store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return harness
}

storeSuite('SQLite', open)

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'zund-store-'))
  try {
    await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function check(path: string): void {
  const db = new DatabaseSync(path)
  assert.deepEqual(
    db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => row['integrity_check']),
    ['ok'],
  )
  assert.deepEqual(db.prepare('PRAGMA foreign_key_check').all(), [])
  db.close()
}

test('migrations run once, and a second start finds everything as it was', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'zund.sqlite')
    const first = new SqlStore(new SqlDatabase(path))
    const { uuid } = await addContainer(first, { name: 'kept' })
    await first.close()
    const size = statSync(path).size
    const second = new SqlStore(new SqlDatabase(path))
    assert.equal((await second.containers.byUuid(uuid, ALL))?.name, 'kept')
    await second.close()
    assert.equal(statSync(path).size, size)
    check(path)
  })
})

test('a migration that fails leaves nothing half done', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'zund.sqlite')
    const db = new DatabaseSync(path)
    // In the way of the last statements of the first migration.
    db.exec('CREATE TABLE local_volume (x)')
    db.close()
    assert.throws(() => new SqlDatabase(path), SystemFault)
    const after = new DatabaseSync(path)
    const tables = after.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all()
    after.exec('DROP TABLE local_volume')
    after.close()
    assert.ok(!tables.some((row) => row['name'] === 'container'))
    await new SqlStore(new SqlDatabase(path)).close()
  })
})

test('what a write promised is in the file at that moment, whatever becomes of the process', async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, 'zund.sqlite')
    const store = new SqlStore(new SqlDatabase(path))
    const uuids: string[] = []
    for (let n = 0; n < 5; n += 1) {
      const made = await Promise.all([addContainer(store), addContainer(store), addContainer(store)])
      uuids.push(...made.map((container) => container.uuid))
      // A copy of the files as a crash would leave them: no checkpoint, nothing closed.
      const copy = join(directory, `crash${n}.sqlite`)
      copyFileSync(path, copy)
      copyFileSync(`${path}-wal`, `${copy}-wal`)
      const found = new SqlStore(new SqlDatabase(copy))
      assert.equal((await found.containers.byUuids(uuids)).length, uuids.length)
      await found.close()
    }
    await store.close()
  })
})

test('a full disk is said to be full, loses nothing that was promised, and heals when there is room', async () => {
  await withDirectory(async (directory) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'zund-test', directory])
    const path = join(directory, 'zund.sqlite')
    try {
      const ballast = join(directory, 'ballast')
      const store = new SqlStore(new SqlDatabase(path))
      const kept = [await addContainer(store)]
      writeFileSync(ballast, Buffer.alloc(512 * 1024))
      const spec = aSpec({ environment: { big: 'x'.repeat(60_000) } })
      const outcomes = []
      for (let round = 0; round < 10; round += 1) {
        const group = Array.from({ length: 8 }, () => aContainer({ spec }))
        const results = await Promise.allSettled(group.map((one) => store.write((tx) => tx.containers.insert(one))))
        outcomes.push(...results)
        for (const result of results) if (result.status === 'fulfilled') kept.push(result.value)
      }
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
      assert.ok(refused.length > 0, 'the disk was too large for this test')
      for (const error of refused) {
        assert.ok(error instanceof SystemFault && error.code === 'store.full', String(error))
      }
      assert.equal((await store.containers.byUuids(kept.map((c) => c.uuid))).length, kept.length)
      assert.equal((await store.containers.usageOfProject('project')).containers, kept.length)
      rmSync(ballast)
      kept.push(await addContainer(store))
      assert.equal((await store.containers.usageOfProject('project')).containers, kept.length)
      await store.close()
      check(path)
    } finally {
      execFileSync('umount', [directory])
    }
  })
})
