import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { EngineConflict, EngineNotFound } from '../../../src/domain/errors.ts'
import { soon, type EngineBench } from '../../support/engine-harness.ts'

/** One that others may join, on a network of its own. */
async function runSandbox(bench: EngineBench): Promise<string> {
  const network = randomUUID()
  await bench.network(network)
  return await bench.run({
    namespaces: 'shared',
    endpoint: { network, ipv4Address: null, ipv6Address: null, macAddress: null },
  })
}

export function namespaceTests(get: () => EngineBench): void {
  test('a container that joins another has no network of its own', async () => {
    const bench = get()
    const sandbox = await runSandbox(bench)
    const member = await bench.run({ namespaces: { of: sandbox } })
    assert.equal((await bench.see(member)).state, 'running')
    assert.deepEqual((await bench.engine.inspect(member, soon()))?.networks, [])
    assert.equal((await bench.engine.inspect(sandbox, soon()))?.networks.length, 1)
  })

  test('a container is made while the one it joins does not run, and starts when that does', async () => {
    const bench = get()
    const { engine } = bench
    const sandbox = await runSandbox(bench)
    await engine.stop(sandbox, 0, soon())
    const member = await bench.create({ namespaces: { of: sandbox } })
    await assert.rejects(engine.start(member, soon()), EngineConflict)
    assert.notEqual((await bench.see(member)).state, 'running')
    await engine.start(sandbox, soon())
    await engine.start(member, soon())
    assert.equal((await bench.see(member)).state, 'running')
  })

  test('a container cannot be made to join one that is not there', async () => {
    const bench = get()
    await assert.rejects(bench.create({ namespaces: { of: randomUUID() } }), EngineNotFound)
  })

  test('a container outlives the one it has joined, and joins it anew when it is restarted', async () => {
    const bench = get()
    const { engine } = bench
    const sandbox = await runSandbox(bench)
    const member = await bench.run({ namespaces: { of: sandbox } })
    await engine.restart(sandbox, 0, soon())
    assert.equal((await bench.see(member)).state, 'running')
    const [before, renewed] = [await bench.see(member), await bench.see(sandbox)]
    assert.ok((before.startedAtMs ?? 0) < (renewed.startedAtMs ?? 0))
    await engine.restart(member, 0, soon())
    assert.ok(((await bench.see(member)).startedAtMs ?? 0) > (renewed.startedAtMs ?? 0))
  })

  test('a container does not join another that was made anew under the same name', async () => {
    const bench = get()
    const { engine } = bench
    const sandbox = await runSandbox(bench)
    const member = await bench.create({ namespaces: { of: sandbox } })
    await engine.remove(sandbox, true, soon())
    await bench.run({ namespaces: 'shared', containerUuid: sandbox, generation: 2 })
    await assert.rejects(engine.start(member, soon()), EngineNotFound)
    assert.notEqual((await bench.see(member)).state, 'running')
  })
}
