/** A host that is removed for good: what becomes of its resource provider in a cloud's count. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, test } from 'node:test'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { FakeClaims } from '../../src/adapters/fake/fake-claims.ts'
import { Retryable } from '../../src/domain/errors.ts'
import { serviceRoutes } from '../../src/edge/api/v1/services/routes.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { ProviderSweep } from '../../src/orchestration/provider-sweep.ts'
import { apiOn, appOptions, ask, inventory, LiveStore } from '../support/live-api.ts'
import { anAllocation } from '../support/builders.ts'
import { until } from '../support/until.ts'

const NEVER_MS = 3_600_000
const signal = AbortSignal.timeout(60_000)
let live: LiveStore
let claims: FakeClaims
let sweep: ProviderSweep
let said: string[]
const doorbell = new LocalDoorbell()
const candidates = { find: async () => new Set<string>() }

beforeEach(() => {
  live = new LiveStore()
  claims = new FakeClaims()
  said = []
  const note = (_: unknown, text: string): void => void said.push(text)
  const log = { debug: () => undefined, info: note, warn: note, error: note }
  sweep = new ProviderSweep({ store: live.store, claims, doorbell, clock: systemClock, log, pollMs: NEVER_MS })
})
afterEach(async () => {
  await sweep.stop()
  await live.close()
})

/** Its provider, as its host has reported it. */
async function hostWith(provider: { uuid?: string; isShared?: boolean } = {}): Promise<string> {
  await live.host('gone')
  const host = await live.store.hosts.byName('gone')
  const resourceProvider = { uuid: provider.uuid ?? host?.uuid ?? '', isShared: provider.isShared ?? false }
  await live.host('gone', { inventory: { ...inventory, resourceProvider } })
  return resourceProvider.uuid
}

async function deleteService({ serviceDownTimeS = -1, isCounted = true } = {}): Promise<void> {
  const deps = { store: live.store, policy: live.policy, doorbell, options: { ...appOptions, serviceDownTimeS } }
  const app = apiOn(live, serviceRoutes({ ...deps, ...(isCounted ? { candidates } : {}) }))
  const { status } = await ask(app, 'DELETE /v1/services?host=gone&binary=zun-compute', { as: 'admin' })
  assert.equal(status, 200)
  await app.close()
}

const noted = async (): Promise<string[]> => (await live.store.leftProviders.list(10)).map(({ uuid }) => uuid)
const claim = (provider: string) => ({ provider, projectId: 'p', userId: 'u', cpu: 1, memoryMiB: 1, diskGiB: 0 })

test('it goes with the service at once, and the note of it, too', async () => {
  const provider = await hostWith()
  await sweep.start()
  await deleteService()
  await until('it is gone', async () => claims.removed.has(provider))
  await until('nothing is noted any more', async () => (await noted()).length === 0)
  assert.deepEqual(said, ['a host that is gone has no provider any more'])
})

test('it goes although its host never came to say that it has one, and nothing is noted where nobody counts', async () => {
  await live.host('gone', { inventory: null })
  const uuid = (await live.store.hosts.byName('gone'))?.uuid
  await deleteService()
  assert.deepEqual(await noted(), [uuid])
  await sweep.round()
  await live.host('gone')
  await deleteService({ isCounted: false })
  assert.deepEqual(await noted(), [])
})

test('of a service that is alive, that is shared, or that was there before it stays', async () => {
  await hostWith()
  await deleteService({ serviceDownTimeS: 180 })
  assert.deepEqual(await noted(), [])
  await hostWith({ uuid: randomUUID(), isShared: true })
  await deleteService()
  assert.deepEqual(await noted(), [])
})

test('while the count is away it waits, and is told; afterwards it goes, however often that is tried', async () => {
  const provider = await hostWith()
  await deleteService()
  const remove = claims.removeProvider.bind(claims)
  claims.removeProvider = async () => {
    throw new Retryable('openstack.unreachable', 'the placement service does not answer')
  }
  await sweep.round()
  assert.deepEqual(await noted(), [provider])
  // Taken away, and nobody heard of it.
  claims.removeProvider = async (uuid, o) => {
    await remove(uuid, o)
    throw new Retryable('openstack.unreachable', 'the placement service does not answer')
  }
  await sweep.round()
  assert.deepEqual(await noted(), [provider])
  claims.removeProvider = remove
  await sweep.round()
  assert.deepEqual(await noted(), [])
  const waits = 'the provider of a host that is gone could not be removed yet'
  assert.deepEqual(said, [waits, waits, 'a host that is gone has no provider any more'])
})

test('as long as a container holds of it, it stays; what is held by none any more is given back', async () => {
  const provider = await hostWith()
  const holder = await live.container({ host: 'gone' })
  const allocation = { ...anAllocation(holder.spec), provider }
  await live.store.write((tx) => tx.containers.update(holder.uuid, { allocation }))
  await claims.hold(holder.uuid, claim(provider), { signal })
  await claims.hold(randomUUID(), claim(provider), { signal })
  await deleteService()
  await sweep.round()
  await sweep.round()
  assert.deepEqual([await noted(), [...claims.removed]], [[provider], []])
  assert.deepEqual([...(await claims.heldOf(provider, { signal })).keys()], [holder.uuid])
  await live.store.write((tx) => tx.containers.remove(holder.uuid))
  await sweep.round()
  assert.deepEqual([await noted(), [...claims.removed]], [[], [provider]])
  assert.deepEqual(said, [
    'containers still hold of the provider of a host that is gone; it stays',
    'a host that is gone has no provider any more',
  ])
})

test('a host that comes back before keeps it', async () => {
  const provider = await hostWith()
  await deleteService()
  await hostWith({ uuid: provider, isShared: true })
  await sweep.round()
  assert.deepEqual([await noted(), [...claims.removed]], [[], []])
})
