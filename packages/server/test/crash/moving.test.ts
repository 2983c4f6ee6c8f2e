/** A create that one of two hosts cannot do, whatever dies on the way: it ends on the other one, and the first has nothing. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HostLacks } from '../../src/domain/errors.ts'
import type { Tx } from '../../src/orchestration/ports/store.ts'
import { aCreateRequest, anInventory } from '../support/builders.ts'
import { create, network } from './requests.ts'
import { runScenario } from './run.ts'
import type { Scenario } from './scenarios.ts'
import { Stage } from './stage.ts'
import type { Site, World } from './world.ts'

const FILE = { type: 'bind', source: Buffer.from('hello').toString('base64'), destination: '/etc/motd' }
const LACK = 'unknown or invalid runtime name: runc'

function siteOf(world: World, n: number): Site {
  const site = world.sites[n]
  assert.ok(site !== undefined)
  return site
}

/** The first host is the emptier one, so it is asked first. */
function preferFirst(world: World): void {
  siteOf(world, 1).has = anInventory({ memTotalMiB: 8_000, cpus: 4 })
}

function refuseOn(world: World, n: number): void {
  const trouble = { kind: 'refuse', error: new HostLacks(LACK) } as const
  siteOf(world, n).engine.calls.faults.add({ call: 'create', times: 1_000_000, trouble })
}

const moving: Scenario = {
  name: 'create that moves',
  hosts: 2,
  arrange: (world) => {
    preferFirst(world)
    refuseOn(world, 0)
  },
  prepare: [network('net-a'), network('net-b')],
  requests: [create({ mounts: [FILE] })],
}

const refusedEverywhere: Scenario = {
  ...moving,
  name: 'create that no host can do',
  arrange: (world) => {
    preferFirst(world)
    refuseOn(world, 0)
    refuseOn(world, 1)
  },
}

/** Nothing but what is nobody's: images, and networks that others may want. */
function assertEmpty(world: World, n: number): void {
  const { engine, host } = siteOf(world, n)
  assert.deepEqual(engine.world().containers, [])
  const { addresses, mounted, volumes, violations } = host.world()
  assert.deepEqual(
    { addresses, mounted, volumes, violations },
    { addresses: [], mounted: [], volumes: [], violations: [] },
  )
}

describe('a create moves to the next host, and the service dies at every checkpoint', () => {
  for (const scenario of [moving, refusedEverywhere]) {
    it(scenario.name, async () => {
      const reference = await runScenario(scenario)
      const points = reference.passed[0] ?? []
      assert.ok(points.length > 10, 'it has moved')
      for (const [i, point] of points.entries()) {
        const how = `killed at ${point} (${i + 1} of ${points.length})`
        const crashed = await runScenario(scenario, { deaths: [i + 1] })
        assert.deepEqual(crashed.seen, reference.seen, how)
        const { create: creates, ...effects } = crashed.effects
        const { create: expected = 0, ...others } = reference.effects
        // What was refused is asked for once more by a life that does not know.
        assert.ok(creates === expected || creates === expected + 1, how)
        assert.deepEqual(effects, others, how)
      }
    })
  }
})

async function onTwoHosts(scenario: Pick<Scenario, 'arrange' | 'prepare'>, work: (stage: Stage) => Promise<void>) {
  const stage = await Stage.make(2)
  try {
    scenario.arrange?.(stage.world)
    await stage.crash()
    await stage.askAll(scenario.prepare)
    await work(stage)
  } finally {
    await stage.close()
  }
}

async function only({ world }: Stage) {
  const rows = (await Promise.all(world.sites.map(({ name }) => world.store.containers.onHost(name)))).flat()
  assert.equal(rows.length, 1)
  const [row] = rows
  assert.ok(row !== undefined)
  return row
}

describe('a create', () => {
  it('that its host lacks something for runs on the other, with all it was given, and the first has nothing of it', async () => {
    await onTwoHosts(moving, async (stage) => {
      await stage.askAll(moving.requests)
      const row = await only(stage)
      assert.deepEqual([row.host, row.status, row.statusReason], ['h2', 'Running', null])
      assertEmpty(stage.world, 0)
      assert.equal(siteOf(stage.world, 1).host.world().addresses.length, 4)
      assert.deepEqual(
        [...(await stage.world.store.containers.usageOfHosts())].filter(([, u]) => u.containers > 0),
        [['h2', { containers: 1, cpu: 1, memoryMiB: 512, diskGiB: 0 }]],
      )
    })
  })

  it('that no host can do ends in Error with what each of them said, and nobody has anything of it', async () => {
    await onTwoHosts(refusedEverywhere, async (stage) => {
      await stage.askAll(refusedEverywhere.requests)
      const row = await only(stage)
      assert.equal(row.status, 'Error')
      assert.equal(
        row.statusReason,
        `2 hosts were tried: ${LACK}; There are not enough hosts available. (RefusedBefore removed 2)`,
      )
      for (const n of [0, 1]) assertEmpty(stage.world, n)
      const used = [...(await stage.world.store.containers.usageOfHosts()).values()]
      assert.ok(used.every(({ containers }) => containers === 0))
    })
  })

  it('with a volume stays where the volume is', async () => {
    await onTwoHosts(moving, async (stage) => {
      await stage.askAll([create({ mounts: [{ size: 1, destination: '/data' }] })])
      const row = await only(stage)
      assert.deepEqual([row.host, row.status, row.statusReason], ['h1', 'Error', LACK])
      assertEmpty(stage.world, 1)
    })
  })

  it('with a volume of the cloud that another container has mounted stays where that is', async () => {
    const mounts = [{ source: 'remote-volume', destination: '/data' }]
    await onTwoHosts({ arrange: preferFirst, prepare: moving.prepare }, async (stage) => {
      const { world } = stage
      await stage.askAll([create({ name: 'first', mounts })])
      refuseOn(world, 0)
      await stage.askAll([
        create({ mounts }),
        create({ name: 'other', mounts: [{ ...mounts[0], source: 'remote-2' }] }),
      ])
      const rows = (await Promise.all(world.sites.map(({ name }) => world.store.containers.onHost(name)))).flat()
      assert.deepEqual(
        rows.map(({ name, host, status }) => [name, host, status]),
        [
          ['first', 'h1', 'Running'],
          ['c1', 'h1', 'Error'],
          ['other', 'h2', 'Running'],
        ],
      )
    })
  })

  it('that was asked for on one host by name stays there', async () => {
    await onTwoHosts(moving, async (stage) => {
      await stage.askAll([create({ mounts: [], host: 'h1' })])
      const row = await only(stage)
      assert.deepEqual([row.host, row.status, row.statusReason], ['h1', 'Error', LACK])
    })
  })
})

