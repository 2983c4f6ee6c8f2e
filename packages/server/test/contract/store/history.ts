import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Stop } from '../../../src/domain/container/stop.ts'
import { InvalidInput, NotFound } from '../../../src/domain/errors.ts'
import type { HistoryQuery, PastContainer } from '../../../src/orchestration/ports/history.ts'
import { ALL, type StoreHarness } from '../../support/store-harness.ts'

const STOP: Stop = {
  reason: 'killed',
  actor: 'user',
  userId: 'user',
  requestId: 'req-1',
  engineId: 'e'.repeat(64),
  exitCode: 137,
  signal: 'SIGKILL',
  outOfMemory: false,
  message: 'what the engine said',
  startedAtMs: 1_000,
  endedAtMs: 2_000,
}

function aPast(patch: Partial<PastContainer> = {}): Omit<PastContainer, 'deletedAtMs'> {
  return {
    uuid: randomUUID(),
    kind: 0,
    projectId: 'project',
    userId: 'user',
    name: 'web',
    capsuleUuid: null,
    image: 'busybox',
    host: 'host1',
    createdAtMs: 5,
    operations: [
      {
        verb: 'create',
        requestId: 'req-0',
        userId: 'user',
        projectId: 'project',
        state: 'failed',
        errorCode: 'image-not-found',
        errorMessage: 'no such image',
        createdAtMs: 5,
        finishedAtMs: 6,
        steps: [{ name: 'obtainImage', state: 'failed', message: 'no such image', startedAtMs: 5, finishedAtMs: 6 }],
      },
    ],
    ...patch,
  }
}

const query = (patch: Partial<HistoryQuery> = {}): HistoryQuery => ({
  limit: 100,
  marker: null,
  sortKey: 'deleted_at',
  sortDir: 'asc',
  scope: ALL,
  name: null,
  ...patch,
})

