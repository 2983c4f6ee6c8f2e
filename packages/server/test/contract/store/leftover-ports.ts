import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { forget } from '../../../src/orchestration/control-plane/forget.ts'
import { aBinding, aMount, aPort, aRemotePort } from '../../support/builders.ts'
import { addContainer, type StoreHarness } from '../../support/store-harness.ts'

const REMOTE = aRemotePort({ portId: 'port-1' })

export function leftoverPortTests(get: () => StoreHarness): void {
  test('ports of another service that a container leaves behind are noted when it is forgotten, and no others', async () => {
    const { store } = get()
    const container = await addContainer(store)
    const left = aBinding(aPort({ remote: REMOTE }))
    for (const binding of [left, aBinding(aPort()), aBinding(aMount())]) {
      await store.write((tx) => tx.bindings.insert(container.uuid, binding))
    }
    await store.write((tx) => forget(tx, container))
    assert.deepEqual(await store.leftoverPorts.due(10), [
      { uuid: left.uuid, containerUuid: container.uuid, data: left.data },
    ])
    assert.equal(await store.write((tx) => tx.leftoverPorts.remove(left.uuid)), true)
    assert.equal(await store.write((tx) => tx.leftoverPorts.remove(left.uuid)), false)
    assert.deepEqual(await store.leftoverPorts.due(10), [])
  })

  test('a port that was left by a container that is still there waits until it is gone; noted twice it is one', async () => {
    const { store } = get()
    const container = await addContainer(store)
    const port = { uuid: randomUUID(), containerUuid: container.uuid, data: aPort({ remote: REMOTE }) }
    for (const _ of [1, 2]) await store.write((tx) => tx.leftoverPorts.insert(port))
    assert.deepEqual(await store.leftoverPorts.due(10), [])
    await store.write((tx) => forget(tx, container))
    assert.deepEqual(await store.leftoverPorts.due(10), [port])
  })
}
