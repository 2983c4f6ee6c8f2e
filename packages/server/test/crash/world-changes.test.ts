/** What happens to containers behind our back: while no life is there to see it, or with nobody told. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { EngineFailed, EngineRefused, EngineUnavailable } from '../../src/domain/errors.ts'
import { hostLane } from '../../src/domain/operation/types.ts'
import { aCreateRequest, anInventory } from '../support/builders.ts'
import { LEASE_TTL_MS } from './life.ts'
import { create, network, NAME, rebuild, remove, verb, volume } from './requests.ts'
import { Stage } from './stage.ts'
import { HOST } from './world.ts'

const ALL = { kind: 'all' } as const
const surroundings = [network('net-a'), network('net-b'), volume('vol')]

describe('the world changes by itself', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await Stage.make()
    await stage.askAll(surroundings)
  })
  afterEach(() => stage.close())

  const shown = async () => {
    const [found] = await stage.world.store.containers.byName(NAME, 0, ALL)
    assert.ok(found !== undefined, 'the record is gone')
    return found
  }
  const uuid = async () => (await shown()).uuid

  it('an engine that was away is asked anew what it can do', async () => {
    const [site] = stage.world.sites
    assert.ok(site !== undefined)
    site.has = anInventory({ runtimes: ['runc', 'kata'] })
    const error = new EngineUnavailable('gone for an upgrade')
    site.engine.calls.faults.add({ call: 'ping', trouble: { kind: 'refuse', error } })
    await stage.pass(180_000)
    assert.deepEqual((await stage.world.store.hosts.byName(HOST))?.inventory?.runtimes, ['runc', 'kata'])
  })

  it('a container that vanished between two lives is shown as lost, and can be deleted', async () => {
    await stage.askAll([create()])
    stage.life.die()
    stage.world.engine.lose(await uuid())
    await stage.revive()
    await stage.relists()
    const lost = await shown()
    assert.equal(lost.status, 'Error')
    assert.match(lost.statusReason ?? '', /No such container/)
    await stage.askAll([remove()])
    const { containers, host } = await stage.world.seen()
    assert.deepEqual([containers, host.addresses, host.mounted, host.violations], [[], [], [], []])
  })

  it('one that heals itself is made anew with the addresses and volumes it had', async () => {
    await stage.askAll([create({ auto_heal: true })])
    const { addresses } = await shown()
    stage.life.die()
    stage.world.engine.lose(await uuid())
    await stage.revive()
    await stage.rest()
    await stage.relists()
    const healed = await shown()
    assert.equal(healed.status, 'Running')
    assert.deepEqual(healed.addresses, addresses)
    assert.equal(stage.world.engine.liveContainers().length, 1)
  })

  it('one that is not there because a rebuild or its create failed keeps that reason, and is left alone', async () => {
    const { faults } = stage.world.engine.calls
    const refusal = { kind: 'refuse', error: new EngineRefused('no such option') } as const
    await stage.askAll([create({ auto_heal: true })])
    faults.add({ call: 'create', trouble: refusal })
    await stage.askAll([rebuild()])
    for (let n = 0; n < 2; n += 1) {
      await stage.relists()
      const { status, statusReason } = await shown()
      assert.deepEqual([status, statusReason], ['Error', 'no such option'])
    }
    await stage.askAll([rebuild(), remove({ force: true })])
    faults.add({ call: 'create', trouble: refusal })
    await stage.askAll([create({ auto_heal: true })])
    await stage.relists()
    assert.equal((await shown()).statusReason, 'no such option')
    assert.equal((await stage.world.store.operations.actions(await uuid())).length, 1)
  })

  it('an operation that had to wait for the engine often still gets its tries after an error nobody foresaw', async () => {
    const { faults } = stage.world.engine.calls
    for (let n = 0; n < 4; n += 1) {
      faults.add({ call: 'create', trouble: { kind: 'refuse', error: new EngineUnavailable('it is restarting') } })
    }
    for (let n = 0; n < 2; n += 1) {
      faults.add({ call: 'create', trouble: { kind: 'refuse', error: new EngineFailed('an internal error') } })
    }
    await stage.askAll([create()])
    assert.equal((await shown()).status, 'Running')
    const [made] = await stage.world.store.operations.actions(await uuid())
    assert.deepEqual([made?.attempt, made?.failures], [7, 2])
    await stage.askAll([verb('stop'), remove()])
    for (let n = 0; n < 3; n += 1) {
      faults.add({ call: 'create', trouble: { kind: 'refuse', error: new EngineFailed('an internal error') } })
    }
    await stage.askAll([create()])
    const { status, statusReason } = await shown()
    assert.deepEqual([status, statusReason], ['Error', 'an internal error'])
  })

  it('a container that vanishes in the middle of its own create is made again', async () => {
    const stop = dieAt(stage, 'step:createContainer:applied')
    assert.ok(await stage.ask(create()))
    await stage.goOn(() => stage.life.isDead)
    stop()
    stage.world.engine.lose(await uuid())
    await stage.rest()
    await stage.relists()
    assert.equal((await shown()).status, 'Running')
    assert.equal(stage.world.engine.liveContainers().length, 1)
  })

  it('an end that no event tells of is seen by the relist', async () => {
    await stage.askAll([create()])
    stage.world.engine.eventStreams.missing = true
    stage.world.engine.exit(await uuid(), 3)
    await stage.relists()
    const ended = await shown()
    assert.deepEqual([ended.status, ended.observed?.exitCode], ['Stopped', 3])
  })

  it('an end while no life was there is seen by the next one', async () => {
    await stage.askAll([create()])
    stage.life.die()
    stage.world.engine.exit(await uuid(), 0)
    await stage.revive()
    await stage.world.activity.settle()
    assert.equal((await shown()).status, 'Stopped')
  })

  it('with resume_container_state what ran before the host went down is started again, and nothing else', async () => {
    stage.world.resumesStopped = true
    await stage.crash()
    await stage.askAll([create()])
    const id = await uuid()
    stage.life.die()
    stage.world.engine.exit(id, 137)
    await stage.revive()
    await stage.rest()
    await stage.relists()
    assert.equal((await shown()).status, 'Running')
    const actions = async () => (await stage.world.store.operations.actions(id)).map((op) => op.verb)
    assert.deepEqual(await actions(), ['start', 'create'])
    // What ends by itself, or was stopped before, stays so.
    stage.world.engine.exit(id, 0)
    await stage.world.activity.settle()
    await stage.crash()
    await stage.rest()
    await stage.relists()
    assert.equal((await shown()).status, 'Stopped')
    assert.deepEqual(await actions(), ['start', 'create'])
  })

  it('what carries our label and has no record is removed, but only when a second look finds it so', async () => {
    const { engine } = stage.world
    const stray = '11111111-1111-4111-8111-111111111111'
    await engine.create(aCreateRequest({ containerUuid: stray, image: 'busybox' }), {
      signal: AbortSignal.timeout(1_000),
    })
    await stage.pass(10_500)
    assert.notEqual(engine.container(stray), undefined, 'one look is not enough: its record may be about to be written')
    await stage.relists()
    assert.equal(engine.container(stray), undefined)
    assert.deepEqual(engine.strangers, ['not-ours'])
  })

  it('an operation that was claimed and then forgotten goes on when its lease runs out', async () => {
    await stage.askAll([create()])
    const { store } = stage.world
    // As when the answer to the claim was lost: the store says it runs, and nobody has it.
    const takeAway = async (): Promise<void> => {
      await store.write(async (tx) => {
        for (const op of await tx.operations.claimable(hostLane(HOST), 10)) {
          assert.ok(await tx.operations.claim(op.id, op.fence, 'nobody', LEASE_TTL_MS))
        }
      })
    }
    stage.arm({ onCheckpoint: async (name) => (name === 'accept:after' ? await takeAway() : undefined) })
    assert.ok(await stage.ask(verb('stop', { timeoutS: 0 })))
    await stage.pass(LEASE_TTL_MS - 10_000)
    assert.equal((await shown()).status, 'Running')
    await stage.pass(20_000)
    assert.equal((await shown()).status, 'Stopped')
  })

  it('a lease that runs out under a working agent does not make it work twice', async () => {
    await stage.askAll([create()])
    const { engine, database } = stage.world
    const held = Promise.withResolvers<void>()
    let isHeld = false
    const reached = (): void => {
      isHeld = true
    }
    engine.calls.faults.add({ call: 'create', trouble: { kind: 'hold', until: held.promise, reached } })
    stage.world.beginCounting()
    assert.ok(await stage.ask(rebuild()))
    await stage.goOn(() => isHeld)
    // As when no heartbeat got through for longer than a lease.
    await database.write(async (trx) => {
      await trx.updateTable('operation').set({ lease_until: 0 }).where('state', '=', 'running').execute()
    })
    const attempts = async () => (await stage.world.store.operations.actions(await uuid()))[0]?.attempt
    await stage.goOn(async () => (await attempts()) === 2)
    held.resolve()
    await stage.rest()
    await stage.relists()
    assert.equal((await shown()).status, 'Running')
    assert.equal(engine.liveContainers().length, 1)
    const { start, remove: removed } = stage.world.effects()
    assert.deepEqual([start, removed], [1, 1])
  })
})

function dieAt(stage: Stage, point: string): () => void {
  let isOn = true
  stage.arm({ onCheckpoint: async (name, life) => (isOn && name === point ? await life.dieHere() : undefined) })
  return () => {
    isOn = false
  }
}
