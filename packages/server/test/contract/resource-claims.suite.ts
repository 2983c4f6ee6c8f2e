/** What every count of resources does, that of the tests and a real Placement. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { HostLacks } from '../../src/domain/errors.ts'
import type { ResourceClaims } from '../../src/orchestration/ports/resource-claims.ts'
import type { ResourceClaim } from '../../src/orchestration/ports/wire.ts'

export interface ClaimsUnderTest {
  readonly claims: ResourceClaims
  /** Uuid of a new provider that has 8 cores, 4096 MiB and 100 GiB. */
  readonly provider: (t: TestContext) => Promise<string>
}

const o = { signal: AbortSignal.timeout(300_000) }

export function resourceClaimsSuite(name: string, start: () => Promise<ClaimsUnderTest>): void {
  describe(`resource claims: ${name}`, () => {
    const ready = start()
    const claimOf = async (t: TestContext, amounts: Partial<ResourceClaim> = {}): Promise<ResourceClaim> => ({
      provider: amounts.provider ?? (await (await ready).provider(t)),
      projectId: 'p1',
      userId: 'u1',
      cpu: 2,
      memoryMiB: 1024,
      diskGiB: 10,
      ...amounts,
    })
    const consumer = async (t: TestContext): Promise<string> => {
      const uuid = randomUUID()
      t.after(async () => await (await ready).claims.release(uuid, o))
      return uuid
    }

    it('what is held is seen, by who holds it and by what it is held of', async (t) => {
      const { claims } = await ready
      const [uuid, claim] = [await consumer(t), await claimOf(t)]
      assert.equal(await claims.isHeld(uuid, claim, o), false)
      await claims.hold(uuid, claim, o)
      assert.equal(await claims.isHeld(uuid, claim, o), true)
      const held = await claims.heldOf(claim.provider, o)
      assert.deepEqual([...held.keys()], [uuid])
      assert.equal(held.get(uuid)?.isAsClaimed(claim), true)
      assert.equal(held.get(uuid)?.isAsClaimed({ ...claim, memoryMiB: 512 }), false)
    })

    it('to hold it again changes nothing, and to hold other amounts replaces', async (t) => {
      const { claims } = await ready
      const [uuid, claim] = [await consumer(t), await claimOf(t)]
      for (const wanted of [claim, claim, { ...claim, cpu: 6 }, { ...claim, cpu: 1, diskGiB: 0 }]) {
        await claims.hold(uuid, wanted, o)
        assert.equal(await claims.isHeld(uuid, wanted, o), true)
      }
      assert.equal(await claims.isHeld(uuid, claim, o), false)
    })

    it('what is held of another provider is held of that one only', async (t) => {
      const { claims } = await ready
      const [uuid, before, after] = [await consumer(t), await claimOf(t), await claimOf(t)]
      await claims.hold(uuid, before, o)
      await claims.hold(uuid, after, o)
      assert.equal(await claims.isHeld(uuid, before, o), false)
      assert.equal(await claims.isHeld(uuid, after, o), true)
      assert.equal((await claims.heldOf(before.provider, o)).size, 0)
    })

    it('more than there is is refused, and leaves what was held before', async (t) => {
      const { claims } = await ready
      const [uuid, claim] = [await consumer(t), await claimOf(t)]
      await assert.rejects(claims.hold(uuid, { ...claim, cpu: 9 }, o), HostLacks)
      assert.equal((await claims.heldOf(claim.provider, o)).size, 0)
      await claims.hold(uuid, claim, o)
      await assert.rejects(claims.hold(uuid, { ...claim, memoryMiB: 5000 }, o), HostLacks)
      await assert.rejects(claims.hold(uuid, { ...claim, diskGiB: 101 }, o), HostLacks)
      assert.equal(await claims.isHeld(uuid, claim, o), true)
    })

    it('of many at once as many get it as there is room for', async (t) => {
      const { claims } = await ready
      const claim = await claimOf(t)
      const results = await Promise.allSettled(
        (await Promise.all(Array.from({ length: 6 }, () => consumer(t)))).map((uuid) => claims.hold(uuid, claim, o)),
      )
      const refused = results.filter((result) => result.status === 'rejected')
      assert.equal(refused.length, 2)
      for (const { reason } of refused) assert.ok(reason instanceof HostLacks, String(reason))
      assert.equal((await claims.heldOf(claim.provider, o)).size, 4)
    })

    it('what is released is free, and can be released again', async (t) => {
      const { claims } = await ready
      const [uuid, claim] = [await consumer(t), await claimOf(t)]
      await claims.release(uuid, o)
      await claims.hold(uuid, { ...claim, cpu: 8 }, o)
      await claims.release(uuid, o)
      await claims.release(uuid, o)
      assert.equal((await claims.heldOf(claim.provider, o)).size, 0)
      await claims.hold(await consumer(t), { ...claim, cpu: 8 }, o)
    })

    it('a provider goes when nobody holds anything of it, and not before', async (t) => {
      const { claims } = await ready
      const [uuid, claim] = [await consumer(t), await claimOf(t)]
      await claims.hold(uuid, claim, o)
      assert.equal(await claims.removeProvider(claim.provider, o), false)
      assert.equal(await claims.isHeld(uuid, claim, o), true)
      await claims.release(uuid, o)
      for (const _ of [1, 2]) assert.equal(await claims.removeProvider(claim.provider, o), true)
    })

    it('a host is marked as disabled, and as enabled again, however often', async (t) => {
      const { claims } = await ready
      const { provider } = await claimOf(t)
      for (const isDisabled of [true, true, false, false]) await claims.markDisabled(provider, isDisabled, o)
    })
  })
}
