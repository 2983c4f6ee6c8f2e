/** An attach whose connect the engine refuses: the port that was got for it in the cloud does not stay. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EngineRefused } from '../../src/domain/errors.ts'
import { attach, create } from './requests.ts'
import { Stage } from './stage.ts'

it('a port of the cloud is given back when its container cannot be connected, and the next attach works', async () => {
  const stage = await Stage.make()
  try {
    await stage.askAll([create({ nets: [{ network: 'remote-a' }], mounts: [] })])
    const { engine } = stage.world
    engine.calls.faults.add({ call: 'connect', trouble: { kind: 'refuse', error: new EngineRefused('no room') } })
    await stage.askAll([attach('remote-c')])
    const refused = await stage.world.seen()
    assert.equal(refused.host.ports.length, 1)
    assert.deepEqual(refused.host.violations, [])
    await stage.askAll([attach('remote-c')])
    assert.equal((await stage.world.seen()).host.ports.length, 2)
  } finally {
    await stage.close()
  }
})
