/** What a cloud counts of our hosts is what our records say, whoever else writes into that count. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Retryable } from '../../src/domain/errors.ts'
import type { ResourceClaim } from '../../src/orchestration/ports/wire.ts'
import type { CandidateQuery } from '../../src/app/ports/allocation-candidates.ts'
import { aMember } from '../support/capsule-template.ts'
import { create, createPod, remove, resize, type Request } from './requests.ts'
import { counted, countedAndFull } from './scenarios.ts'
import { Stage } from './stage.ts'
import type { World } from './world.ts'

const o = { signal: AbortSignal.timeout(600_000) }
const STRANGER = 'ffffffff-0000-4000-8000-000000000001'
const H1 = 'provider of h1'

const some = (amounts: Partial<ResourceClaim> = {}): ResourceClaim => ({
  provider: H1,
  projectId: 'p',
  userId: 'u',
  cpu: 3,
  memoryMiB: 1,
  diskGiB: 0,
  ...amounts,
})

const pod = createPod({ volumes: [], initContainers: [], containers: [aMember({})] })
const plain = create({ nets: [], mounts: [] })
/** Longer than the time between two looks. */
const SWEPT_MS = 15_000

async function onHosts(
  hosts: number,
  arrange: (world: World) => void,
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  const stage = await Stage.make(hosts)
  try {
    arrange(stage.world)
    await stage.crash()
    await work(stage)
  } finally {
    await stage.close()
  }
}

async function theOne({ world }: Stage) {
  const rows = (await Promise.all(world.sites.map(({ name }) => world.store.containers.onHost(name)))).flat()
  const [row] = rows
  assert.ok(rows.length === 1 && row !== undefined)
  return row
}

function shared(world: World): void {
  counted(world)
  for (const site of world.sites) site.has = { ...site.has, resourceProvider: { uuid: H1, isShared: true } }
}

describe('room by the count of a cloud', () => {
  it('is claimed by a create, grows with a resize at once, shrinks after it, and goes with a delete', async () => {
    await onHosts(1, counted, async (stage) => {
      await stage.askAll([plain])
      const { uuid } = await theOne(stage)
      const holds = (cpu: number, memory: number) => [`${uuid} holds ${cpu} cores, ${memory} MiB, 0 GiB of ${H1}`]
      assert.deepEqual(stage.world.claims.world(), holds(1, 512))
      await stage.askAll([resize({ memory: '1024', cpu: 2 })])
      assert.deepEqual(stage.world.claims.world(), holds(2, 1024))
      await stage.askAll([resize({ memory: '64', cpu: 1 })])
      // Less than until the next sweep.
      await stage.pass(1_000)
      assert.deepEqual(stage.world.claims.world(), holds(1, 64))
      await stage.askAll([remove({ stop: true })])
      assert.deepEqual(stage.world.claims.world(), [])
    })
  })

  it('that one host does not have is found on another', async () => {
    await onHosts(2, countedAndFull, async (stage) => {
      // The first one is asked first.
      const [, second] = stage.world.sites
      assert.ok(second !== undefined)
      second.has = { ...second.has, memTotalMiB: 8_000, cpus: 4 }
      await stage.crash()
      await stage.askAll([plain])
      const row = await theOne(stage)
      assert.deepEqual([row.host, row.status], ['h2', 'Running'])
      assert.deepEqual(stage.world.claims.world(), [`${row.uuid} holds 1 cores, 512 MiB, 0 GiB of provider of h2`])
    })
  })

  it('that no host has ends in Error, and nothing is held', async () => {
    await onHosts(1, countedAndFull, async (stage) => {
      await stage.askAll([plain])
      const row = await theOne(stage)
      assert.deepEqual([row.status, row.statusReason], ['Error', 'there is no room for it on the host'])
      assert.deepEqual(stage.world.claims.world(), [])
    })
  })

  it('that a resize needs and the host does not have fails the resize alone', async () => {
    await onHosts(1, counted, async (stage) => {
      await stage.askAll([plain])
      stage.world.claims.capacity.set(H1, { cpu: 1, memoryMiB: 600, diskGiB: 0 })
      await stage.askAll([resize({ memory: '1024' })])
      const row = await theOne(stage)
      assert.deepEqual([row.status, row.spec.memoryMiB], ['Running', 512])
      assert.match(stage.world.claims.world().join(), / 512 MiB/)
    })
  })
})

describe('a count that is away', () => {
  const away =
    (call: string) =>
    async (name: string, moment: string): Promise<void> => {
      if (name === `claims:${call}` && moment === 'before') throw new Retryable('placement.unavailable', 'it is away')
    }

  it('is waited for by a create, for as long as operations may wait', async () => {
    await onHosts(1, counted, async (stage) => {
      stage.arm({ onEngineCall: away('hold') })
      await stage.askAll([plain])
      const row = await theOne(stage)
      assert.deepEqual([row.status, row.statusReason], ['Error', 'it is away'])
      stage.arm({})
      await stage.pass(SWEPT_MS)
      assert.deepEqual(stage.world.claims.world(), [])
    })
  })

  it('is waited for by a delete for a moment only; what it still counts is mended when it is there again', async () => {
    await onHosts(1, counted, async (stage) => {
      await stage.askAll([plain])
      const { uuid } = await theOne(stage)
      stage.arm({ onEngineCall: away('release') })
      const before = stage.world.clock.now()
      await stage.askAll([remove({ stop: true })])
      assert.equal(await stage.world.store.containers.byUuid(uuid, { kind: 'all' }), undefined)
      assert.ok(stage.world.clock.now() - before >= 30_000, 'it has waited')
      stage.arm({})
      await stage.pass(SWEPT_MS)
      assert.deepEqual(stage.world.claims.world(), [])
    })
  })
})