describe('a host that goes away before it has begun', () => {
  /** Where an agent is held, and whether the create may go elsewhere. */
  const ROWS: readonly (readonly [point: string, moves: boolean])[] = [
    ['step:obtainImage:before', true],
    ['step:obtainImage:journaled', true],
    ['step:prepareNetworks:before', true],
    ['step:prepareNetworks:journaled', false],
    ['step:createContainer:applied', false],
    ['step:startContainer:applied', false],
  ]
  for (const [point, moves] of ROWS) {
    it(`held at ${point}: ${moves ? 'another takes it, and it can do no harm any more' : 'it is waited for'}`, async () => {
      await onTwoHosts({ arrange: preferFirst, prepare: moving.prepare }, async (stage) => {
        const { world } = stage
        const held = Promise.withResolvers<void>()
        let isHeld = false
        stage.arm({
          onCheckpoint: async (name) => {
            if (isHeld || name !== point) return
            isHeld = true
            await held.promise
          },
        })
        assert.ok(await stage.ask(create({ mounts: [] })))
        await stage.goOn(() => isHeld)
        await world.store.write((tx) => tx.hosts.setForcedDown('h1', true))
        await stage.pass(45_000)
        const meanwhile = await only(stage)
        assert.deepEqual([meanwhile.host, meanwhile.status], moves ? ['h2', 'Running'] : ['h1', 'Creating'])
        const before = moves ? await world.seen() : undefined
        held.resolve()
        await stage.rest()
        await stage.relists()
        if (before !== undefined) {
          assert.deepEqual(await world.seen(), before)
          assertEmpty(world, 0)
        }
        const row = await only(stage)
        assert.deepEqual([row.host, row.status], [moves ? 'h2' : 'h1', 'Running'])
        assert.equal(siteOf(world, moves ? 1 : 0).engine.world().containers.length, 1)
      })
    })
  }

  /** What becomes of a host that nobody works on, and how long that takes to be seen, in milliseconds. */
  const FATES: readonly (readonly [what: string, befalls: (tx: Tx) => Promise<unknown>, ms: number])[] = [
    ['is silent', async () => undefined, 200_000],
    ['is forced down', (tx) => tx.hosts.setForcedDown('empty', true), 15_000],
    ['is disabled', (tx) => tx.hosts.setDisabled('empty', true, 'full'), 15_000],
    ['is removed', (tx) => tx.hosts.remove('empty'), 15_000],
  ]
  for (const [what, befalls, ms] of FATES) {
    it(`and ${what}: all that waits there goes to the others, but what is tied to it`, async () => {
      await onTwoHosts({ prepare: [] }, async (stage) => {
        const { store } = stage.world
        await store.write(async (tx) => {
          const hello = { host: 'empty', availabilityZone: 'nova', uuidIfNew: 'uuid-of-empty' }
          const epoch = await tx.hosts.beginSession(hello)
          const has = anInventory({ memTotalMiB: 1_000_000, cpus: 1_000 })
          await tx.hosts.heartbeat('empty', epoch, { engineTrouble: null, inventory: has })
        })
        const bodies = [{ mounts: [{ size: 1, destination: '/data' }] }, {}, {}, { host: 'empty' }]
        for (const [n, body] of bodies.entries()) {
          assert.ok(await stage.ask(create({ name: `waits-${n}`, nets: [], mounts: [], ...body })))
        }
        const names = async (host: string) => (await store.containers.onHost(host)).map(({ name }) => name)
        assert.equal((await names('empty')).length, 4)
        await store.write(befalls)
        await stage.pass(ms)
        assert.deepEqual(await names('empty'), ['waits-0', 'waits-3'])
        const moved = (await Promise.all(['h1', 'h2'].map((host) => store.containers.onHost(host)))).flat()
        assert.deepEqual(moved.map(({ name, status }) => `${name} ${status}`).toSorted(byText), [
          'waits-1 Running',
          'waits-2 Running',
        ])
        assert.equal((await store.containers.usageOfHost('empty')).containers, 2)
      })
    })
  }

  it('finds what it should not have when it is back, and removes it', async () => {
    await onTwoHosts(moving, async (stage) => {
      await stage.askAll(moving.requests)
      const { uuid } = await only(stage)
      const [h1, h2] = [siteOf(stage.world, 0), siteOf(stage.world, 1)]
      h1.engine.calls.faults.clear()
      const signal = AbortSignal.timeout(10_000)
      await h1.engine.create(aCreateRequest({ containerUuid: uuid }), { signal })
      await stage.relists()
      assert.deepEqual(h1.engine.world().containers, [])
      assert.equal(h2.engine.world().containers.length, 1)
      assert.equal((await only(stage)).status, 'Running')
    })
  })
})

const byText = (a: string, b: string): number => (a < b ? -1 : 1)
