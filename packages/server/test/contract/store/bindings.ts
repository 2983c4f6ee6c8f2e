import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { aBinding, aMount, aNetwork, aPort, aRemotePort } from '../../support/builders.ts'
import { addContainer, addOperation, claimAll, type StoreHarness } from '../../support/store-harness.ts'

export function bindingTests(get: () => StoreHarness): void {
  test('bindings come back in the order of the request', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const bindings = [2, 0, 1].map((order) => aBinding(order === 1 ? aMount() : aPort(), { order }))
    for (const binding of bindings) await store.write((tx) => tx.bindings.insert(uuid, binding))
    assert.deepEqual(
      await store.bindings.ofContainer(uuid),
      bindings.toSorted((a, b) => a.order - b.order),
    )
    const [some] = bindings
    assert.deepEqual(await store.bindings.byUuid(some?.uuid ?? ''), { containerUuid: uuid, binding: some })
    assert.equal(await store.bindings.byUuid(randomUUID()), undefined)
  })

  test('a state changes where there is a binding, and a removed one gives its addresses back', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const port = aBinding(aPort())
    await store.write(async (tx) => {
      await tx.networks.insert(aNetwork('net1'))
      await tx.networks.reserveAddress('net1', '10.0.0.2', port.uuid)
      await tx.networks.reserveAddress('net1', '10.0.0.3', randomUUID())
      await tx.bindings.insert(uuid, port)
    })
    assert.equal(await store.write((tx) => tx.bindings.setState(port.uuid, 'held')), true)
    assert.equal((await store.bindings.byUuid(port.uuid))?.binding.state, 'held')
    assert.equal(await store.write((tx) => tx.bindings.remove(port.uuid)), true)
    assert.deepEqual(await store.networks.addresses('net1'), ['10.0.0.3'])
    assert.equal(await store.write((tx) => tx.bindings.setState(port.uuid, 'held')), false)
    assert.equal(await store.write((tx) => tx.bindings.remove(port.uuid)), false)
  })

  test('a port of another service is used by who holds it, and by who has an operation that may come to it', async () => {
    const { store } = get()
    const [held, asking, idle] = [await addContainer(store), await addContainer(store), await addContainer(store)]
    const [portId, other] = [randomUUID(), randomUUID()]
    const bindings = [held, asking, idle].map(() => aBinding(aPort({ remote: aRemotePort({ portId }) })))
    for (const [n, { uuid }] of [held, asking, idle].entries()) {
      await store.write(async (tx) => {
        const binding = bindings[n]
        if (binding !== undefined) await tx.bindings.insert(uuid, binding)
        await tx.bindings.insert(uuid, aBinding(aPort()))
        await tx.bindings.insert(uuid, aBinding(aMount({ volumeUuid: portId })))
      })
    }
    await store.write((tx) => tx.bindings.setState(bindings[0]?.uuid ?? '', 'held'))
    const op = await addOperation(store, asking.uuid)
    const users = async (id: string) => (await store.bindings.portUsers(id)).toSorted()
    assert.deepEqual(await users(portId), [held.uuid, asking.uuid].toSorted())
    assert.deepEqual(await users(other), [])
    const [taken] = await claimAll(store)
    assert.equal(taken?.id, op.id)
    assert.deepEqual(await users(portId), [held.uuid, asking.uuid].toSorted())
    await store.write((tx) => tx.operations.release(op.id, taken.fence, { state: 'failed' }))
    assert.deepEqual(await users(portId), [held.uuid])
    // What is made is known by what was learned.
    const learned = aPort({ remote: aRemotePort({ portId: other }) })
    await store.write((tx) => tx.bindings.setData(bindings[0]?.uuid ?? '', learned))
    assert.deepEqual([await users(portId), await users(other)], [[], [held.uuid]])
  })

  test('what was learned by making it replaces what was planned, of the same kind', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const port = aBinding(aPort())
    await store.write((tx) => tx.bindings.insert(uuid, port))
    const learned = { ...aPort(), fixedIps: [{ address: '10.0.0.9', version: 4 as const, subnetId: 'learned' }] }
    assert.equal(await store.write((tx) => tx.bindings.setData(port.uuid, learned)), true)
    assert.deepEqual((await store.bindings.byUuid(port.uuid))?.binding, { ...port, data: learned })
    assert.equal(await store.write((tx) => tx.bindings.setData(port.uuid, aMount())), false)
    assert.equal(await store.write((tx) => tx.bindings.setData(randomUUID(), learned)), false)
  })
}
