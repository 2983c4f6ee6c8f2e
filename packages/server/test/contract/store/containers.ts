import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Scope } from '../../../src/orchestration/ports/store.ts'
import {
  anAllocation,
  aBinding,
  aContainer,
  aMount,
  aNetwork,
  anObservation,
  aPort,
  aSpec,
} from '../../support/builders.ts'
import { addContainer, addOperation, ALL, claimAll, type StoreHarness } from '../../support/store-harness.ts'

export function containerTests(get: () => StoreHarness): void {
  test('a container comes back as it was given', async () => {
    const { store } = get()
    const spec = aSpec({
      environment: { 'Ä=': "'\n\0" },
      labels: { a: '' },
      cpu: 0.25,
      restartPolicy: { name: 'no', maximumRetryCount: 0 },
    })
    const given = { uuid: randomUUID(), name: 'name', spec, statusReason: 'why', addresses: { net: [] }, host: null }
    const made = await addContainer(store, given)
    const { uuid, name, statusReason, addresses, host } = made
    assert.deepEqual({ uuid, name, spec: made.spec, statusReason, addresses, host }, given)
    assert.deepEqual(await store.containers.byUuid(uuid, ALL), made)
    assert.deepEqual(
      [made.generation, made.taskState, made.progress, made.observed, made.updatedAtMs, made.revision],
      [0, null, null, null, null, 1],
    )
  })

  test('every update counts the revision up, sets the time, and changes only what it names', async () => {
    const h = get()
    const before = await addContainer(h.store, { name: 'first' })
    await h.pass(1_000)
    const seen = anObservation()
    const patch = { taskState: 'container_starting', observed: seen, progress: '1 of 2', generation: 4 }
    assert.equal(await h.store.write((tx) => tx.containers.update(before.uuid, patch)), true)
    const after = await h.store.containers.byUuid(before.uuid, ALL)
    assert.ok(after)
    assert.ok((after.updatedAtMs ?? 0) >= before.createdAtMs + 1_000)
    assert.deepEqual(after, { ...before, ...patch, revision: 2, updatedAtMs: after.updatedAtMs })
    await h.store.write((tx) => tx.containers.update(before.uuid, {}))
    assert.equal((await h.store.containers.byUuid(before.uuid, ALL))?.revision, 3)
    assert.equal(await h.store.write((tx) => tx.containers.update(randomUUID(), {})), false)
  })

  test('every field of a patch can be set and cleared', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const patches = [
      { name: 'other', desired: 'stopped', host: 'h2', status: 'Stopped', statusReason: 'r', spec: aSpec({ cpu: 2 }) },
      { host: null, statusReason: null, taskState: null, progress: null, observed: null, addresses: {} },
    ] as const
    for (const patch of patches) {
      await store.write((tx) => tx.containers.update(uuid, patch))
      const now = await store.containers.byUuid(uuid, ALL)
      assert.deepEqual({ ...now, ...patch }, now)
    }
  })

  test('who may see what is decided by the scope', async () => {
    const { store } = get()
    const mine = await addContainer(store, { projectId: 'p1', userId: 'u1', name: 'same' })
    const theirs = await addContainer(store, { projectId: 'p2', userId: 'u2', name: 'same' })
    const rows: readonly [Scope, string[]][] = [
      [{ kind: 'project', projectId: 'p1' }, [mine.uuid]],
      [{ kind: 'user', userId: 'u2' }, [theirs.uuid]],
      [{ kind: 'project', projectId: 'none' }, []],
      [ALL, [mine.uuid, theirs.uuid]],
    ]
    for (const [scope, visible] of rows) {
      const named = (await store.containers.byName('same', 0, scope)).map((c) => c.uuid)
      assert.deepEqual(named.toSorted(), visible.toSorted())
      for (const { uuid } of [mine, theirs]) {
        assert.equal((await store.containers.byUuid(uuid, scope)) !== undefined, visible.includes(uuid))
      }
    }
  })

  test('names are found exactly, and taken whatever their case', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store, { projectId: 'p1', name: 'Web' })
    assert.equal((await store.containers.byName('web', 0, ALL)).length, 0)
    assert.equal(await store.containers.nameTaken('wEB', 'p1', null), true)
    assert.equal(await store.containers.nameTaken('web', 'p2', null), false)
    assert.equal(await store.containers.nameTaken('web', null, null), true)
    assert.equal(await store.containers.nameTaken('web', 'p1', uuid), false)
  })

  test('members of capsules are no containers of the list, of names and of the quota, and load the host as their capsule', async () => {
    const { store } = get()
    await addContainer(store, { name: 'plain', spec: aSpec({ cpu: 1.5, memoryMiB: 100, diskGiB: 3 }) })
    await addContainer(store, { name: 'plain', status: 'Error', spec: aSpec({ cpu: 0.25, memoryMiB: 50, diskGiB: 0 }) })
    const large = aSpec({ cpu: 4, memoryMiB: 1000, diskGiB: 10 })
    const { uuid: capsuleUuid } = await addContainer(store, { name: 'plain', kind: 1, spec: large })
    await addContainer(store, { name: 'plain', kind: 2, spec: large, capsuleUuid })
    await addContainer(store, { name: 'plain', kind: 3, spec: large, capsuleUuid })
    await addContainer(store, { name: 'plain', projectId: 'other', host: 'h2' })
    assert.equal((await store.containers.byName('plain', 0, { kind: 'project', projectId: 'project' })).length, 2)
    assert.deepEqual(await store.containers.usageOfProject('project'), {
      containers: 2,
      cpu: 1.75,
      memoryMiB: 150,
      diskGiB: 3,
    })
    assert.deepEqual(await store.containers.usageOfHost('host1'), {
      containers: 3,
      cpu: 5.75,
      memoryMiB: 1150,
      diskGiB: 13,
    })
    const none = { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 }
    assert.deepEqual(await store.containers.usageOfProject('nobody'), none)
  })

  test('what is in use follows resizes, moves and removals, and fractions of cores do not drift', async () => {
    const { store } = get()
    const aTenth = aSpec({ cpu: 0.1, memoryMiB: 10, diskGiB: 1 })
    const uuids: string[] = []
    for (let n = 0; n < 30; n += 1) uuids.push((await addContainer(store, { spec: aTenth })).uuid)
    const [resized, moved, unplaced, ...others] = uuids
    assert.ok(resized !== undefined && moved !== undefined && unplaced !== undefined)
    await store.write(async (tx) => {
      const larger = aSpec({ cpu: 2, memoryMiB: 15, diskGiB: 0 })
      await tx.containers.update(resized, { spec: larger, allocation: anAllocation(larger), status: 'Running' })
      await tx.containers.update(moved, { host: 'h2' })
      await tx.containers.update(unplaced, { host: null })
      for (const uuid of others) assert.equal(await tx.containers.remove(uuid), true)
      assert.equal(await tx.containers.remove(others[0] ?? ''), false)
    })
    const inUse = { containers: 1, memoryMiB: 10, cpu: 0.1, diskGiB: 1 }
    assert.deepEqual(await store.containers.usageOfHost('h2'), inUse)
    assert.deepEqual(await store.containers.usageOfHost('host1'), { containers: 1, memoryMiB: 15, cpu: 2, diskGiB: 0 })
    const all = { containers: 3, memoryMiB: 35, cpu: 2.2, diskGiB: 2 }
    assert.deepEqual(await store.containers.usageOfProject('project'), all)
    const failed = store.write(async (tx) => {
      await tx.containers.remove(moved)
      throw new Error('changed its mind')
    })
    await assert.rejects(failed, /changed its mind/)
    assert.deepEqual(await store.containers.usageOfProject('project'), all)
  })

  test('what a host has in use is what its containers hold of it, whatever they ask for', async () => {
    const { store } = get()
    const aCore = aSpec({ cpu: 1, memoryMiB: 100, diskGiB: 5 })
    const holds = anAllocation({ cpu: 3, memoryMiB: 300, diskGiB: 0 }, { cpuset: { cpus: [2, 3], mems: [0] } })
    const growing = await addContainer(store, { spec: aCore, allocation: holds })
    const failed = await addContainer(store, { spec: aCore, status: 'Error', allocation: null })
    await addContainer(store, {
      spec: aCore,
      host: 'h2',
      allocation: anAllocation(aCore, { pciDevices: ['0000:3b:02.0'] }),
    })
    assert.deepEqual((await store.containers.byUuid(growing.uuid, { kind: 'all' }))?.allocation, holds)
    assert.equal((await store.containers.byUuid(failed.uuid, { kind: 'all' }))?.allocation, null)
    const host1 = { containers: 1, cpu: 3, memoryMiB: 300, diskGiB: 0 }
    assert.deepEqual(await store.containers.usageOfHost('host1'), host1)
    assert.deepEqual(
      await store.containers.usageOfHosts(),
      new Map([
        ['host1', host1],
        ['h2', { containers: 1, cpu: 1, memoryMiB: 100, diskGiB: 5 }],
      ]),
    )
    const exclusive = async () =>
      [...(await store.containers.exclusiveAllocations())].map(([host, of]) => [host, of.length])
    assert.deepEqual(await exclusive(), [
      ['host1', 1],
      ['h2', 1],
    ])
    await store.write(async (tx) => {
      await tx.containers.update(growing.uuid, { allocation: anAllocation(aCore) })
    })
    assert.deepEqual(await exclusive(), [['h2', 1]])
    await store.write((tx) => tx.containers.update(growing.uuid, { allocation: null }))
    assert.deepEqual((await store.containers.usageOfHost('host1')).containers, 0)
    assert.equal((await store.containers.usageOfProject('project')).cpu, 3)
  })

  test('a resize under way holds what it grows to, several of one container the largest, until it ends', async () => {
    const { store } = get()
    const first = await addContainer(store, { spec: aSpec({ cpu: 1, memoryMiB: 100, diskGiB: 3 }) })
    const second = await addContainer(store, { spec: aSpec({ cpu: 1, memoryMiB: 100, diskGiB: 0 }) })
    const member = await addContainer(store, { kind: 2 })
    const resize = async (uuid: string, params: { cpu?: number; memoryMiB?: number }) =>
      await addOperation(store, uuid, { verb: 'resize', params })
    const inUse = async () => {
      const { cpu, memoryMiB } = await store.containers.usageOfProject('project')
      return [cpu, memoryMiB]
    }
    await resize(first.uuid, { cpu: 4 })
    await resize(first.uuid, { cpu: 2.5, memoryMiB: 300 })
    await resize(second.uuid, { cpu: 0.5, memoryMiB: 50 })
    await resize(member.uuid, { cpu: 8 })
    await addOperation(store, second.uuid, { verb: 'start' })
    assert.deepEqual(await inUse(), [5, 400])
    assert.deepEqual((await store.containers.usageOfHost('host1')).cpu, 2, 'a host is used by what is so already')
    const claimed = (await claimAll(store)).filter((op) => op.containerUuid === first.uuid)
    assert.deepEqual([claimed.length, await inUse()], [1, [5, 400]])
    for (const { id, fence } of claimed) {
      await store.write((tx) => tx.operations.release(id, fence, { state: 'failed', errorMessage: 'no' }))
    }
    assert.deepEqual(await inUse(), [3.5, 400])
    await store.write((tx) => tx.operations.cancelQueued(first.uuid, 'superseded'))
    assert.deepEqual(await inUse(), [2, 200])
  })

  test('a write sees what it added when it adds up', async () => {
    const { store } = get()
    const counts = await Promise.all(
      [1, 2, 3].map((n) =>
        store.write(async (tx) => {
          const before = (await tx.containers.usageOfProject('project')).containers
          if (before < 2) await tx.containers.insert(aContainer({ name: `c${n}` }))
          return before
        }),
      ),
    )
    assert.deepEqual(counts, [0, 1, 2])
    assert.equal((await store.containers.usageOfProject('project')).containers, 2)
  })

  test('many are read at once, in any number', async () => {
    const { store } = get()
    const made = await Promise.all(Array.from({ length: 1_100 }, () => addContainer(store)))
    const uuids = made.map((container) => container.uuid)
    const found = await store.containers.byUuids([...uuids, randomUUID()])
    assert.deepEqual(found.map((container) => container.uuid).toSorted(), uuids.toSorted())
    assert.equal((await store.containers.onHost('host1')).length, 1_100)
    assert.deepEqual(await store.containers.byUuids([]), [])
    assert.deepEqual(await store.containers.countByStatus(), { Running: 1_100 })
  })

  test('a container goes with all that hangs on it', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const op = await addOperation(store, uuid)
    const port = aBinding(aPort())
    await store.write(async (tx) => {
      await tx.operations.stepStarted(op.id, 'startContainer', null)
      await tx.networks.insert(aNetwork('net1'))
      await tx.networks.reserveAddress('net1', '10.0.0.2', port.uuid)
      await tx.bindings.insert(uuid, port)
      await tx.bindings.insert(uuid, aBinding(aMount()))
    })
    assert.equal(await store.write((tx) => tx.containers.remove(uuid)), true)
    assert.equal(await store.containers.byUuid(uuid, ALL), undefined)
    assert.equal(await store.operations.byId(op.id), undefined)
    assert.deepEqual(await store.operations.steps(op.id), [])
    assert.deepEqual(await store.bindings.ofContainer(uuid), [])
    assert.deepEqual(await store.networks.addresses('net1'), [])
    assert.equal(await store.write((tx) => tx.containers.remove(uuid)), false)
  })
}
