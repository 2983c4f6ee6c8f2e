import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { InvalidInput, NotFound } from '../../../src/domain/errors.ts'
import type { Container } from '../../../src/domain/container/types.ts'
import type { ContainerFilters, ContainerQuery } from '../../../src/orchestration/ports/store.ts'
import { aSpec } from '../../support/builders.ts'
import { addContainer, ALL, type StoreHarness } from '../../support/store-harness.ts'

function aQuery(patch: Partial<ContainerQuery> = {}): ContainerQuery {
  return { kind: 0, scope: ALL, filters: {}, limit: 1_000, marker: null, sortKey: 'id', sortDir: 'asc', ...patch }
}

/** Containers with ties and nulls in every column. */
async function fill({ store, pass }: StoreHarness): Promise<Container[]> {
  const made: Container[] = []
  for (let n = 0; n < 13; n += 1) {
    const { uuid } = await addContainer(store, {
      uuid: randomUUID(),
      name: `name${n % 4}`,
      projectId: `project${n % 2}`,
      userId: `user${n % 3}`,
      host: n % 3 === 0 ? null : `host${n % 2}`,
      status: n % 2 === 0 ? 'Running' : 'Error',
      statusReason: n % 4 === 0 ? null : `reason ${n % 3}`,
      spec: aSpec({
        image: `image${n % 3}`,
        cpu: (n % 4) / 2,
        memoryMiB: (n % 3) * 7,
        diskGiB: n % 2,
        autoRemove: n % 3 === 1,
      }),
    })
    if (n % 4 === 1) await store.write((tx) => tx.containers.update(uuid, { taskState: `task${n % 3}` }))
    if (n % 5 === 0) await pass(1)
    const now = await store.containers.byUuid(uuid, ALL)
    if (now !== undefined) made.push(now)
  }
  return made
}

/** What each sort key sorts by. */
const SORTED_BY: Readonly<Record<string, (c: Container) => string | number | null>> = {
  id: (c) => c.id,
  uuid: (c) => c.uuid,
  name: (c) => c.name,
  image: (c) => c.spec.image,
  memory: (c) => String(c.spec.memoryMiB),
  cpu: (c) => c.spec.cpu,
  disk: (c) => c.spec.diskGiB,
  auto_remove: (c) => (c.spec.autoRemove ? 1 : 0),
  project_id: (c) => c.projectId,
  user_id: (c) => c.userId,
  host: (c) => c.host,
  status: (c) => c.status,
  status_reason: (c) => c.statusReason,
  task_state: (c) => c.taskState,
  created_at: (c) => c.createdAtMs,
  updated_at: (c) => c.updatedAtMs,
}

/** Nothing comes before everything; ties go by age. */
function expectedOrder(containers: readonly Container[], key: string, dir: 'asc' | 'desc'): string[] {
  const by = SORTED_BY[key]
  assert.ok(by, key)
  const sorted = containers.toSorted((a, b) => {
    const [x, y] = [by(a), by(b)]
    if (x === y) return a.id - b.id
    if (x === null) return -1
    if (y === null) return 1
    return x < y ? -1 : 1
  })
  return (dir === 'asc' ? sorted : sorted.toReversed()).map((container) => container.uuid)
}

export function pagingTests(get: () => StoreHarness): void {
  test('pages of any size put together are the whole list, by every key and in both directions', async () => {
    const h = get()
    const containers = await fill(h)
    for (const sortKey of Object.keys(SORTED_BY)) {
      for (const sortDir of ['asc', 'desc'] as const) {
        const expected = expectedOrder(containers, sortKey, sortDir)
        for (const limit of [1, 4, 13, 100]) {
          const read: string[] = []
          for (let marker: string | null = null; ; ) {
            const page = await h.store.containers.keys(aQuery({ sortKey, sortDir, limit, marker }))
            read.push(...page.map((key) => key.uuid))
            marker = page.at(-1)?.uuid ?? null
            if (marker === null) break
          }
          assert.deepEqual(read, expected, `${sortKey} ${sortDir} by ${limit}`)
        }
      }
    }
  })

  test('a key names the content it stands for', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    await store.write((tx) => tx.containers.update(uuid, { taskState: 'x' }))
    const [key] = await store.containers.keys(aQuery())
    assert.deepEqual({ ...key }, { uuid, revision: 2 })
  })

  test('filters match exactly, and several values of one are alternatives', async () => {
    const h = get()
    const containers = await fill(h)
    const rows: readonly [ContainerFilters, (c: Container) => boolean][] = [
      [{}, () => true],
      [{ name: ['name1'] }, (c) => c.name === 'name1'],
      [{ name: ['name'] }, () => false],
      [
        { name: ['name1', 'name2'], status: ['Error'] },
        (c) => ['name1', 'name2'].includes(c.name ?? '') && c.status === 'Error',
      ],
      [{ image: ['image2'] }, (c) => c.spec.image === 'image2'],
      [{ memory: ['7'] }, (c) => c.spec.memoryMiB === 7],
      [{ host: ['host1'] }, (c) => c.host === 'host1'],
      [{ task_state: ['task1'] }, (c) => c.taskState === 'task1'],
      [{ auto_remove: ['True'] }, (c) => c.spec.autoRemove],
      [{ auto_remove: ['false'] }, (c) => !c.spec.autoRemove],
      [{ project_id: ['project1'], user_id: ['user2'] }, (c) => c.projectId === 'project1' && c.userId === 'user2'],
      [{ status: [] }, () => false],
      [{ name: ["' OR 1=1 --"] }, () => false],
    ]
    for (const [filters, matches] of rows) {
      const keys = await h.store.containers.keys(aQuery({ filters }))
      const expected = containers.filter(matches).map((c) => c.uuid)
      assert.deepEqual(
        keys.map((key) => key.uuid),
        expected,
        JSON.stringify(filters),
      )
    }
  })

  test('a list holds only what the scope lets see, also behind a marker', async () => {
    const h = get()
    const containers = await fill(h)
    const scope = { kind: 'project', projectId: 'project0' } as const
    const own = containers.filter((c) => c.projectId === 'project0').map((c) => c.uuid)
    const marker = own[1] ?? ''
    assert.deepEqual(
      (await h.store.containers.keys(aQuery({ scope, marker }))).map((k) => k.uuid),
      own.slice(2),
    )
    const foreign = containers.find((c) => c.projectId === 'project1')?.uuid ?? ''
    await assert.rejects(h.store.containers.keys(aQuery({ scope, marker: foreign })), NotFound)
  })

  test('an unknown marker and an unknown sort key are refused', async () => {
    const { store } = get()
    await assert.rejects(store.containers.keys(aQuery({ marker: randomUUID() })), (error) => {
      return error instanceof NotFound && error.code === 'container-not-found'
    })
    for (const sortKey of ['nonsense', 'spec', '', 'constructor', '__proto__', 'id; DROP TABLE container']) {
      await assert.rejects(
        store.containers.keys(aQuery({ sortKey })),
        (error) => {
          return error instanceof InvalidInput && error.code === 'invalid-parameter-value'
        },
        sortKey,
      )
    }
  })
}
