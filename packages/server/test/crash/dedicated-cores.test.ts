/** Which cores a container has after each request; that a crash changes nothing of it is a scenario like others. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EngineRefused } from '../../src/domain/errors.ts'
import { anInventory } from '../support/builders.ts'
import { create, rebuild, remove, resize, verb, type Request } from './requests.ts'
import { Stage } from './stage.ts'

it('cores are given, grown, kept, given up, and given back', async () => {
  const stage = await Stage.make()
  try {
    const { world } = stage
    const [host] = world.sites
    assert.ok(host !== undefined)
    const numaNodes = [{ id: 0, cpus: [1, 2, 3], memTotalMiB: 16_000 }]
    host.has = anInventory({ enableCpuPinning: true, numaNodes, floatingCpus: [0] })
    await stage.crash()
    const after = async (...requests: Request[]) => {
      await stage.askAll(requests)
      const [row] = await world.store.containers.onHost('h1')
      return [row?.allocation?.cpuset?.cpus ?? null, world.engine.world().containers[0]?.cores ?? null]
    }
    const first = create({ nets: [], mounts: [], cpu: 2, cpu_policy: 'dedicated' })
    assert.deepEqual(await after(first), [
      [1, 2],
      [1, 2],
    ])
    assert.deepEqual(await after(resize({ cpu: 3 })), [
      [1, 2, 3],
      [1, 2, 3],
    ])
    assert.deepEqual(await after(rebuild(), verb('reboot'), verb('stop'), verb('start')), [
      [1, 2, 3],
      [1, 2, 3],
    ])
    assert.deepEqual(await after(resize({ cpu: 1 })), [[1], [1]])
    const error = new EngineRefused('not today')
    world.engine.calls.faults.add({ call: 'update', trouble: { kind: 'refuse', error } })
    assert.deepEqual(await after(resize({ cpu: 2 })), [[1], [1]])
    assert.deepEqual(await after(remove({ stop: true })), [null, null])
    assert.deepEqual(await after(first), [
      [1, 2],
      [1, 2],
    ])
  } finally {
    await stage.close()
  }
})