describe('who has room by the count of a cloud', () => {
  const asked: CandidateQuery[] = []
  const offered =
    (offers: ReadonlySet<string> | undefined, request: Request): Request =>
    async (deps, ctx) =>
      await request(
        {
          ...deps,
          candidates: {
            find: async (query) => {
              asked.push(query)
              return offers
            },
          },
        },
        ctx,
      )

  it('is asked before a host is chosen, with all that is wanted, and no other host is', async () => {
    await onHosts(2, counted, async (stage) => {
      asked.length = 0
      const request = create({ nets: [], mounts: [], cpu: 2, memory: '100' })
      await stage.askAll([offered(new Set(['provider of h2']), request)])
      assert.equal((await theOne(stage)).host, 'h2')
      assert.deepEqual(asked, [{ cpu: 2, memoryMiB: 100, diskGiB: 0, provider: null, requestId: 'req-1' }])
    })
  })

  it('is asked of the one host that was asked for', async () => {
    await onHosts(2, counted, async (stage) => {
      asked.length = 0
      const request = create({ nets: [], mounts: [], host: 'h2' })
      await stage.askAll([offered(new Set(['provider of h2']), request)])
      assert.equal((await theOne(stage)).host, 'h2')
      assert.deepEqual(
        asked.map(({ provider }) => provider),
        ['provider of h2'],
      )
    })
  })

  it('without an answer is nobody, and without an offer either', async () => {
    for (const offers of [undefined, new Set<string>(), new Set(['another'])]) {
      await onHosts(1, counted, async (stage) => {
        await stage.askAll([offered(offers, plain)])
        const [row] = await stage.world.store.containers.byName('c1', 0, { kind: 'all' })
        assert.deepEqual(
          [row?.status, row?.statusReason, row?.host],
          ['Error', 'There are not enough hosts available. (AllocationCandidates removed 1)', null],
        )
        assert.deepEqual(stage.world.claims.world(), [])
      })
    }
  })

  it('is asked for a capsule, too', async () => {
    await onHosts(2, counted, async (stage) => {
      asked.length = 0
      await stage.askAll([offered(new Set(['provider of h2']), pod)])
      assert.equal(asked.length, 1)
      const used = await stage.world.store.containers.usageOfHosts()
      assert.equal(used.get('h2')?.containers, 1)
    })
  })
})

describe('the sweep of claims', () => {
  it('gives back what nobody holds, and claims what is missing or of another size', async () => {
    await onHosts(1, counted, async (stage) => {
      await stage.askAll([plain])
      const { claims } = stage.world
      const right = claims.world()
      const { uuid } = await theOne(stage)
      for (const spoil of [
        () => claims.hold(STRANGER, some(), o),
        () => claims.release(uuid, o),
        () => claims.hold(uuid, some({ cpu: 5 }), o),
      ]) {
        await spoil()
        assert.notDeepEqual(claims.world(), right)
        await stage.pass(SWEPT_MS)
        assert.deepEqual(claims.world(), right)
      }
    })
  })

  it('makes a container that is somewhere else hold there what it held here', async () => {
    await onHosts(2, counted, async (stage) => {
      await stage.askAll([plain])
      const { claims } = stage.world
      const right = claims.world()
      const { uuid, host } = await theOne(stage)
      await claims.hold(uuid, some({ provider: host === 'h1' ? 'provider of h2' : H1 }), o)
      await stage.pass(SWEPT_MS)
      assert.deepEqual(claims.world(), right)
    })
  })

  it('counts containers that are older than the count', async () => {
    await onHosts(
      1,
      () => undefined,
      async (stage) => {
        await stage.askAll([plain])
        assert.deepEqual(stage.world.claims.world(), [])
        counted(stage.world)
        await stage.crash()
        await stage.pass(SWEPT_MS)
        const { uuid } = await theOne(stage)
        assert.deepEqual(stage.world.claims.world(), [`${uuid} holds 1 cores, 512 MiB, 0 GiB of ${H1}`])
        await stage.askAll([remove({ stop: true })])
        await stage.pass(SWEPT_MS)
        assert.deepEqual(stage.world.claims.world(), [])
      },
    )
  })

  it('leaves alone what another service holds of a host that both use, and knows its own that are gone', async () => {
    await onHosts(1, shared, async (stage) => {
      await stage.askAll([plain])
      const { claims } = stage.world
      const { uuid } = await theOne(stage)
      await stage.askAll([remove({ stop: true })])
      await claims.hold(STRANGER, some(), o)
      await claims.hold(uuid, some(), o)
      await stage.pass(SWEPT_MS)
      assert.deepEqual(claims.world(), [`${STRANGER} holds 3 cores, 1 MiB, 0 GiB of ${H1}`])
    })
  })

  it('claims of a host that was over-full as soon as there is room, and stops over nothing', async () => {
    await onHosts(1, counted, async (stage) => {
      await stage.askAll([plain])
      const { claims } = stage.world
      const { uuid } = await theOne(stage)
      claims.capacity.set(H1, { cpu: 0, memoryMiB: 0, diskGiB: 0 })
      await claims.release(uuid, o)
      await stage.pass(SWEPT_MS)
      assert.deepEqual(claims.world(), [])
      claims.capacity.delete(H1)
      await stage.pass(SWEPT_MS)
      assert.equal(claims.world().length, 1)
    })
  })

  it('says of each host whether it is disabled', async () => {
    await onHosts(1, counted, async (stage) => {
      const { claims, store } = stage.world
      for (const disabled of [true, false]) {
        await store.write((tx) => tx.hosts.setDisabled('h1', disabled, null))
        await stage.pass(SWEPT_MS)
        assert.equal(claims.disabled.has(H1), disabled)
      }
    })
  })
})
