import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Conflict, InvalidInput } from '../../../src/domain/errors.ts'
import type { ImageRecord, NewLocalVolume, Page } from '../../../src/orchestration/ports/store.ts'
import { aBinding, aMount, aNetwork, aSpec } from '../../support/builders.ts'
import { addContainer, ALL, type StoreHarness } from '../../support/store-harness.ts'

function anImage(patch: Partial<ImageRecord> = {}): Omit<ImageRecord, 'id'> {
  return {
    uuid: randomUUID(),
    imageId: null,
    repo: 'busybox',
    tag: 'latest',
    sizeBytes: null,
    host: 'host1',
    projectId: 'project',
    userId: 'user',
    pending: null,
    error: null,
    ...patch,
  }
}

function aVolume(patch: Partial<NewLocalVolume> = {}): NewLocalVolume {
  return {
    uuid: randomUUID(),
    name: null,
    projectId: 'project',
    userId: 'user',
    sizeGiB: 1,
    host: null,
    autoRemove: false,
    ...patch,
  }
}

function aPage(patch: Partial<Page> = {}): Page {
  return { limit: 100, marker: null, sortKey: 'id', sortDir: 'asc', ...patch }
}

export function resourceTests(get: () => StoreHarness): void {
  test('an address of a network is given to one port', async () => {
    const { store } = get()
    await store.write((tx) => tx.networks.insert(aNetwork('n1')))
    await store.write((tx) => tx.networks.insert(aNetwork('n2', { cidrV4: '10.0.1.0/24' })))
    await store.write((tx) => tx.networks.reserveAddress('n1', '10.0.0.9', 'port1'))
    await assert.rejects(
      store.write((tx) => tx.networks.reserveAddress('n1', '10.0.0.9', 'port2')),
      (error) => error instanceof Conflict && error.code === 'port-in-use',
    )
    await store.write((tx) => tx.networks.reserveAddress('n2', '10.0.0.9', 'port2'))
    assert.deepEqual(await store.networks.addresses('n1'), ['10.0.0.9'])
  })

  test('of two who want the same address at once one gets it', async () => {
    const { store } = get()
    await store.write((tx) => tx.networks.insert(aNetwork('n1')))
    const results = await Promise.allSettled(
      ['a', 'b'].map((port) => store.write((tx) => tx.networks.reserveAddress('n1', '10.0.0.9', port))),
    )
    assert.deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'rejected'],
    )
  })

  test('subnets are unique, and a project has one default network', async () => {
    const { store } = get()
    const insert = (patch: object) => store.write((tx) => tx.networks.insert(aNetwork(randomUUID(), patch)))
    const first = await insert({ isDefault: true, cidrV6: 'fd00::/64', gatewayV6: 'fd00::1', subnetV6: 's6' })
    await assert.rejects(insert({}), Conflict)
    await assert.rejects(insert({ cidrV4: '10.1.0.0/24', isDefault: true }), Conflict)
    await assert.rejects(insert({ cidrV4: '10.1.0.0/24', cidrV6: 'fd00::/64' }), Conflict)
    const second = await insert({ cidrV4: '10.2.0.0/24', isDefault: true, projectId: 'other' })
    assert.deepEqual((await store.networks.usedCidrs()).toSorted(), ['10.0.0.0/24', '10.2.0.0/24', 'fd00::/64'])
    const own = { kind: 'project', projectId: 'project' } as const
    assert.deepEqual(await store.networks.list(own), [first])
    assert.deepEqual(await store.networks.byName('default', own), [first])
    assert.equal(await store.networks.byUuid(second.uuid, own), undefined)
    assert.deepEqual(await store.networks.byUuid(second.uuid, ALL), second)
    assert.deepEqual(await store.networks.list({ kind: 'user', userId: 'user' }), [])
    assert.equal(await store.write((tx) => tx.networks.remove(first.uuid)), true)
    assert.equal(await store.write((tx) => tx.networks.remove(first.uuid)), false)
  })

  test('what is being deleted gives its name away, a network also its place as the default one', async () => {
    const { store } = get()
    const own = { kind: 'project', projectId: 'project' } as const
    const network = await store.write((tx) => tx.networks.insert(aNetwork('n1', { isDefault: true })))
    const volume = await store.write((tx) => tx.volumes.insert(aVolume({ name: 'data' })))
    assert.deepEqual([network.deleting, volume.deleting], [false, false])
    assert.equal(await store.write((tx) => tx.networks.markDeleting('n1')), true)
    assert.equal(await store.write((tx) => tx.volumes.markDeleting(volume.uuid)), true)
    assert.equal(await store.write((tx) => tx.networks.markDeleting('n2')), false)
    assert.equal(await store.write((tx) => tx.volumes.markDeleting('v2')), false)
    assert.deepEqual([await store.networks.byName('default', own), await store.volumes.byName('data', own)], [[], []])
    assert.deepEqual(await store.networks.list(own), [{ ...network, isDefault: false, deleting: true }])
    assert.deepEqual(await store.volumes.byUuid(volume.uuid, own), { ...volume, deleting: true })
    const next = aNetwork('n2', { isDefault: true, cidrV4: '10.0.1.0/24' })
    assert.equal((await store.write((tx) => tx.networks.insert(next))).isDefault, true)
    assert.deepEqual((await store.networks.usedCidrs()).toSorted(), ['10.0.0.0/24', '10.0.1.0/24'])
  })

  test('what hosts have to remove is noted for each of them', async () => {
    const { store } = get()
    const disposal = { kind: 'network', uuid: 'n1' } as const
    await store.write(async (tx) => {
      await tx.disposals.insert(disposal, 'host1')
      await tx.disposals.insert(disposal, 'host2')
      await tx.disposals.insert({ kind: 'volume', uuid: 'v1' }, 'host1')
    })
    assert.deepEqual(
      (await store.disposals.onHost('host1')).toSorted((a, b) => a.uuid.localeCompare(b.uuid)),
      [disposal, { kind: 'volume', uuid: 'v1' }],
    )
    assert.equal(await store.write((tx) => tx.disposals.remove('n1', 'host1')), true)
    assert.equal(await store.write((tx) => tx.disposals.remove('n1', 'host1')), false)
    assert.deepEqual(await store.disposals.hostsOf('n1'), ['host2'])
    assert.deepEqual(await store.disposals.hostsOf('zz'), [])
  })

  test('volumes know who uses them', async () => {
    const { store } = get()
    const volume = await store.write((tx) => tx.volumes.insert(aVolume({ name: 'data' })))
    const { uuid } = await addContainer(store)
    assert.deepEqual(await store.volumes.users(volume.uuid), [])
    await store.write((tx) => tx.bindings.insert(uuid, aBinding(aMount({ volumeUuid: volume.uuid }))))
    assert.deepEqual(await store.volumes.users(volume.uuid), [uuid])
    assert.equal(await store.write((tx) => tx.volumes.setHost(volume.uuid, 'host1')), true)
    const own = { kind: 'project', projectId: 'project' } as const
    assert.deepEqual(await store.volumes.byName('data', own), [{ ...volume, host: 'host1' }])
    assert.deepEqual(await store.volumes.list({ kind: 'project', projectId: 'other' }), [])
    assert.equal((await store.volumes.byUuid(volume.uuid, { kind: 'user', userId: 'user' }))?.name, 'data')
    assert.equal(await store.write((tx) => tx.volumes.remove(volume.uuid)), true)
    assert.equal(await store.write((tx) => tx.volumes.remove(volume.uuid)), false)
    assert.equal(await store.write((tx) => tx.volumes.setHost(volume.uuid, 'host1')), false)
  })

  test('an image has one record per name and host', async () => {
    const { store } = get()
    const made = await store.write((tx) => tx.images.insert(anImage({ pending: 'pull' })))
    await assert.rejects(
      store.write((tx) => tx.images.insert(anImage())),
      (error) => error instanceof Conflict && error.code === 'image-already-exists',
    )
    await store.write((tx) => tx.images.insert(anImage({ host: 'host2', pending: 'delete' })))
    await store.write((tx) => tx.images.insert(anImage({ tag: 'old', pending: 'commit' })))
    assert.deepEqual(await store.images.pendingOn('host1'), [made])
    assert.deepEqual(await store.images.named(made.repo, made.tag, 'host1'), made)
    assert.equal(await store.images.named(made.repo, made.tag, 'host3'), undefined)
    const patch = { imageId: 'sha256:1', sizeBytes: 5, pending: null, error: 'e', repo: 'r', tag: 't' }
    assert.equal(await store.write((tx) => tx.images.update(made.uuid, patch)), true)
    assert.deepEqual(await store.images.byUuid(made.uuid, ALL), { ...made, ...patch })
    assert.equal(await store.write((tx) => tx.images.update(made.uuid, {})), true)
    assert.equal(await store.write((tx) => tx.images.update(randomUUID(), {})), false)
    assert.equal(await store.images.byUuid(made.uuid, { kind: 'project', projectId: 'other' }), undefined)
    assert.equal(await store.write((tx) => tx.images.remove(made.uuid)), true)
    assert.equal(await store.write((tx) => tx.images.remove(made.uuid)), false)
  })

  test('limits are kept for each project and each class, and only those that were set', async () => {
    const harness = get()
    await harness.store.write(async (tx) => {
      await tx.quotas.set(['project', 'same'], { cpu: 4, disk: -1 })
      await tx.quotas.set(['class', 'same'], { cpu: 8 })
      await tx.quotas.set(['project', 'same'], { cpu: 0, memory: 2_000_000_000 })
      await tx.quotas.set(['project', 'same'], {})
    })
    await harness.reopen()
    const { store } = harness
    const { quotas } = store
    assert.deepEqual(await quotas.limitsOf(['project', 'same']), { cpu: 0, disk: -1, memory: 2_000_000_000 })
    assert.deepEqual(await quotas.limitsOf(['class', 'same']), { cpu: 8 })
    assert.deepEqual(await quotas.limitsOf(['project', 'Same']), {})
    await store.write(async (tx) => {
      await tx.quotas.clear(['project', 'same'])
      await tx.quotas.clear(['project', 'nobody'])
    })
    assert.deepEqual(await quotas.limitsOf(['project', 'same']), {})
    assert.deepEqual(await quotas.limitsOf(['class', 'same']), { cpu: 8 })
  })

  test('registries are their project’s, may share a name, and stay while a container has them', async () => {
    const { store } = get()
    const aRegistry = { name: 'store', domain: 'r.example', username: null, sealedPassword: null, userId: 'user' }
    const add = async (projectId: string) =>
      await store.write((tx) => tx.registries.insert({ ...aRegistry, uuid: randomUUID(), projectId }))
    const [one, two, theirs] = [await add('project'), await add('project'), await add('other')]
    const own = { kind: 'project', projectId: 'project' } as const
    assert.deepEqual(await store.registries.byName('store', own), [one, two])
    assert.deepEqual(await store.registries.byName('Store', own), [])
    assert.deepEqual(await store.registries.list(own), [one, two])
    assert.deepEqual(await store.registries.list({ kind: 'user', userId: 'user' }), [one, two, theirs])
    assert.equal(await store.registries.byUuid(theirs.uuid, own), undefined)
    const patch = { name: 'renamed', domain: 'q.example', username: 'u', sealedPassword: 'sealed' }
    assert.equal(await store.write((tx) => tx.registries.update(one.uuid, patch)), true)
    assert.equal(await store.write((tx) => tx.registries.update(one.uuid, {})), true)
    assert.equal(await store.write((tx) => tx.registries.update(randomUUID(), patch)), false)
    assert.equal(await store.write((tx) => tx.registries.update(randomUUID(), {})), false)
    assert.deepEqual(await store.registries.byUuid(one.uuid, ALL), { ...one, ...patch })

    const { uuid } = await addContainer(store, { spec: aSpec({ registryUuid: one.uuid }) })
    assert.deepEqual([await store.registries.isUsed(one.uuid), await store.registries.isUsed(two.uuid)], [true, false])
    await assert.rejects(store.write((tx) => tx.registries.remove(one.uuid)))
    await assert.rejects(addContainer(store, { spec: aSpec({ registryUuid: randomUUID() }) }))
    await store.write((tx) => tx.containers.remove(uuid))
    assert.equal(await store.registries.isUsed(one.uuid), false)
    assert.equal(await store.write((tx) => tx.registries.remove(one.uuid)), true)
    assert.equal(await store.write((tx) => tx.registries.remove(one.uuid)), false)
  })

  test('a commit that comes to nothing leaves what was there before', async () => {
    const { store } = get()
    const add = async (image: Parameters<typeof anImage>[0]) =>
      (await store.write((tx) => tx.images.insert(anImage({ tag: randomUUID(), ...image })))).uuid
    const fresh = await add({ pending: 'commit', imageId: null })
    const again = await add({ pending: 'commit', imageId: 'sha256:1' })
    const going = await add({ pending: 'delete', imageId: 'sha256:1' })
    for (const uuid of [fresh, again, going]) await store.write((tx) => tx.images.abandonCommit(uuid))
    const pendingOf = async (uuid: string) => (await store.images.byUuid(uuid, ALL))?.pending
    assert.deepEqual(await Promise.all([fresh, again, going].map(pendingOf)), [undefined, null, 'delete'])
  })

  test('images are paged like containers', async () => {
    const { store } = get()
    const uuids: string[] = []
    for (let n = 0; n < 7; n += 1) {
      const image = anImage({ repo: `repo${n % 3}`, tag: String(n), sizeBytes: n % 2 === 0 ? null : n })
      uuids.push((await store.write((tx) => tx.images.insert(image))).uuid)
    }
    for (const sortKey of ['id', 'uuid', 'image_id', 'repo', 'tag', 'size', 'host', 'project_id']) {
      for (const sortDir of ['asc', 'desc'] as const) {
        const whole = (await store.images.list(aPage({ sortKey, sortDir }), ALL)).map((image) => image.uuid)
        assert.deepEqual(whole.toSorted(), uuids.toSorted())
        const pages: string[] = []
        for (let marker: string | null = null; ; ) {
          const page: ImageRecord[] = await store.images.list(aPage({ sortKey, sortDir, limit: 3, marker }), ALL)
          pages.push(...page.map((image) => image.uuid))
          marker = page.at(-1)?.uuid ?? null
          if (marker === null) break
        }
        assert.deepEqual(pages, whole, `${sortKey} ${sortDir}`)
      }
    }
    await assert.rejects(store.images.list(aPage({ sortKey: 'constructor' }), ALL), InvalidInput)
    await assert.rejects(store.images.list(aPage({ marker: randomUUID() }), ALL), InvalidInput)
    assert.deepEqual(await store.images.list(aPage(), { kind: 'project', projectId: 'other' }), [])
  })
}
