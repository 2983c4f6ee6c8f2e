import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostAddress, HostInventory } from '../../../src/orchestration/ports/wire.ts'
import { anInventory } from '../../support/builders.ts'
import type { StoreHarness } from '../../support/store-harness.ts'

const INVENTORY = anInventory({ labels: { rack: '7' }, routedSubnets: ['10.0.0.0/24'] })

export function hostTests(get: () => StoreHarness): void {
  const begin = (host: string, uuidIfNew: string, availabilityZone = 'nova') =>
    get().store.write((tx) => tx.hosts.beginSession({ host, availabilityZone, uuidIfNew }))

  test('every session of a host has a greater epoch, and the host keeps its uuid', async () => {
    const { store } = get()
    assert.equal(await begin('a', 'uuid-1'), 1)
    assert.equal(await begin('a', 'uuid-2', 'zone2'), 2)
    assert.equal(await begin('b', 'uuid-3'), 1)
    const host = await store.hosts.byName('a')
    assert.deepEqual([host?.uuid, host?.epoch, host?.availabilityZone], ['uuid-1', 2, 'zone2'])
    assert.equal((await store.hosts.byUuid('uuid-1'))?.name, 'a')
    assert.deepEqual(
      (await store.hosts.list()).map((h) => h.name),
      ['a', 'b'],
    )
    assert.equal(await store.hosts.byName('c'), undefined)
    assert.deepEqual([await store.hosts.epochOf('a'), await store.hosts.epochOf('b')], [2, 1])
    assert.equal(await store.hosts.epochOf('c'), undefined)
    assert.equal(await store.write((tx) => tx.hosts.epochOf('a')), 2)
  })

  test('a host is reached where its newest session said, if it said so', async () => {
    const { store } = get()
    const hello = { host: 'a', availabilityZone: 'nova', uuidIfNew: 'uuid-1' }
    const begun = async (address?: HostAddress) => {
      await store.write((tx) => tx.hosts.beginSession({ ...hello, ...(address === undefined ? {} : { address }) }))
      return (await store.hosts.byName('a'))?.address
    }
    assert.deepEqual(await begun({ address: '192.0.2.1', port: 9519 }), { address: '192.0.2.1', port: 9519 })
    assert.deepEqual(await begun({ address: '2001:db8::1', port: 1 }), { address: '2001:db8::1', port: 1 })
    assert.equal(await begun(), null)
  })

  test('a heartbeat counts only under the newest epoch', async () => {
    const h = get()
    await begin('a', 'uuid-1')
    const beat = (epoch: number, engineTrouble: string | null, inventory?: HostInventory) =>
      h.store.write((tx) =>
        tx.hosts.heartbeat('a', epoch, { engineTrouble, ...(inventory === undefined ? {} : { inventory }) }),
      )
    assert.equal(await beat(1, null, INVENTORY), true)
    await begin('a', 'x')
    await h.pass(5_000)
    assert.equal(await beat(1, 'old news'), false)
    assert.ok(((await h.store.hosts.byName('a'))?.silentMs ?? 0) >= 5_000)
    assert.equal(await beat(2, null), true)
    const host = await h.store.hosts.byName('a')
    assert.ok((host?.silentMs ?? 5_000) < 5_000)
    assert.deepEqual(host?.inventory, INVENTORY)
    assert.equal(host.engineTrouble, null)
    assert.ok(host.reportCount >= 2)
  })

  test('trouble of the engine counts from its beginning to its end', async () => {
    const h = get()
    await begin('a', 'uuid-1')
    const beat = (trouble: string | null) =>
      h.store.write((tx) => tx.hosts.heartbeat('a', 1, { engineTrouble: trouble }))
    await beat('refused')
    await h.pass(3_000)
    await beat('still refused')
    const sick = await h.store.hosts.byName('a')
    assert.equal(sick?.engineTrouble, 'still refused')
    assert.ok(sick.engineTroubleMs >= 3_000)
    await beat(null)
    assert.equal((await h.store.hosts.byName('a'))?.engineTroubleMs, 0)
  })

  test('an operator can disable, force down and remove a host, if there is one', async () => {
    const { store } = get()
    await begin('a', 'uuid-1')
    assert.equal(await store.write((tx) => tx.hosts.setDisabled('a', true, 'repair')), true)
    assert.equal(await store.write((tx) => tx.hosts.setForcedDown('a', true)), true)
    const host = await store.hosts.byName('a')
    assert.deepEqual([host?.disabled, host?.disabledReason, host?.forcedDown], [true, 'repair', true])
    await store.write((tx) => tx.hosts.setDisabled('a', false, null))
    assert.equal((await store.hosts.byName('a'))?.disabledReason, null)
    assert.equal(await store.write((tx) => tx.hosts.remove('a')), true)
    assert.equal(await store.write((tx) => tx.hosts.remove('a')), false)
    assert.equal(await store.write((tx) => tx.hosts.setDisabled('a', true, null)), false)
    assert.equal(await store.write((tx) => tx.hosts.heartbeat('a', 1, { engineTrouble: null })), false)
  })
}
