import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../../src/orchestration/ports/store.ts'

export function advanceTests(get: () => { readonly store: Store }): void {
  test('what was made in advance is due when its request was accepted or refused, or is long over', async () => {
    const { store } = get()
    const due = async (ageMs: number) =>
      (await store.advances.due(ageMs, 10)).map(({ uuid, kind, containerUuid }) => [uuid, kind, containerUuid])
    await store.write(async (tx) => {
      await tx.advances.insert({ uuid: 'mark-1', kind: 'volume' })
      await tx.advances.insert({ uuid: 'mark-2', kind: 'volume' })
      await tx.advances.insert({ uuid: 'mark-3', kind: 'image' })
    })
    assert.deepEqual(await due(60_000), [])
    assert.equal((await due(-60_000)).length, 3)
    assert.equal(await store.write((tx) => tx.advances.abandon('mark-2')), true)
    assert.equal(await store.write((tx) => tx.advances.hand('mark-3', 'container-1')), true)
    assert.deepEqual(await due(60_000), [
      ['mark-2', 'volume', null],
      ['mark-3', 'image', 'container-1'],
    ])
    assert.equal(await store.write((tx) => tx.advances.remove('mark-1')), true)
    for (const call of ['remove', 'abandon'] as const) {
      assert.equal(await store.write((tx) => tx.advances[call]('mark-1')), false)
    }
    assert.equal(await store.write((tx) => tx.advances.hand('mark-1', 'container-1')), false)
    await store.write(async (tx) => {
      await tx.advances.remove('mark-2')
      await tx.advances.remove('mark-3')
    })
    assert.deepEqual(await due(-60_000), [])
  })
}
