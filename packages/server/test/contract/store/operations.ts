import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addContainer, addOperation, claimAll, type StoreHarness } from '../../support/store-harness.ts'

const LANE = 'host:host1'

export function operationTests(get: () => StoreHarness): void {
  test('an operation comes back as it was accepted, waiting', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const given = {
      requestId: 'req-1',
      verb: 'kill',
      params: { signal: 'SIGHUP' },
      generation: 3,
      recipe: ['killContainer'],
      recorded: false,
    } as const
    const op = await addOperation(store, uuid, given)
    assert.deepEqual(await store.operations.byId(op.id), op)
    const { requestId, verb, params, generation, recipe, recorded } = op
    assert.deepEqual({ requestId, verb, params, generation, recipe, recorded }, given)
    assert.deepEqual(
      [op.state, op.fence, op.attempt, op.superseded, op.firstClaimedAtMs, op.ageMs, op.finishedAtMs],
      ['queued', 0, 0, false, null, 0, null],
    )
  })

  test('only the oldest unfinished operation of a container may run, and each container has its own line', async () => {
    const { store } = get()
    const [a, b] = [await addContainer(store), await addContainer(store)]
    const a1 = await addOperation(store, a.uuid)
    const a2 = await addOperation(store, a.uuid)
    const b1 = await addOperation(store, b.uuid)
    assert.deepEqual(
      (await claimAll(store)).map((op) => op.id),
      [a1.id, b1.id],
    )
    assert.deepEqual(await claimAll(store), [])
    await store.write((tx) => tx.operations.release(a1.id, 1, { state: 'failed' }))
    assert.deepEqual(
      (await claimAll(store)).map((op) => op.id),
      [a2.id],
    )
  })

  test('an operation that moves to another lane begins anew there, and whoever held it is refused', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const { id } = await addOperation(store, uuid, { verb: 'create', recipe: ['obtainImage', 'createContainer'] })
    await claimAll(store)
    await store.write(async (tx) => {
      await tx.operations.stepStarted(id, 'obtainImage', null)
      await tx.operations.release(id, 1, { state: 'queued', unforeseen: true, errorMessage: 'no' })
    })
    await claimAll(store)
    const to = { lane: 'host:host2', params: { run: true } }
    const move = (fence: number) => store.write((tx) => tx.operations.move(id, fence, to))
    assert.equal(await move(1), false, 'under an old fence')
    assert.equal(await move(2), true)
    const moved = await store.operations.byId(id)
    assert.ok(moved !== undefined)
    const { lane, params, state, fence, attempt, failures, firstClaimedAtMs, errorMessage } = moved
    assert.deepEqual({ lane, params }, to)
    assert.deepEqual(
      { state, fence, attempt, failures, firstClaimedAtMs, errorMessage },
      { state: 'queued', fence: 3, attempt: 0, failures: 0, firstClaimedAtMs: null, errorMessage: null },
    )
    assert.deepEqual(await store.operations.steps(id), [])
    assert.equal(await store.write((tx) => tx.operations.holds(id, 2)), undefined)
    assert.deepEqual(await claimAll(store), [])
    assert.deepEqual(
      (await claimAll(store, 'host:host2')).map((op) => [op.id, op.attempt]),
      [[id, 1]],
    )
    await store.write((tx) => tx.operations.release(id, 4, { state: 'succeeded' }))
    assert.equal(await move(4), false, 'it has ended')
  })

  test('creates of which nothing was begun but an image are known', async () => {
    const { store } = get()
    const of = async (verb: 'create' | 'start') => {
      const { uuid } = await addContainer(store)
      return (await addOperation(store, uuid, { verb })).id
    }
    const [waits, pulls, makes, starts, ended] = [
      await of('create'),
      await of('create'),
      await of('create'),
      await of('start'),
      await of('create'),
    ]
    const known = async () => (await store.operations.unbegunCreates(LANE, { afterId: 0, max: 10 })).map(({ id }) => id)
    assert.deepEqual(await known(), [waits, pulls, makes, ended])
    assert.deepEqual(await store.operations.unbegunCreates(LANE, { afterId: 0, max: 1 }), [
      await store.operations.byId(waits),
    ])
    assert.deepEqual(
      [await store.operations.createLanes(), await store.operations.unbegunCreates('host:h9', { afterId: 0, max: 9 })],
      [[LANE], []],
    )
    const later = await store.operations.unbegunCreates(LANE, { afterId: pulls, max: 10 })
    assert.deepEqual(
      later.map(({ id }) => id),
      [makes, ended],
    )
    await claimAll(store)
    await store.write(async (tx) => {
      await tx.operations.stepEnded(pulls, 'obtainImage', { state: 'finished' })
      await tx.operations.stepStarted(makes, 'obtainImage', null)
      await tx.operations.stepStarted(makes, 'createContainer', null)
      await tx.operations.stepStarted(starts, 'startContainer', null)
      await tx.operations.release(ended, 1, { state: 'failed' })
    })
    assert.deepEqual(await known(), [waits, pulls])
  })

  test('a line waits behind one that is to be tried again later', async () => {
    const h = get()
    const { uuid } = await addContainer(h.store)
    const first = await addOperation(h.store, uuid)
    await addOperation(h.store, uuid)
    await claimAll(h.store)
    await h.store.write((tx) => tx.operations.release(first.id, 1, { state: 'queued', afterMs: 5_000 }))
    assert.deepEqual(await claimAll(h.store), [])
    await h.pass(5_001)
    assert.deepEqual(
      (await claimAll(h.store)).map((op) => op.id),
      [first.id],
    )
  })

  test('an older operation of another lane holds the line too', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    await addOperation(store, uuid, { lane: 'conductor' })
    await addOperation(store, uuid)
    assert.deepEqual(await claimAll(store), [])
    assert.equal((await claimAll(store, 'conductor')).length, 1)
  })

  test('a claim takes oldest first, and no more than asked for', async () => {
    const { store } = get()
    const ids: number[] = []
    for (let n = 0; n < 5; n += 1) ids.push((await addOperation(store, (await addContainer(store)).uuid)).id)
    assert.deepEqual(
      (await claimAll(store, LANE, 2)).map((op) => op.id),
      ids.slice(0, 2),
    )
    assert.deepEqual(
      (await claimAll(store, LANE, 10)).map((op) => op.id),
      ids.slice(2),
    )
  })

  test('of those who saw the same fence one gets it, and the fence grows with every claim', async () => {
    const { store } = get()
    const op = await addOperation(store, (await addContainer(store)).uuid)
    const claims = await Promise.all(
      ['x', 'y'].map((who) => store.write((tx) => tx.operations.claim(op.id, 0, who, 1_000))),
    )
    assert.deepEqual(claims, [true, false])
    const held = await store.operations.byId(op.id)
    assert.deepEqual([held?.state, held?.fence, held?.attempt], ['running', 1, 1])
    await store.write((tx) => tx.operations.release(op.id, 1, { state: 'queued' }))
    assert.equal(await store.write((tx) => tx.operations.claim(op.id, 0, 'x', 1_000)), false)
    assert.equal(await store.write((tx) => tx.operations.claim(op.id, 1, 'x', 1_000)), true)
    const again = await store.operations.byId(op.id)
    assert.deepEqual([again?.fence, again?.attempt, again?.failures], [2, 2, 0])
    await store.write((tx) => tx.operations.release(op.id, 2, { state: 'queued', unforeseen: true }))
    assert.equal((await store.operations.byId(op.id))?.failures, 1)
  })

  test('the database itself refuses two running operations of one container', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const [first, second] = [await addOperation(store, uuid), await addOperation(store, uuid)]
    assert.equal(await store.write((tx) => tx.operations.claim(first.id, 0, 'x', 1_000)), true)
    assert.equal(await store.write((tx) => tx.operations.claim(second.id, 0, 'y', 1_000)), false)
    assert.equal((await store.operations.byId(second.id))?.state, 'queued')
  })

  test('age counts from the first claim, not from the request and not from a later claim', async () => {
    const h = get()
    const op = await addOperation(h.store, (await addContainer(h.store)).uuid)
    await h.pass(10_000)
    await claimAll(h.store)
    await h.pass(2_000)
    await h.store.write((tx) => tx.operations.release(op.id, 1, { state: 'queued' }))
    await claimAll(h.store)
    const { ageMs = 0 } = (await h.store.operations.byId(op.id)) ?? {}
    assert.ok(ageMs >= 2_000 && ageMs < 10_000, String(ageMs))
  })

  test('an old fence can neither renew, nor hold, nor release', async () => {
    const { store } = get()
    const op = await addOperation(store, (await addContainer(store)).uuid)
    await claimAll(store)
    for (const [fence, may] of [
      [0, false],
      [2, false],
      [1, true],
    ] as const) {
      assert.equal(await store.write((tx) => tx.operations.renew(op.id, fence, 1_000)), may)
      assert.equal((await store.write((tx) => tx.operations.holds(op.id, fence))) !== undefined, may)
      assert.equal(await store.write((tx) => tx.operations.release(op.id, fence, { state: 'succeeded' })), may)
    }
    assert.equal(await store.write((tx) => tx.operations.renew(op.id, 1, 1_000)), false)
    assert.equal(await store.write((tx) => tx.operations.holds(op.id, 1)), undefined)
  })

  test('an end is kept with its error and time', async () => {
    const { store } = get()
    const op = await addOperation(store, (await addContainer(store)).uuid)
    await claimAll(store)
    const end = { state: 'failed', errorCode: 'image.not_found', errorMessage: 'no such image' } as const
    await store.write((tx) => tx.operations.release(op.id, 1, end))
    const now = await store.operations.byId(op.id)
    assert.deepEqual([now?.state, now?.errorCode, now?.errorMessage], ['failed', 'image.not_found', 'no such image'])
    assert.ok(now?.finishedAtMs)
    assert.deepEqual(await store.operations.unfinished(op.containerUuid), [])
    assert.deepEqual(await store.operations.countByState(), { failed: 1 })
  })

  test('a lease that ran out gives the operation back to the line, one that is renewed does not', async () => {
    const h = get()
    const kept = await addOperation(h.store, (await addContainer(h.store)).uuid)
    const lost = await addOperation(h.store, (await addContainer(h.store)).uuid)
    await claimAll(h.store)
    await h.pass(59_000)
    await h.store.write((tx) => tx.operations.renew(kept.id, 1, 60_000))
    await h.pass(2_000)
    assert.equal(await h.store.write((tx) => tx.operations.requeueExpired('host:other')), 0)
    assert.equal(await h.store.write((tx) => tx.operations.requeueExpired(LANE)), 1)
    assert.deepEqual(
      (await claimAll(h.store)).map((op) => [op.id, op.fence, op.attempt]),
      [[lost.id, 2, 2]],
    )
  })

  test('what its holder never got goes back to the line, and what he has does not', async () => {
    const { store } = get()
    const kept = await addOperation(store, (await addContainer(store)).uuid)
    const lost = await addOperation(store, (await addContainer(store)).uuid)
    await claimAll(store)
    const both = [kept, lost].map(({ id }) => ({ operationId: id, fence: 1 }))
    assert.deepEqual(await store.operations.notHeld(LANE, 'me', both), [])
    assert.deepEqual(await store.operations.notHeld(LANE, 'somebody else', []), [])
    assert.deepEqual(await store.operations.notHeld('host:other', 'me', []), [])
    const missing = await store.operations.notHeld(LANE, 'me', both.slice(0, 1))
    assert.deepEqual(missing, both.slice(1))
    assert.equal(await store.write((tx) => tx.operations.requeue([{ operationId: lost.id, fence: 2 }])), 0)
    assert.equal(await store.write((tx) => tx.operations.requeue(missing)), 1)
    assert.equal(await store.write((tx) => tx.operations.requeue(missing)), 0)
    const again = await claimAll(store)
    assert.deepEqual(
      again.map((op) => [op.id, op.fence]),
      [[lost.id, 2]],
    )
    // Of what it has under an older fence it has lost the newer answer.
    assert.deepEqual(await store.operations.notHeld(LANE, 'me', both), [{ operationId: lost.id, fence: 2 }])
  })

  test('a new life of a lane gets back all that ran in it, at once', async () => {
    const { store } = get()
    const mine = await addOperation(store, (await addContainer(store)).uuid)
    const other = await addOperation(store, (await addContainer(store)).uuid, { lane: 'host:host2' })
    await claimAll(store)
    await claimAll(store, 'host:host2')
    assert.equal(await store.write((tx) => tx.operations.requeueLane(LANE)), 1)
    assert.deepEqual(
      (await claimAll(store)).map((op) => op.id),
      [mine.id],
    )
    assert.equal((await store.operations.byId(other.id))?.fence, 1)
  })

  test('cancelling takes what waits and leaves what runs', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const ops = [await addOperation(store, uuid), await addOperation(store, uuid), await addOperation(store, uuid)]
    const stranger = await addOperation(store, (await addContainer(store)).uuid)
    await claimAll(store, LANE, 1)
    assert.equal(await store.write((tx) => tx.operations.cancelQueued(uuid, 'superseded by delete')), 2)
    const states = await Promise.all(ops.map(async (op) => (await store.operations.byId(op.id))?.state))
    assert.deepEqual(states, ['running', 'cancelled', 'cancelled'])
    const cancelled = await store.operations.byId(ops[1]?.id ?? 0)
    assert.equal(cancelled?.errorMessage, 'superseded by delete')
    assert.ok(cancelled.finishedAtMs)
    assert.equal((await store.operations.byId(stranger.id))?.state, 'queued')
  })

  test('superseding marks what runs, and nothing else', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const [running, waiting] = [await addOperation(store, uuid), await addOperation(store, uuid)]
    assert.equal(await store.write((tx) => tx.operations.supersedeRunning(uuid)), false)
    await claimAll(store)
    assert.equal(await store.write((tx) => tx.operations.supersedeRunning(uuid)), true)
    assert.equal((await store.operations.byId(running.id))?.superseded, true)
    assert.equal((await store.operations.byId(waiting.id))?.superseded, false)
  })

  test('steps keep their first beginning, their mark, their end', async () => {
    const h = get()
    const op = await addOperation(h.store, (await addContainer(h.store)).uuid)
    const { store } = h
    await store.write((tx) => tx.operations.stepStarted(op.id, 'restartContainer', { startedAtMs: 5 }))
    const [begun] = await store.operations.steps(op.id)
    assert.deepEqual(
      [begun?.state, begun?.mark, begun?.output, begun?.finishedAtMs],
      ['started', { startedAtMs: 5 }, null, null],
    )
    await h.pass(1_000)
    const failed = { state: 'failed', message: 'no' } as const
    await store.write((tx) => tx.operations.stepEnded(op.id, 'restartContainer', failed))
    await store.write((tx) => tx.operations.stepStarted(op.id, 'restartContainer', { startedAtMs: 6 }))
    const [again] = await store.operations.steps(op.id)
    assert.deepEqual([again?.state, again?.message, again?.finishedAtMs], ['started', null, null])
    assert.equal(again?.startedAtMs, begun?.startedAtMs)
    await store.write((tx) => tx.operations.stepEnded(op.id, 'restartContainer', { state: 'finished', output: [1] }))
    const [ended] = await store.operations.steps(op.id)
    assert.deepEqual([ended?.state, ended?.mark, ended?.output], ['finished', { startedAtMs: 6 }, [1]])
  })

  test('a step found done was never started, and stands in the order it came', async () => {
    const { store } = get()
    const op = await addOperation(store, (await addContainer(store)).uuid)
    for (const name of ['obtainImage', 'createContainer']) {
      await store.write((tx) => tx.operations.stepEnded(op.id, name, { state: 'finished' }))
    }
    const steps = await store.operations.steps(op.id)
    assert.deepEqual(
      steps.map((step) => [step.name, step.state]),
      [
        ['obtainImage', 'finished'],
        ['createContainer', 'finished'],
      ],
    )
    for (const step of steps) assert.equal(step.finishedAtMs, step.startedAtMs)
  })

  test('actions are the recorded operations, newest first, found by their request', async () => {
    const { store } = get()
    const { uuid } = await addContainer(store)
    const first = await addOperation(store, uuid, { requestId: 'req-1' })
    const second = await addOperation(store, uuid, { requestId: 'req-2' })
    await addOperation(store, uuid, { requestId: 'req-2', recorded: false })
    await addOperation(store, (await addContainer(store)).uuid, { requestId: 'req-2' })
    assert.deepEqual(
      (await store.operations.actions(uuid)).map((op) => op.id),
      [second.id, first.id],
    )
    assert.deepEqual(
      (await store.operations.byRequest(uuid, 'req-2')).map((op) => op.id),
      [second.id],
    )
    assert.deepEqual(await store.operations.byRequest(uuid, 'req-9'), [])
    assert.equal((await store.operations.unfinished(uuid)).length, 3)
  })

  test('when something of a lane becomes due is known', async () => {
    const h = get()
    const { store } = h
    assert.equal(await store.operations.dueInMs(LANE), null)
    const op = await addOperation(store, (await addContainer(store)).uuid)
    assert.equal(await store.operations.dueInMs(LANE), 0)
    await claimAll(store)
    assert.equal(await store.operations.dueInMs(LANE), null)
    await store.write((tx) => tx.operations.release(op.id, 1, { state: 'queued', afterMs: 5_000 }))
    const dueInMs = (await store.operations.dueInMs(LANE)) ?? -1
    assert.ok(dueInMs > 4_000 && dueInMs <= 5_000, String(dueInMs))
    assert.equal(await store.operations.dueInMs('host:other'), null)
  })
}
