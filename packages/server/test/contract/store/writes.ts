import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aContainer } from '../../support/builders.ts'
import { addContainer, ALL, type StoreHarness } from '../../support/store-harness.ts'

export function writeTests(get: () => StoreHarness): void {
  test('what a write did is there when it has resolved, and after the store was opened anew', async () => {
    const h = get()
    const { uuid } = await addContainer(h.store, { name: 'kept' })
    assert.equal((await h.store.containers.byUuid(uuid, ALL))?.name, 'kept')
    await h.reopen()
    assert.equal((await h.store.containers.byUuid(uuid, ALL))?.name, 'kept')
  })

  test('a write that throws leaves nothing, and its error comes back', async () => {
    const { store } = get()
    const container = aContainer()
    const wrong = new Error('changed my mind')
    const write = store.write(async (tx) => {
      await tx.containers.insert(container)
      throw wrong
    })
    await assert.rejects(write, (error) => error === wrong)
    assert.equal(await store.containers.byUuid(container.uuid, ALL), undefined)
  })

  test('of writes made at once, one that throws takes none of the others along', async () => {
    const { store } = get()
    const containers = Array.from({ length: 200 }, (_, n) => aContainer({ name: `c-${n}` }))
    const outcomes = await Promise.allSettled(
      containers.map((container, n) =>
        store.write(async (tx) => {
          await tx.containers.insert(container)
          if (n % 3 === 0) throw new Error('not this one')
          return n
        }),
      ),
    )
    for (const [n, outcome] of outcomes.entries()) {
      const kept = (await store.containers.byUuid(containers[n]?.uuid ?? '', ALL)) !== undefined
      assert.equal(outcome.status, n % 3 === 0 ? 'rejected' : 'fulfilled')
      assert.equal(kept, n % 3 !== 0)
    }
  })

  test('a write that ran into a constraint and gave up leaves the next ones alone', async () => {
    const { store } = get()
    const first = aContainer()
    await store.write((tx) => tx.containers.insert(first))
    const second = aContainer()
    const results = await Promise.allSettled([
      store.write((tx) => tx.containers.insert(first)),
      store.write((tx) => tx.containers.insert(second)),
    ])
    assert.deepEqual(
      results.map((result) => result.status),
      ['rejected', 'fulfilled'],
    )
    assert.ok(await store.containers.byUuid(second.uuid, ALL))
  })

  test('writes see each other in the order they were asked for', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store, { name: '' })
    const letters = 'abcdefghij'.split('')
    await Promise.all(
      letters.map((letter) =>
        store.write(async (tx) => {
          const now = await tx.containers.byUuid(uuid, ALL)
          await tx.containers.update(uuid, { name: `${now?.name}${letter}` })
        }),
      ),
    )
    assert.equal((await store.containers.byUuid(uuid, ALL))?.name, letters.join(''))
  })

  test('readers do not see what is not committed', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store, { name: 'before' })
    const seen = await store.write(async (tx) => {
      await tx.containers.update(uuid, { name: 'after' })
      return {
        inside: (await tx.containers.byUuid(uuid, ALL))?.name,
        outside: (await store.containers.byUuid(uuid, ALL))?.name,
      }
    })
    assert.deepEqual(seen, { inside: 'after', outside: 'before' })
  })
}
