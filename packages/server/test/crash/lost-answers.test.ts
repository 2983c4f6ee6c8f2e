/** A create with a key is made once, whenever the service dies and however often it is asked for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createContainer } from '../../src/app/containers/create.ts'
import { findContainer } from '../../src/app/containers/find.ts'
import { once } from '../../src/app/once.ts'
import type { Request } from './requests.ts'
import { Stage } from './stage.ts'
import { assertTold } from './told.ts'

interface Answer {
  readonly uuid: string
  readonly isReplay: boolean
}

const BODY = { name: 'web', image: 'busybox', nets: [], mounts: [], image_pull_policy: 'never' }

function createOnce(onAnswer: (answer: Answer) => void): Request {
  return async (deps, ctx) => {
    const { made, isReplay } = await once(
      deps,
      ctx,
      { key: 'k', requestHash: 'h' },
      async (note) => await createContainer(deps, ctx, BODY, true, note),
      async (uuid) => await findContainer(deps.store.containers, ctx, uuid),
    )
    onAnswer({ uuid: made.uuid, isReplay })
  }
}

/** Dies at the given checkpoint, from 1; gives the points that were passed. */
async function run(death: number): Promise<readonly string[]> {
  const stage = await Stage.make()
  try {
    const passed: string[] = []
    stage.arm({
      onCheckpoint: async (name, life) => {
        passed.push(name)
        if (passed.length === death) await life.dieHere()
      },
    })
    const answers: Answer[] = []
    const request = createOnce((answer) => answers.push(answer))
    await stage.ask(request)
    await stage.rest()
    const isFirstLost = answers.length === 0
    // The client cannot know whether it was made.
    assert.equal(await stage.ask(request), true)
    await stage.rest()
    const rows = await stage.world.store.containers.onHost('h1')
    const how = `killed at ${passed[death - 1]} (${death})`
    assert.deepEqual(
      rows.map(({ uuid, status }) => [uuid, status]),
      answers.map(({ uuid }) => [uuid, 'Running']).slice(-1),
      how,
    )
    assert.equal(new Set(answers.map(({ uuid }) => uuid)).size, 1, how)
    assert.equal(answers.at(-1)?.isReplay, !(isFirstLost && passed[death - 1] === 'accept:before'), how)
    await assertTold(stage.world)
    return passed
  } finally {
    await stage.close()
  }
}

test('a create with a key is made once, whenever the service dies', async () => {
  const points = await run(0)
  assert.ok(points.includes('accept:before') && points.includes('finish:create:after'), points.join())
  for (const [n] of points.entries()) await run(n + 1)
})
