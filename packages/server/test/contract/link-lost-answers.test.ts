import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerLinkCall, linkOver } from '../../src/orchestration/ports/link.ts'
import { SimMachine } from '../support/sim-machine.ts'

test('a claim whose answer was lost is given anew at once, and runs once', async (t) => {
  let lost = 0
  const sim = await SimMachine.start({
    // Nobody could wait for that.
    leaseTtlMs: 3_600_000,
    link: (end) =>
      linkOver(async (call, message, o) => {
        const answer = await answerLinkCall(end, call, message, o)
        if (call === 'claim' && Array.isArray(answer) && answer.length > 0 && lost < 2) {
          lost += 1
          throw new Error('the connection broke')
        }
        return answer
      }),
  })
  t.after(() => sim.stop())
  const body = { image: 'busybox', command: ['serve'], memory: 64 }
  const made = await sim.ask('alice', 'POST', '/v1/containers?run=true', body)
  assert.equal(made.statusCode, 202, made.body)
  await sim.settled()
  const { uuid } = JSON.parse(made.body) as { uuid: string }
  assert.equal((await sim.store.containers.byUuid(uuid, { kind: 'all' }))?.status, 'Running')
  assert.equal(lost, 2)
  const [operation] = await sim.store.operations.actions(uuid)
  assert.equal(operation?.state, 'succeeded')
  assert.equal(sim.engine.world().containers.length, 1)
  await sim.clear()
  assert.deepEqual(await sim.leftovers(), [])
})
