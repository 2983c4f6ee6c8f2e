import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LeftProvider } from '../../../src/orchestration/ports/left-providers.ts'
import type { StoreHarness } from '../../support/store-harness.ts'

export function leftProviderTests(get: () => StoreHarness): void {
  test('providers of hosts that are gone are noted, each once, and forgotten one by one', async () => {
    const { store } = get()
    const of = (host: string): LeftProvider => ({ uuid: `provider of ${host}`, host })
    const [a, b] = [of('a'), of('b')]
    for (const one of [a, b, a]) await store.write((tx) => tx.leftProviders.insert(one))
    assert.deepEqual(new Set(await store.leftProviders.list(10)), new Set([a, b]))
    assert.equal((await store.leftProviders.list(1)).length, 1)
    assert.equal(await store.write((tx) => tx.leftProviders.remove(a.uuid)), true)
    assert.equal(await store.write((tx) => tx.leftProviders.remove(a.uuid)), false)
    assert.deepEqual(await store.leftProviders.list(10), [b])
  })
}
