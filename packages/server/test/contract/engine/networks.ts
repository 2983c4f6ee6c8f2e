import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { EngineConflict, EngineNotFound, EngineRefused } from '../../../src/domain/errors.ts'
import type { EngineEndpoint } from '../../../src/orchestration/ports/engine.ts'
import { soon, type EngineBench } from '../../support/engine-harness.ts'

function endpoint(network: string, patch: Partial<EngineEndpoint> = {}): EngineEndpoint {
  return { network, ipv4Address: null, ipv6Address: null, macAddress: null, ...patch }
}

export function networkTests(get: () => EngineBench): void {
  test('a network is made once, listed, and removed, each as often as asked', async () => {
    const bench = get()
    const { engine } = bench
    const name = randomUUID()
    assert.equal(await engine.inspectNetwork(name, soon()), undefined)
    const [subnet] = await bench.network(name)
    assert.ok(subnet)
    const made = await engine.inspectNetwork(name, soon())
    assert.equal(made?.name, name)
    assert.deepEqual(made.containers, [])
    const request = { name, projectId: 'project', displayName: name, subnets: [{ ...subnet, version: 4 as const }] }
    assert.equal((await engine.ensureNetwork(request, soon())).engineId, made.engineId)
    assert.ok((await engine.listNetworks(soon())).some((network) => network.name === name))
    await assert.rejects(engine.ensureNetwork({ ...request, name: randomUUID() }, soon()), EngineRefused)
    await engine.removeNetwork(name, soon())
    await engine.removeNetwork(name, soon())
    assert.equal(await engine.inspectNetwork(name, soon()), undefined)
  })

  test('several who need the same network at once get the same one', async () => {
    const bench = get()
    const name = randomUUID()
    const [subnet] = await bench.network(name)
    assert.ok(subnet)
    await bench.engine.removeNetwork(name, soon())
    const request = { name, projectId: 'project', displayName: name, subnets: [{ ...subnet, version: 4 as const }] }
    const made = await Promise.all([1, 2, 3].map(() => bench.engine.ensureNetwork(request, soon())))
    assert.equal(new Set(made.map((network) => network.engineId)).size, 1)
  })

  test('a container starts on its first network with the addresses it was given', async () => {
    const bench = get()
    const { engine } = bench
    const name = randomUUID()
    const [v4, v6] = await bench.network(name, [4, 6])
    assert.ok(v4 && v6)
    const ipv4Address = v4.address(7)
    const ipv6Address = v6.address(7)
    const uuid = await bench.run({ endpoint: endpoint(name, { ipv4Address, ipv6Address }) })
    assert.deepEqual((await engine.inspect(uuid, soon()))?.networks, [name])
    assert.deepEqual((await engine.inspectNetwork(name, soon()))?.containers, [`zun-${uuid}`])
    await assert.rejects(engine.removeNetwork(name, soon()), EngineConflict)

    const second = await bench.create({ endpoint: endpoint(name, { ipv4Address }) })
    await assert.rejects(engine.start(second, soon()), EngineRefused)

    await engine.stop(uuid, 0, soon())
    await engine.start(second, soon())
    assert.deepEqual((await engine.inspectNetwork(name, soon()))?.containers, [`zun-${second}`])
  })

  test('networks come and go while it runs, each as often as asked', async () => {
    const bench = get()
    const { engine } = bench
    const [first, second] = [randomUUID(), randomUUID()]
    await bench.network(first)
    const [subnet] = await bench.network(second)
    assert.ok(subnet)
    const uuid = await bench.run({ endpoint: endpoint(first) })
    const wanted = endpoint(second, { ipv4Address: subnet.address(9) })
    await engine.connect(uuid, wanted, soon())
    await engine.connect(uuid, wanted, soon())
    assert.deepEqual((await engine.inspect(uuid, soon()))?.networks.toSorted(), [first, second].toSorted())

    const other = await bench.run({ endpoint: endpoint(first) })
    await assert.rejects(engine.connect(other, wanted, soon()), EngineRefused)
    assert.deepEqual((await engine.inspect(other, soon()))?.networks, [first])

    await engine.disconnect(uuid, second, soon())
    await engine.disconnect(uuid, second, soon())
    await engine.disconnect(uuid, 'no-such-network', soon())
    assert.deepEqual((await engine.inspect(uuid, soon()))?.networks, [first])
    await engine.connect(other, wanted, soon())
  })

  test('a container that left its last network can join one again', async () => {
    const bench = get()
    const name = randomUUID()
    await bench.network(name)
    const uuid = await bench.run({ endpoint: endpoint(name) })
    await bench.engine.disconnect(uuid, name, soon())
    assert.deepEqual((await bench.engine.inspect(uuid, soon()))?.networks, [])
    await bench.engine.connect(uuid, endpoint(name), soon())
    assert.deepEqual((await bench.engine.inspect(uuid, soon()))?.networks, [name])
  })

  test('a network that does not exist is said to be missing when it is needed', async () => {
    const bench = get()
    const { engine } = bench
    const name = randomUUID()
    await bench.network(name)
    const uuid = await bench.run({ endpoint: endpoint(name) })
    await assert.rejects(engine.connect(uuid, endpoint('no-such-network'), soon()), EngineNotFound)
    const lost = await bench.create({ endpoint: endpoint('no-such-network') })
    await assert.rejects(engine.start(lost, soon()), EngineNotFound)
  })

  test('a container whose network was removed starts again when it is connected to the one that replaces it', async () => {
    const bench = get()
    const { engine } = bench
    const name = randomUUID()
    const [subnet] = await bench.network(name)
    assert.ok(subnet)
    const ipv4Address = subnet.address(9)
    const uuid = await bench.run({ endpoint: endpoint(name, { ipv4Address }) })
    await engine.stop(uuid, 0, soon())
    await engine.removeNetwork(name, soon())
    await assert.rejects(engine.start(uuid, soon()), EngineNotFound)
    await assert.rejects(engine.restart(uuid, 0, soon()), EngineNotFound)
    const subnets = [{ ...subnet, version: 4 as const }]
    await engine.ensureNetwork({ name, projectId: 'project', displayName: name, subnets }, soon())
    await engine.disconnect(uuid, name, soon())
    await engine.connect(uuid, endpoint(name, { ipv4Address }), soon())
    await engine.start(uuid, soon())
    const other = await bench.create({ endpoint: endpoint(name, { ipv4Address }) })
    await assert.rejects(engine.start(other, soon()), EngineRefused)
  })

  test('a container without a network runs', async () => {
    const bench = get()
    assert.equal((await bench.see(await bench.run({ endpoint: null }))).state, 'running')
  })
}