export function historyTests(get: () => StoreHarness): void {
  test('what is kept of a deleted container comes back as it was given, to those who may see it', async () => {
    const h = get()
    const given = aPast()
    await h.store.write((tx) => tx.history.archive(given))
    await h.reopen()
    const found = await h.store.history.byUuid(given.uuid, ALL)
    assert.ok(found !== undefined && found.deletedAtMs > 0)
    assert.deepEqual(found, { ...given, deletedAtMs: found.deletedAtMs })
    const { history } = h.store
    assert.notEqual(await history.byUuid(given.uuid, { kind: 'project', projectId: 'project' }), undefined)
    assert.equal(await history.byUuid(given.uuid, { kind: 'project', projectId: 'other' }), undefined)
    assert.equal(await history.byUuid(given.uuid, { kind: 'user', userId: 'other' }), undefined)
    assert.equal(await history.byUuid(randomUUID(), ALL), undefined)
  })

  test('deleted containers are listed in pages, by name and by project, in either order', async () => {
    const h = get()
    const made: string[] = []
    for (const [name, projectId] of [
      ['web', 'project'],
      ['db', 'project'],
      ['web', 'other'],
      ['web', 'project'],
    ] as const) {
      const past = aPast({ name, projectId })
      made.push(past.uuid)
      await h.store.write((tx) => tx.history.archive(past))
      await h.pass(10)
    }
    const list = async (patch: Partial<HistoryQuery>): Promise<number[]> =>
      (await h.store.history.list(query(patch))).map(({ uuid }) => made.indexOf(uuid))
    const project = { kind: 'project', projectId: 'project' } as const
    assert.deepEqual(await list({}), [0, 1, 2, 3])
    assert.deepEqual(await list({ sortDir: 'desc', scope: project }), [3, 1, 0])
    assert.deepEqual(await list({ name: 'web', scope: project }), [0, 3])
    assert.deepEqual(await list({ name: 'WEB' }), [])
    assert.deepEqual(await list({ sortKey: 'name', limit: 1 }), [1])
    assert.deepEqual(await list({ limit: 2, marker: made[1] ?? '' }), [2, 3])
    assert.deepEqual(await list({ marker: made[1] ?? '', sortDir: 'desc' }), [0])
    const byCreation: number[] = []
    for (let marker: string | null = null; ; ) {
      const [one] = await list({ sortKey: 'created_at', limit: 1, marker })
      if (one === undefined) break
      byCreation.push(one)
      marker = made[one] ?? null
    }
    assert.deepEqual(
      byCreation.toSorted((a, b) => a - b),
      [0, 1, 2, 3],
      'pages of equal keys neither repeat nor leave out',
    )
    await assert.rejects(list({ sortKey: 'image' }), InvalidInput)
    await assert.rejects(list({ sortKey: 'toString' }), InvalidInput)
    await assert.rejects(list({ marker: randomUUID() }), NotFound)
    await assert.rejects(list({ marker: made[2] ?? '', scope: project }), NotFound)
  })

  test('a capsule is listed without its members, which are found through it', async () => {
    const { store } = get()
    const capsule = aPast({ kind: 1, name: null })
    const members = [2, 3].map((kind) =>
      aPast({ kind: kind === 2 ? 2 : 3, capsuleUuid: capsule.uuid, createdAtMs: kind }),
    )
    await store.write(async (tx) => {
      for (const one of [capsule, ...members]) await tx.history.archive(one)
    })
    const uuids = (list: readonly { uuid: string }[]): string[] => list.map(({ uuid }) => uuid)
    assert.deepEqual(uuids(await store.history.list(query())), [capsule.uuid])
    assert.deepEqual(uuids(await store.history.membersOf(capsule.uuid)), uuids(members))
    assert.equal((await store.history.byUuid(capsule.uuid, ALL))?.name, null)
  })

  test('stops come back newest first, and of one container only the newest hundred are kept', async () => {
    const { store } = get()
    const [one, other] = [randomUUID(), randomUUID()]
    await store.write(async (tx) => {
      await tx.history.addStop(other, STOP)
      for (let n = 0; n < 103; n += 1) await tx.history.addStop(one, { ...STOP, exitCode: n })
    })
    const stops = await store.history.stops(one)
    assert.deepEqual(
      stops.map(({ exitCode }) => exitCode),
      Array.from({ length: 100 }, (_, n) => 102 - n),
    )
    const [kept, ...more] = await store.history.stops(other)
    assert.ok(kept !== undefined && more.length === 0)
    assert.deepEqual(kept, { ...STOP, recordedAtMs: kept.recordedAtMs })
    const nothing = {
      userId: null,
      requestId: null,
      engineId: null,
      exitCode: null,
      signal: null,
      outOfMemory: true,
      message: '',
      startedAtMs: null,
      endedAtMs: null,
    }
    await store.write((tx) => tx.history.addStop(other, { ...STOP, ...nothing }))
    const [newest] = await store.history.stops(other)
    assert.deepEqual(newest, { ...STOP, ...nothing, recordedAtMs: newest?.recordedAtMs })
  })

  test('what was deleted long enough ago is forgotten, the oldest first, with its stops', async () => {
    const h = get()
    const [first, second, third] = [aPast(), aPast(), aPast()]
    for (const past of [first, second]) {
      await h.store.write(async (tx) => {
        await tx.history.archive(past)
        await tx.history.addStop(past.uuid, STOP)
      })
      await h.pass(10)
    }
    await h.pass(60_000)
    await h.store.write((tx) => tx.history.archive(third))
    const purge = async (ageMs: number, max: number): Promise<number> =>
      await h.store.write((tx) => tx.history.purge(ageMs, max))
    assert.equal(await purge(120_000, 100), 0)
    assert.equal(await purge(30_000, 1), 1)
    assert.equal(await h.store.history.byUuid(first.uuid, ALL), undefined)
    assert.deepEqual(await h.store.history.stops(first.uuid), [])
    assert.equal((await h.store.history.stops(second.uuid)).length, 1)
    assert.equal(await purge(30_000, 100), 1)
    assert.deepEqual(
      (await h.store.history.list(query())).map(({ uuid }) => uuid),
      [third.uuid],
    )
  })
}
