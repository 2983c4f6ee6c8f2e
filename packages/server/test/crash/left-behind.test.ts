/** A delete by force does not wait for services that are away; what it leaves there is given back when they have come again. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { EngineRefused, UserFault } from '../../src/domain/errors.ts'
import { create, NAME, rebuild, remove } from './requests.ts'
import { ON_CLOUD } from './scenarios.ts'
import { Stage } from './stage.ts'

const BODY = { nets: [{ network: 'remote-a' }, { network: 'remote-b' }], mounts: ON_CLOUD }
/** Longer than between two tries. */
const A_WHILE_MS = 61_000

for (const dies of [false, true]) {
  it(`ports and volumes of the cloud are given back, ${dies ? 'also by' : 'without'} another life`, async () => {
    const stage = await Stage.make()
    try {
      await stage.askAll([create(BODY)])
      const { host } = stage.world
      host.isCloudAway = async () => true
      assert.ok(await stage.ask(remove({ force: true })))
      await stage.pass(A_WHILE_MS)
      const away = await stage.world.seen()
      assert.deepEqual([away.containers, away.engine.containers], [[], []])
      assert.deepEqual([away.host.mounted, away.host.ports.length, away.disposals.length], [['remote-volume'], 2, 1])
      // What is of the host has gone.
      assert.deepEqual(away.host.addresses, [])
      if (dies) await stage.crash()
      host.isCloudAway = async () => false
      await stage.pass(A_WHILE_MS)
      const { host: held, disposals, volumes } = await stage.world.seen()
      assert.deepEqual([held.mounted, held.ports, held.violations], [[], [], []])
      // The data of what is no container's own stays.
      assert.deepEqual(held.volumes, ['remote-volume'])
      assert.deepEqual([disposals, volumes, await stage.world.store.leftoverPorts.due(10)], [[], [], []])
    } finally {
      await stage.close()
    }
  })
}

it('a port that its service refuses to take back keeps no volume, and does not keep the container for ever', async () => {
  const stage = await Stage.make()
  try {
    await stage.askAll([create(BODY)])
    const { host, store } = stage.world
    host.ports.refusal = new UserFault('network.refused', 'something holds it')
    assert.ok(await stage.ask(remove({ stop: true })))
    await stage.rest()
    const [failed] = await store.containers.byName(NAME, 0, { kind: 'all' })
    assert.deepEqual([failed?.status, failed?.statusReason], ['Error', 'something holds it'])
    const left = await stage.world.seen()
    assert.deepEqual([left.engine.containers, left.host.mounted, left.host.ports.length], [[], [], 2])
    assert.ok(await stage.ask(remove({ force: true })))
    for (let n = 0; n < 20; n += 1) await stage.pass(A_WHILE_MS)
    assert.deepEqual((await stage.world.seen()).containers, [])
    assert.deepEqual(await store.leftoverPorts.due(10), [])
  } finally {
    await stage.close()
  }
})

it('a create that has come to nothing keeps no ports, and a rebuild has new ones', async () => {
  const stage = await Stage.make()
  const shown = async () => {
    const [found] = await stage.world.store.containers.byName(NAME, 0, { kind: 'all' })
    assert.ok(found !== undefined)
    return found
  }
  try {
    const { engine, host, store } = stage.world
    const refusal = { kind: 'refuse', error: new EngineRefused('no such option') } as const
    engine.calls.faults.add({ call: 'create', trouble: refusal })
    await stage.askAll([create({ ...BODY, exposed_ports: { '80/tcp': {} } })])
    const failed = await shown()
    assert.deepEqual([failed.status, failed.statusReason], ['Error', 'no such option'])
    assert.deepEqual([host.world().ports, failed.addresses, failed.spec.securityGroups], [[], {}, []])
    const bindings = await store.bindings.ofContainer(failed.uuid)
    assert.deepEqual(
      bindings.flatMap(({ state, data }) => (data.kind === 'port' ? [[state, data.remote?.portId]] : [])),
      [
        ['planned', null],
        ['planned', null],
      ],
    )
    await stage.askAll([rebuild()])
    const rebuilt = await shown()
    assert.equal(host.world().ports.length, 2)
    assert.deepEqual(Object.keys(rebuilt.addresses), ['remote-a', 'remote-b'])
    assert.deepEqual(rebuilt.spec.securityGroups, [`group of ${rebuilt.uuid}`])
    await stage.askAll([remove({ force: true })])
    assert.deepEqual(host.world().ports, [])
  } finally {
    await stage.close()
  }
})

it('what the engine has keeps its ports, whatever of its create has failed', async () => {
  const stage = await Stage.make()
  try {
    stage.world.engine.calls.faults.add({ call: 'start', trouble: { kind: 'refuse', error: new EngineRefused('no') } })
    await stage.askAll([create(BODY)])
    const { containers, host } = await stage.world.seen()
    assert.deepEqual([containers[0]?.status, host.ports.length], ['Error', 2])
  } finally {
    await stage.close()
  }
})
