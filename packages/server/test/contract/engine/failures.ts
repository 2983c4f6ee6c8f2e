import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineUnavailable } from '../../../src/domain/errors.ts'
import { everyCall, soon, type EngineBench } from '../../support/engine-harness.ts'

export function failureTests(get: () => EngineBench): void {
  test('a call whose caller has given up already is not made', async () => {
    const bench = get()
    const uuid = await bench.create()
    const reason = new Error('given up')
    const o = { signal: AbortSignal.abort(reason) }
    for (const call of [() => bench.engine.start(uuid, o), () => bench.engine.inspect(uuid, o)]) {
      await assert.rejects(call(), (error) => error === reason)
    }
    assert.equal((await bench.see(uuid)).state, 'created')
  })

  test('a caller that gives up while it waits gets its own reason', async () => {
    const bench = get()
    const uuid = await bench.run()
    const reason = new Error('given up')
    for (const call of [
      (o: { signal: AbortSignal }) => bench.engine.stop(uuid, 1_000, o),
      async (o: { signal: AbortSignal }) => {
        const id = await bench.engine.createExec(uuid, { command: ['sleep', '1000'], interactive: false }, o)
        await bench.engine.runExec(id, 100, o)
      },
    ]) {
      const giveUp = new AbortController()
      setTimeout(() => giveUp.abort(reason), 300)
      await assert.rejects(call({ signal: giveUp.signal }), (error) => error === reason)
    }
  })

  test('a deadline of the caller counts as no answer in time', async () => {
    const bench = get()
    const uuid = await bench.run()
    await assert.rejects(bench.engine.stop(uuid, 1_000, { signal: AbortSignal.timeout(100) }), EngineUnavailable)
  })

  test('the engine answers, and says what it is', async () => {
    const { engine } = get()
    await engine.ping(soon())
    const info = await engine.info(soon())
    assert.ok(info.cpus > 0 && info.memTotalBytes > 0)
    assert.match(info.apiVersion, /^\d+\.\d+$/)
    assert.ok(info.runtimes.includes(info.defaultRuntime))
    for (const text of [info.version, info.architecture, info.osType, info.os, info.kernelVersion, info.rootDir]) {
      assert.ok(text.length > 0)
    }
  })

  test('no answer in time is EngineUnavailable, whatever was asked', async () => {
    const { hanging } = get().h
    const outcomes = Object.entries(everyCall(hanging)).map(async ([name, call]) => {
      await assert.rejects(call(), (error) => error instanceof EngineUnavailable, name)
    })
    await Promise.all(outcomes)
  })
}
