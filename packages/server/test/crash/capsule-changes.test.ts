/** What happens to the parts of a capsule behind our back, and how the capsule is mended. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { capsuleOf } from '../../src/domain/capsule/capsule.ts'
import type { Capsule, CapsuleTemplate } from '../../src/domain/capsule/types.ts'
import { EngineFailed } from '../../src/domain/errors.ts'
import { aMember } from '../support/capsule-template.ts'
import { createPod, POD, removePod, volume } from './requests.ts'
import { Stage } from './stage.ts'

const ALL = { kind: 'all' } as const
const NEVER = { name: 'no', maximumRetryCount: 0 } as const
const ON_FAILURE = { name: 'on-failure', maximumRetryCount: 0 } as const

/** Two that run for ever, and no volumes. */
const plain = (patch: Partial<CapsuleTemplate> = {}) =>
  createPod({ initContainers: [], containers: [aMember(), aMember()], volumes: [], ...patch })

describe('the parts of a capsule change by themselves', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await Stage.make()
    await stage.askAll([volume('vol')])
  })
  afterEach(() => stage.close())

  const shown = async (): Promise<Capsule> => {
    const { containers } = stage.world.store
    const [record] = await containers.byName(POD, 1, ALL)
    assert.ok(record !== undefined, 'the record is gone')
    return capsuleOf(record, await containers.membersOf([record.uuid]))
  }
  /** More than the time after which a world counts as stuck. */
  const passLong = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 600_000) await stage.pass(Math.min(left, 600_000))
  }
  const statuses = async (): Promise<string[]> => {
    const { record, initMembers, members } = await shown()
    return [record, ...initMembers, ...members].map(({ status }) => status)
  }
  const startsOf = async (): Promise<(number | null | undefined)[]> =>
    (await shown()).members.map(({ observed }) => observed?.startedAtMs)
  const operations = async (): Promise<string[]> =>
    (await stage.world.store.operations.actions((await shown()).record.uuid)).map(
      ({ verb, state }) => `${verb} ${state}`,
    )
  const isNothingLeft = async (): Promise<void> => {
    const { containers, engine, host, addresses, usageOfHosts } = await stage.world.seen()
    assert.deepEqual([containers, engine.containers, addresses], [[], [], []])
    assert.deepEqual([host.addresses, host.mounted, host.violations], [[], [], []])
    for (const used of Object.values(usageOfHosts)) assert.equal(used.containers, 0)
  }

  it('a capsule runs when its init containers are done and its containers are started', async () => {
    await stage.askAll([createPod()])
    await stage.relists()
    assert.deepEqual(await statuses(), ['Running', 'Stopped', 'Stopped', 'Running', 'Running'])
    const { record, members, initMembers } = await shown()
    assert.deepEqual(Object.keys(record.addresses).length, 1)
    assert.deepEqual(
      [...members, ...initMembers].map(({ addresses }) => addresses),
      [{}, {}, {}, {}],
    )
    const ended = initMembers.map(({ observed }) => observed?.finishedAtMs ?? Number.NaN)
    const started = [...initMembers, ...members].map(({ observed }) => observed?.startedAtMs ?? Number.NaN)
    assert.ok((ended[0] ?? 0) < (started[1] ?? 0), 'the second init container waits for the first')
    assert.ok((ended[1] ?? 0) < (started[2] ?? 0), 'the containers wait for the init containers')
    await stage.askAll([removePod])
    await isNothingLeft()
  })

  it('an init container that fails for good fails the capsule, which says which one and how', async () => {
    const failing = aMember({ command: ['sh', '-c', 'exit 3'] })
    await stage.askAll([createPod({ restartPolicy: NEVER, initContainers: [failing] })])
    assert.deepEqual(await statuses(), ['Error', 'Stopped', 'Error', 'Error'])
    const { record, initMembers } = await shown()
    assert.match(record.statusReason ?? '', /^Init container capsule-pod1-\S+ ended with exit code 3$/)
    assert.ok(record.statusReason?.includes(initMembers[0]?.name ?? 'nobody'))
    await stage.relists()
    assert.equal((await shown()).record.status, 'Error')
    await stage.askAll([removePod])
    await isNothingLeft()
  })

  it('an init container is tried ten times under the policy always', async () => {
    await stage.askAll([createPod({ initContainers: [aMember({ command: ['false'] })] })])
    const { record } = await shown()
    assert.match(record.statusReason ?? '', /ended with exit code 1 after 10 restarts$/)
  })

  it('an init container that does not end is given up after an hour', async () => {
    assert.ok(await stage.ask(createPod({ initContainers: [aMember({ command: ['sleep', '7200'] })] })))
    await passLong(3_590_000)
    assert.equal((await shown()).record.status, 'Creating')
    await stage.pass(20_000)
    const { record } = await shown()
    assert.equal(record.status, 'Error')
    assert.match(record.statusReason ?? '', /has not ended within 3600 s$/)
    await stage.askAll([removePod])
    await isNothingLeft()
  })

  it('a death does not give the init containers their hour again', async () => {
    assert.ok(await stage.ask(createPod({ initContainers: [aMember({ command: ['sleep', '7200'] })] })))
    await passLong(1_800_000)
    await stage.crash()
    await passLong(1_900_000)
    assert.equal((await shown()).record.status, 'Error')
  })

  it('a container that cannot be started fails the capsule, which names it', async () => {
    await stage.askAll([plain({ containers: [aMember(), aMember({ command: ['no-such-program'] })] })])
    assert.deepEqual(await statuses(), ['Error', 'Running', 'Created'])
    const { record, members } = await shown()
    assert.match(record.statusReason ?? '', /no-such-program/)
    assert.ok(record.statusReason?.includes(members[1]?.name ?? 'nobody'))
    await stage.relists()
    assert.deepEqual(await statuses(), ['Error', 'Running', 'Created'])
  })

  it('a sandbox that was started anew gets its members back', async () => {
    await stage.askAll([plain()])
    const before = await startsOf()
    stage.world.engine.exit((await shown()).record.uuid, 137)
    await stage.pass(1_000)
    await stage.rest()
    await stage.relists()
    assert.deepEqual(await statuses(), ['Running', 'Running', 'Running'])
    const sandbox = (await shown()).record.observed?.startedAtMs ?? Number.NaN
    for (const [n, started] of (await startsOf()).entries()) {
      assert.ok((started ?? 0) > sandbox && (started ?? 0) > (before[n] ?? 0), 'each was started after the sandbox')
    }
    assert.deepEqual(await operations(), ['start succeeded', 'create succeeded'])
  })

  it('members that the engine could not start while the sandbox was away are started', async () => {
    await stage.askAll([plain()])
    const { record, members } = await shown()
    stage.life.die()
    const o = { signal: new AbortController().signal }
    for (const { uuid } of [...members, record]) await stage.world.engine.kill(uuid, null, o)
    await stage.revive()
    await stage.rest()
    await stage.relists()
    assert.deepEqual(await statuses(), ['Running', 'Running', 'Running'])
    assert.equal(stage.world.engine.liveContainers().length, 3)
  })

  it('a death while members are brought back changes nothing about the end', async () => {
    for (const at of [
      'step:startContainer:before',
      'step:rejoinMembers:journaled',
      'step:rejoinMembers:applied',
      'finish:start:before',
    ]) {
      await stage.askAll([plain()])
      let isArmed = true
      stage.arm({
        onCheckpoint: async (name, life) => {
          if (name !== at || !isArmed) return
          isArmed = false
          await life.dieHere()
        },
      })
      stage.world.engine.exit((await shown()).record.uuid, 137)
      await stage.goOn(() => !isArmed)
      await stage.rest()
      await stage.relists()
      assert.deepEqual(await statuses(), ['Running', 'Running', 'Running'], at)
      await stage.askAll([removePod])
      await isNothingLeft()
    }
  })

  it('what cannot be mended is said once and not tried for ever', async () => {
    await stage.askAll([plain()])
    const { record } = await shown()
    for (let n = 0; n < 3; n += 1) {
      stage.world.engine.calls.faults.add({
        call: 'restart',
        trouble: { kind: 'refuse', error: new EngineFailed('no room') },
      })
    }
    stage.world.engine.exit(record.uuid, 137)
    await stage.pass(60_000)
    await stage.rest()
    assert.deepEqual([(await shown()).record.status, (await shown()).record.statusReason], ['Error', 'no room'])
    const tried = (await operations()).length
    await stage.relists()
    assert.equal((await operations()).length, tried)
  })

  it('a capsule whose containers have ended by themselves is stopped, and stays so', async () => {
    for (const [restartPolicy, command] of [
      [NEVER, ['sh', '-c', 'sleep 5; exit 2']],
      [ON_FAILURE, ['sh', '-c', 'sleep 5']],
    ] as const) {
      await stage.askAll([plain({ restartPolicy, containers: [aMember({ command }), aMember({ command })] })])
      assert.equal((await shown()).record.status, 'Running')
      await stage.pass(6_000)
      await stage.relists()
      assert.deepEqual(await statuses(), ['Stopped', 'Stopped', 'Stopped'])
      assert.deepEqual(await operations(), ['create succeeded'])
      await stage.askAll([removePod])
      await isNothingLeft()
    }
  })

  it('a member under restart by its policy leaves the capsule running', async () => {
    await stage.askAll([plain({ containers: [aMember(), aMember({ command: ['sh', '-c', 'sleep 1; exit 1'] })] })])
    await stage.pass(60_000)
    assert.equal((await shown()).record.status, 'Running')
    assert.ok(((await shown()).members[1]?.observed?.restartCount ?? 0) > 1)
    assert.deepEqual(await operations(), ['create succeeded'])
  })

  it('a member or a sandbox that vanished makes the capsule an error, which can be deleted', async () => {
    for (const choose of [({ record }: Capsule) => record, ({ members }: Capsule) => members[1]]) {
      await stage.askAll([plain()])
      const lost = choose(await shown())
      stage.world.engine.lose(lost?.uuid ?? '')
      await stage.relists()
      const { record } = await shown()
      assert.equal(record.status, 'Error')
      assert.match(record.statusReason ?? '', /is gone from the engine$/)
      await stage.askAll([removePod])
      await isNothingLeft()
    }
  })

  it('without a restart policy nothing is started again: who has lost his network is named', async () => {
    await stage.askAll([plain({ restartPolicy: NEVER })])
    stage.world.engine.exit((await shown()).record.uuid, 137)
    await stage.relists()
    const { record, members } = await shown()
    assert.equal(record.status, 'Error')
    assert.ok(record.statusReason?.includes(members[0]?.name ?? 'nobody'))
    assert.deepEqual(await operations(), ['create succeeded'])
  })
})
