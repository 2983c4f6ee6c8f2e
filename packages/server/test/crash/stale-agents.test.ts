/**
 * An agent that is held while another one takes its host over. Whatever it still does later must change nothing. (What it
 * would do to the engine between its last look and its next write no fence can prevent: there the lock of the state
 * directory stands, which is why no agent is held where the
 * engine comes next.)
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isAllowed } from '../../src/domain/container/verbs.ts'
import type { Life } from './life.ts'
import { verb } from './requests.ts'
import { runScenario } from './run.ts'
import { SCENARIOS } from './scenarios.ts'
import { Stage } from './stage.ts'
import { HOST } from './world.ts'

const scenarios = SCENARIOS.filter(({ requests, meanwhile }) => requests.length === 1 && meanwhile === undefined)
const isHoldable = (point: string): boolean => !/:journaled$|^image:.*:before$|^accept:/.test(point)

describe('an agent of an older life can do no harm', () => {
  for (const { name, prepare, requests } of scenarios) {
    it(name, async () => {
      const [request = async () => undefined] = requests
      const points = ((await runScenario({ name, prepare, requests })).passed[0] ?? []).filter(isHoldable)
      for (const point of points) {
        const stage = await Stage.make()
        try {
          await stage.askAll(prepare)
          const old = stage.life
          const held = holdAt(stage, point, old)
          const answer = stage.send(request)
          await stage.goOn(() => held.isReached)
          await stage.takeOver()
          await stage.rest()
          await stage.relists()
          await answer
          await stir(stage)
          const before = { seen: await stage.world.seen(), effects: stage.world.effects() }
          held.letGo()
          await stage.pass(30_000)
          const after = { seen: await stage.world.seen(), effects: stage.world.effects() }
          assert.deepEqual(after, before, `held at ${point}`)
          assert.ok(old.isFencedOut, `held at ${point}: it has not learned that its time is over`)
          old.die()
        } finally {
          await stage.close()
        }
      }
    })
  }
})

/** The world goes on, so that what an agent wrote of how it was before would be seen. */
async function stir(stage: Stage): Promise<void> {
  const { engine, store } = stage.world
  const container = (await store.containers.onHost(HOST))[0]
  if (container?.status === 'Running') engine.exit(container.uuid, 9)
  else if (container?.kind === 0 && isAllowed('start', container.status)) await stage.askAll([verb('start')])
  await stage.relists()
}

function holdAt(stage: Stage, point: string, life: Life): { readonly isReached: boolean; letGo(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isReached = false
  stage.arm({
    onCheckpoint: async (name, passing) => {
      if (name !== point || passing !== life) return
      isReached = true
      await promise
    },
  })
  return {
    get isReached() {
      return isReached
    },
    letGo: resolve,
  }
}
