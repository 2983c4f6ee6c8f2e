import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { forget } from '../../../src/orchestration/control-plane/forget.ts'
import { disposed } from '../../../src/orchestration/disposals.ts'
import type { MountData } from '../../../src/orchestration/ports/wire.ts'
import { aBinding, aContainer, aMount } from '../../support/builders.ts'
import { addContainer, type StoreHarness } from '../../support/store-harness.ts'

const ALL = { kind: 'all' } as const

const ofCloud = (holder: string, patch: Partial<MountData> = {}): MountData =>
  aMount({ provider: 'block-storage', attachment: { holder, id: 'attachment-1' }, ...patch })

export function leftMountTests(get: () => StoreHarness): void {
  test('what a container leaves mounted is for its host to give back; a local volume goes with its data if it was made for it', async () => {
    const { store } = get()
    const container = await addContainer(store)
    const host = container.host ?? ''
    const [own, kept] = [randomUUID(), randomUUID()]
    const ofCloudBinding = aBinding(ofCloud(container.uuid))
    const file = aBinding(aMount({ provider: 'file', contents: 'c2VjcmV0' }))
    await store.write(async (tx) => {
      for (const [uuid, autoRemove] of [
        [own, true],
        [kept, false],
      ] as const) {
        await tx.volumes.insert({
          uuid,
          name: null,
          projectId: 'project',
          userId: 'user',
          sizeGiB: 1,
          host,
          autoRemove,
        })
        await tx.bindings.insert(container.uuid, aBinding(aMount({ volumeUuid: uuid, autoRemove })))
      }
      for (const binding of [ofCloudBinding, file]) await tx.bindings.insert(container.uuid, binding)
    })
    await store.write((tx) => forget(tx, container))
    const left = (await store.disposals.onHost(host)).toSorted((a, b) => a.kind.localeCompare(b.kind))
    assert.deepEqual(
      left.filter(({ kind }) => kind === 'volume'),
      [{ kind: 'volume', uuid: own }],
    )
    const mounts = left.flatMap((one) => (one.kind === 'mount' ? [[one.uuid, one.mount] as const] : []))
    assert.deepEqual(
      new Map<string, unknown>(mounts),
      new Map<string, unknown>([
        [ofCloudBinding.uuid, ofCloudBinding.data],
        // What the user had written into it is nobody's business any more.
        [file.uuid, { ...file.data, contents: null }],
      ]),
    )
    assert.equal((await store.volumes.byUuid(own, ALL))?.deleting, true)
    for (const { uuid } of left) await store.write((tx) => disposed(tx, uuid, host))
    assert.deepEqual(await store.disposals.onHost(host), [])
    assert.deepEqual(
      [await store.volumes.byUuid(own, ALL), (await store.volumes.byUuid(kept, ALL))?.deleting],
      [undefined, false],
    )
  })

  test('a volume of a capsule is given back once, however many members had it mounted', async () => {
    const { store } = get()
    const capsule = await addContainer(store, { kind: 1 })
    const data = ofCloud(capsule.uuid)
    for (const name of ['one', 'two']) {
      const member = await store.write((tx) =>
        tx.containers.insert(aContainer({ name, kind: 2, capsuleUuid: capsule.uuid })),
      )
      await store.write((tx) => tx.bindings.insert(member.uuid, aBinding(data)))
    }
    await store.write((tx) => forget(tx, capsule))
    const left = await store.disposals.onHost(capsule.host ?? '')
    assert.deepEqual(
      left.map((one) => one.kind === 'mount' && one.mount),
      [data],
    )
  })

  test('what was left of the cloud on hosts without a record is known, and nothing else', async () => {
    const { store } = get()
    const [here, gone] = [await addContainer(store, { host: 'host1' }), await addContainer(store, { host: 'gone' })]
    const left = aBinding(ofCloud(gone.uuid))
    await store.write(async (tx) => {
      await tx.hosts.beginSession({ host: 'host1', availabilityZone: 'nova', uuidIfNew: randomUUID() })
      await tx.bindings.insert(here.uuid, aBinding(ofCloud(here.uuid)))
      await tx.bindings.insert(gone.uuid, aBinding(aMount({ provider: 'file' })))
      await tx.bindings.insert(gone.uuid, left)
      for (const container of [here, gone]) await forget(tx, container)
    })
    assert.deepEqual(await store.disposals.mountsOfLostHosts(), [{ uuid: left.uuid, host: 'gone', mount: left.data }])
  })
}
