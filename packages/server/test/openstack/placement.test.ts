/** What hosts have and containers hold, in a real Placement. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import { PlacementCandidates } from '../../src/adapters/openstack/placement/candidates.ts'
import { DISABLED_TRAIT, PlacementClaims } from '../../src/adapters/openstack/placement/claims.ts'
import { PlacementClient } from '../../src/adapters/openstack/placement/client.ts'
import { ResourceReport, type ReportOptions } from '../../src/adapters/openstack/placement/report.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { resourceClaimsSuite } from '../contract/resource-claims.suite.ts'
import { anInventory } from '../support/builders.ts'
import { quietLog } from '../support/quiet-log.ts'
import { CloudUser } from './support/cloud-user.ts'
import { ownSession } from './support/own-session.ts'

const session = ownSession()
const client = new PlacementClient(session)
const claims = new PlacementClaims(client, systemClock)
const signal = AbortSignal.timeout(600_000)
after(() => session.close())

async function provider(t: TestContext, name = `zund-test-${randomUUID()}`): Promise<string> {
  const admin = await CloudUser.login('admin')
  const uuid = randomUUID()
  await client.createProvider({ uuid, name }, signal)
  // What the test holds of it is released by hooks that were set later, and run later.
  t.after(async () => {
    const path = `/resource_providers/${uuid}`
    if ((await admin.call('placement', 'GET', path)).status === 404) return
    for (const consumer of (await claims.heldOf(uuid, { signal })).keys()) await claims.release(consumer, { signal })
    await admin.delete('placement', path)
  })
  return uuid
}

resourceClaimsSuite('Placement', async () => ({
  claims,
  provider: async (t) => {
    const uuid = await provider(t)
    const of = (total: number) => ({ total })
    const inventories = { VCPU: of(8), MEMORY_MB: of(4096), DISK_GB: of(100) }
    await client.putInventories(uuid, { generation: 0, inventories }, signal)
    return uuid
  },
}))

const has = anInventory({ cpus: 4, memTotalMiB: 8000, diskTotalGiB: 80 })

describe('what a host has', () => {
  let admin: CloudUser
  const logged: object[] = []

  before(async () => {
    admin = await CloudUser.login('admin')
  })

  const report = (name: string, options: Partial<ReportOptions> = {}) =>
    new ResourceReport({
      client,
      clock: systemClock,
      log: { ...quietLog, warn: (fields) => logged.push(fields) },
      host: name,
      sharedNames: undefined,
      ratios: { cpu: 0, ram: 0, disk: 0 },
      reservedForImages: 0.2,
      ...options,
    })

  const removedAfter = (t: TestContext, uuid: string): void =>
    t.after(async () => await admin.call('placement', 'DELETE', `/resource_providers/${uuid}`))

  it('is a resource provider of its own name and uuid, with inventories, and stays as it is when told again', async (t) => {
    const [uuid, name] = [randomUUID(), `zund-test-${randomUUID()}`]
    removedAfter(t, uuid)
    const told = await report(name).told(uuid, has, signal)
    assert.deepEqual(told.resourceProvider, { uuid, isShared: false })
    assert.deepEqual(told.allocation, has.allocation)
    const { inventories, generation } = await client.inventories(uuid, signal)
    const of = (total: number, reserved: number, ratio: number) => ({
      total,
      reserved,
      min_unit: 1,
      max_unit: total,
      step_size: 1,
      allocation_ratio: ratio,
    })
    const { cpuRatio, ramRatio, diskRatio, reservedMemoryMiB } = has.allocation
    assert.deepEqual(inventories, {
      VCPU: of(4, 0, cpuRatio),
      MEMORY_MB: of(8000, reservedMemoryMiB, ramRatio),
      DISK_GB: of(100, 0, diskRatio),
    })
    await report(name).told(uuid, has, signal)
    assert.equal((await client.inventories(uuid, signal)).generation, generation, 'nothing was written')
    await report(name).told(uuid, { ...has, cpus: 2 }, signal)
    assert.equal((await client.inventories(uuid, signal)).inventories['VCPU']?.['total'], 2)
  })

  it('leaves classes, traits and ratios of others as they are, unless the operator has set a ratio', async (t) => {
    const [uuid, name] = [randomUUID(), `zund-test-${randomUUID()}`]
    removedAfter(t, uuid)
    await report(name).told(uuid, has, signal)
    const { inventories, generation } = await client.inventories(uuid, signal)
    await client.putInventories(
      uuid,
      {
        generation,
        inventories: { ...inventories, VGPU: { total: 2 }, VCPU: { ...inventories['VCPU'], allocation_ratio: 3 } },
      },
      signal,
    )
    const traits = await client.traits(uuid, signal)
    await client.putTraits(uuid, traits.generation, ['HW_CPU_X86_AVX2'], signal)
    const told = await report(name).told(uuid, { ...has, cpus: 3 }, signal)
    assert.equal(told.allocation.cpuRatio, 3)
    const now = (await client.inventories(uuid, signal)).inventories
    assert.deepEqual([now['VCPU']?.['total'], now['VCPU']?.['allocation_ratio'], now['VGPU']?.['total']], [3, 3, 2])
    for (const isDisabled of [true, false]) {
      await claims.markDisabled(uuid, isDisabled, { signal })
      const expected = ['HW_CPU_X86_AVX2', ...(isDisabled ? [DISABLED_TRAIT] : [])]
      assert.deepEqual(new Set((await client.traits(uuid, signal)).traits), new Set(expected))
    }
    const set = await report(name, { ratios: { cpu: 5, ram: 0, disk: 0 } }).told(uuid, has, signal)
    assert.equal(set.allocation.cpuRatio, 5)
    assert.equal((await client.inventories(uuid, signal)).inventories['VCPU']?.['allocation_ratio'], 5)
  })

  it('shared with another service is that service’s to tell, and only looked up', async (t) => {
    const name = `zund-test-${randomUUID()}`
    const uuid = await provider(t, name)
    await client.putInventories(
      uuid,
      { generation: 0, inventories: { VCPU: { total: 99, allocation_ratio: 4 } } },
      signal,
    )
    const shared = report('other', { sharedNames: async () => ['nobody', name] })
    const told = await shared.told(randomUUID(), has, signal)
    assert.deepEqual(told.resourceProvider, { uuid, isShared: true })
    assert.equal(told.allocation.cpuRatio, 4)
    const { inventories } = await client.inventories(uuid, signal)
    assert.deepEqual([Object.keys(inventories), inventories['VCPU']?.['total']], [['VCPU'], 99])
  })

  it('is told of the provider of an earlier installation, but not of one of Nova’s', async (t) => {
    const name = `zund-test-${randomUUID()}`
    const other = await provider(t, name)
    logged.length = 0
    const told = await report(name).told(randomUUID(), has, signal)
    assert.deepEqual(told.resourceProvider, { uuid: other, isShared: true })
    assert.equal((await client.inventories(other, signal)).inventories['VCPU']?.['total'], has.cpus)
    const { generation } = await client.traits(other, signal)
    await client.putTraits(other, generation, ['COMPUTE_VOLUME_ATTACH_WITH_TAG'], signal)
    const refused = await report(name).told(randomUUID(), { ...has, cpus: 1 }, signal)
    assert.equal(refused.resourceProvider, undefined)
    assert.match(JSON.stringify(logged), new RegExp(`is Nova's \\(${other}\\).*host_shared_with_nova`))
    assert.equal((await client.inventories(other, signal)).inventories['VCPU']?.['total'], has.cpus)
  })
})

describe('who has room', () => {
  const candidates = new PlacementCandidates({ client, claims, log: quietLog, maxResults: 1000 })
  const wanted = { cpu: 2.5, memoryMiB: 0, diskGiB: 0, provider: null, requestId: 'req-1' }

  it('are the providers with enough of everything, that are not disabled, and no other than the one asked for', async (t) => {
    const [small, large] = [await provider(t), await provider(t)]
    for (const [uuid, cores] of [
      [small, 2],
      [large, 4],
    ] as const) {
      const inventories = { VCPU: { total: cores }, MEMORY_MB: { total: 1024 } }
      await client.putInventories(uuid, { generation: 0, inventories }, signal)
    }
    const find = async (more: object = {}) =>
      (await candidates.find({ ...wanted, ...more }, { signal })) ?? assert.fail()
    const [all, one] = [await find(), await find({ cpu: 1 })]
    assert.deepEqual([all.has(small), all.has(large)], [false, true], 'two and a half cores are three')
    assert.deepEqual([one.has(small), one.has(large)], [true, true])
    assert.equal((await find({ diskGiB: 1 })).has(large), false)
    assert.equal((await find({ memoryMiB: 2000 })).has(large), false)
    assert.deepEqual([...(await find({ cpu: 1, provider: small }))], [small])
    await claims.markDisabled(large, true, { signal })
    assert.equal((await find()).has(large), false)
  })
})
