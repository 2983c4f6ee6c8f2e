import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { NotFound } from '../../../src/domain/errors.ts'
import type { Container } from '../../../src/domain/container/types.ts'
import type { NewContainer } from '../../../src/orchestration/ports/store.ts'
import { aBinding, aMount, aNetwork, aPort, aSpec } from '../../support/builders.ts'
import { addContainer, addOperation, ALL, type StoreHarness } from '../../support/store-harness.ts'

async function addCapsule({ store }: StoreHarness, patch: Partial<NewContainer> = {}): Promise<Container> {
  return await addContainer(store, { kind: 1, name: null, ...patch })
}

export function capsuleTests(get: () => StoreHarness): void {
  test('a capsule comes back as it was given, without a name too', async () => {
    const { store } = get()
    for (const annotations of [null, {}, { free: [1, { deep: null }], Ä: '' }]) {
      const made = await addCapsule(get(), { annotations })
      assert.deepEqual([made.kind, made.name, made.annotations, made.capsuleUuid], [1, null, annotations, null])
      assert.deepEqual(await store.containers.byUuid(made.uuid, ALL), made)
    }
  })

  test('members come in the order in which they were added, each with its capsule', async () => {
    const { store } = get()
    const capsules = [await addCapsule(get()), await addCapsule(get())]
    const uuids = capsules.map(({ uuid }) => uuid)
    const added: string[] = []
    for (let n = 0; n < 6; n += 1) {
      const capsuleUuid = uuids[n % 2] ?? ''
      added.push((await addContainer(store, { kind: n < 2 ? 3 : 2, capsuleUuid })).uuid)
    }
    await addContainer(store)
    const members = await store.containers.membersOf(uuids)
    assert.deepEqual(
      members.map(({ uuid }) => uuid),
      added,
    )
    assert.deepEqual(
      members.map(({ capsuleUuid }) => capsuleUuid),
      added.map((_, n) => uuids[n % 2]),
    )
    assert.equal((await store.containers.membersOf([uuids[1] ?? ''])).length, 3)
    assert.deepEqual(await store.containers.membersOf([]), [])
    assert.deepEqual(await store.containers.membersOf([randomUUID()]), [])
  })

  test('capsules and containers are listed and named apart, and a marker of the other kind is none', async () => {
    const { store } = get()
    const capsule = await addCapsule(get(), { name: 'same' })
    const plain = await addContainer(store, { name: 'same' })
    await addContainer(store, { name: 'same', kind: 2, capsuleUuid: capsule.uuid })
    const page = { scope: ALL, filters: {}, limit: 10, marker: null, sortKey: 'id', sortDir: 'asc' } as const
    const rows = [
      [0, plain, capsule],
      [1, capsule, plain],
    ] as const
    for (const [kind, mine, other] of rows) {
      assert.deepEqual(
        (await store.containers.keys({ ...page, kind })).map(({ uuid }) => uuid),
        [mine.uuid],
      )
      assert.deepEqual(
        (await store.containers.byName('same', kind, ALL)).map(({ uuid }) => uuid),
        [mine.uuid],
      )
      await assert.rejects(store.containers.keys({ ...page, kind, marker: other.uuid }), NotFound)
    }
  })

  test('a removed capsule takes its members along, with what they hold, and frees its host', async () => {
    const { store } = get()
    const capsule = await addCapsule(get(), { spec: aSpec({ cpu: 2 }) })
    const member = await addContainer(store, { kind: 2, capsuleUuid: capsule.uuid })
    const mount = aBinding(aMount())
    const port = aBinding(aPort())
    await store.write(async (tx) => {
      await tx.networks.insert(aNetwork('net1'))
      await tx.bindings.insert(capsule.uuid, port)
      await tx.networks.reserveAddress('net1', '10.0.0.2', port.uuid)
      await tx.bindings.insert(member.uuid, mount)
    })
    const operation = await addOperation(store, capsule.uuid, { verb: 'create' })
    assert.equal((await store.containers.usageOfHost('host1')).cpu, 2)
    assert.equal(await store.write((tx) => tx.containers.remove(capsule.uuid)), true)
    assert.deepEqual(await store.containers.byUuids([capsule.uuid, member.uuid]), [])
    assert.equal(await store.operations.byId(operation.id), undefined)
    assert.equal(await store.bindings.byUuid(mount.uuid), undefined)
    assert.deepEqual(await store.networks.addresses('net1'), [])
    assert.deepEqual(await store.containers.usageOfHost('host1'), { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 })
  })
}
