import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { EngineConflict, EngineNotFound, EngineRefused } from '../../../src/domain/errors.ts'
import { bytesOf, soon, type EngineBench } from '../../support/engine-harness.ts'
import { until } from '../../support/until.ts'

export function containerTests(get: () => EngineBench): void {
  test('a created container is found by its uuid with what it was made of', async () => {
    const bench = get()
    const uuid = await bench.create({
      generation: 7,
      command: ['sleep', '900'],
      hostname: 'nemo',
      exposedPorts: ['443/tcp', '80/tcp', '53/udp'],
    })
    const found = await bench.engine.inspect(uuid, soon())
    assert.equal(found?.containerUuid, uuid)
    assert.equal(found.engineId, found.seen.engineId)
    const { state, generation, startedAtMs, finishedAtMs, exitCode, hostname, ports, command, entrypoint } = found.seen
    assert.deepEqual(
      { state, generation, startedAtMs, finishedAtMs, exitCode, hostname, command, entrypoint },
      {
        state: 'created',
        generation: 7,
        startedAtMs: null,
        finishedAtMs: null,
        exitCode: null,
        hostname: 'nemo',
        command: ['sleep', '900'],
        entrypoint: null,
      },
    )
    assert.deepEqual(
      ports.toSorted((a, b) => a - b),
      [53, 80, 443],
    )
  })

  test('an entrypoint without a command keeps the command of the image', async () => {
    const bench = get()
    const uuid = await bench.create({ entrypoint: ['echo', 'first'], command: ['second'] })
    const { command: given } = await bench.see(uuid)
    assert.deepEqual(given, ['second'])
    const image = await bench.engine.inspectImage(bench.h.image, soon())
    assert.ok(image?.command !== null, 'the image has one')
    const { command, entrypoint } = await bench.see(await bench.create({ entrypoint: ['echo'], command: null }))
    assert.deepEqual({ command, entrypoint }, { command: image?.command, entrypoint: ['echo'] })
  })

  test('a container without a hostname has one of the engine', async () => {
    const bench = get()
    assert.ok((await bench.see(await bench.create())).hostname)
  })

  test('a container that nobody made is not there, which is no error', async () => {
    assert.equal(await get().engine.inspect(randomUUID(), soon()), undefined)
  })

  test('creating again with the same generation gives the container that is there', async () => {
    const bench = get()
    const uuid = await bench.create({ generation: 2 })
    const { engineId } = await bench.see(uuid)
    await bench.create({ containerUuid: uuid, generation: 2 })
    assert.equal((await bench.see(uuid)).engineId, engineId)
  })

  test('creating again with another generation is a conflict and changes nothing', async () => {
    const bench = get()
    const uuid = await bench.create({ generation: 2 })
    await assert.rejects(bench.create({ containerUuid: uuid, generation: 3 }), EngineConflict)
    assert.equal((await bench.see(uuid)).generation, 2)
  })

  test('a create that cannot be is refused with its reason and makes nothing', async () => {
    const bench = get()
    const always = { name: 'always', maximumRetryCount: 0 }
    const rows: readonly [object, new (message: string) => Error, RegExp][] = [
      [{ image: 'no-such-image:1' }, EngineNotFound, /no-such-image/],
      [{ runtime: 'no-such-runtime' }, EngineRefused, /no-such-runtime/],
      [{ mounts: [{ source: '/no/such/path', destination: '/data' }] }, EngineRefused, /no\/such\/path/],
      [{ memoryMiB: 1 }, EngineRefused, /memory/i],
      [{ cpuset: { cpus: [4_000], mems: [] } }, EngineRefused, /CPUs are not available/],
      [{ autoRemove: true, restartPolicy: always }, EngineRefused, /restart/],
    ]
    for (const [patch, kind, text] of rows) {
      const containerUuid = randomUUID()
      const refusal = await bench.create({ containerUuid, ...patch }).catch((error: unknown) => error)
      assert.ok(refusal instanceof kind, `${JSON.stringify(patch)}: ${String(refusal)}`)
      assert.match(refusal.message, text)
      assert.equal(await bench.engine.inspect(containerUuid, soon()), undefined)
    }
  })

  test('a container runs on the cores it is given, also on those it is given later', async (t) => {
    const bench = get()
    const { cpus } = await bench.engine.info(soon())
    const allowed = async (uuid: string): Promise<readonly (string | undefined)[]> => {
      const id = await bench.engine.createExec(
        uuid,
        { command: ['cat', '/proc/self/status'], interactive: false },
        soon(),
      )
      const text = (await bench.engine.runExec(id, 10_000, soon())).output.toString()
      return [/^Cpus_allowed_list:\s*(\S+)/m.exec(text)?.[1], /^Mems_allowed_list:\s*(\S+)/m.exec(text)?.[1]]
    }
    t.diagnostic(`of ${cpus} cores`)
    const last = cpus - 1
    const pinned = await bench.run({ cpuset: { cpus: [last], mems: [0] } })
    assert.deepEqual(await allowed(pinned), [String(last), '0'])
    await bench.engine.update(pinned, { cpuset: { cpus: [0], mems: [0] } }, soon())
    assert.deepEqual(await allowed(pinned), ['0', '0'])
    await bench.engine.restart(pinned, 0, soon())
    assert.deepEqual(await allowed(pinned), ['0', '0'])
    const floating = await bench.run({ cpuset: { cpus: [last], mems: [] } })
    assert.deepEqual((await allowed(floating))[0], String(last))
  })

  test('start makes it run, and a second start changes nothing', async () => {
    const bench = get()
    const uuid = await bench.run()
    const first = await bench.see(uuid)
    assert.equal(first.state, 'running')
    assert.ok(first.startedAtMs)
    assert.equal(first.finishedAtMs, null)
    await bench.engine.start(uuid, soon())
    assert.deepEqual(await bench.see(uuid), first)
  })

  test('a command that does not exist is refused by its name, and the reason stays on the container', async () => {
    const bench = get()
    const uuid = await bench.create({ command: ['/no-such-program'] })
    await assert.rejects(bench.engine.start(uuid, soon()), (error) => {
      assert.ok(error instanceof EngineRefused, String(error))
      assert.match(error.message, /no-such-program/)
      return true
    })
    const seen = await bench.see(uuid)
    assert.equal(seen.state, 'created')
    assert.match(seen.error, /no-such-program/)
  })

  test('a process that ends leaves its exit code and the time', async () => {
    const bench = get()
    // An engine may note the end of a process that ends at once before its start.
    const uuid = await bench.script('sleep 0.2; exit 3')
    const { state, exitCode, startedAtMs, finishedAtMs, oomKilled } = await bench.see(uuid)
    assert.deepEqual({ state, exitCode, oomKilled }, { state: 'exited', exitCode: 3, oomKilled: false })
    assert.ok(startedAtMs !== null && finishedAtMs !== null && finishedAtMs >= startedAtMs)
  })

  test('stop ends the process, keeps the container, and may be repeated', async () => {
    const bench = get()
    const uuid = await bench.run()
    await bench.engine.stop(uuid, 0, soon())
    const stopped = await bench.see(uuid)
    assert.equal(stopped.state, 'exited')
    assert.equal(stopped.exitCode, 137)
    await bench.engine.stop(uuid, 0, soon())
    assert.deepEqual(await bench.see(uuid), stopped)
  })

  test('stop of a container that never ran is a success', async () => {
    const bench = get()
    const uuid = await bench.create()
    await bench.engine.stop(uuid, 0, soon())
    assert.equal((await bench.see(uuid)).state, 'created')
  })

  test('restart moves the time of the start, and starts what was stopped', async () => {
    const bench = get()
    const uuid = await bench.run()
    const before = await bench.see(uuid)
    await bench.engine.restart(uuid, 0, soon())
    const after = await bench.see(uuid)
    assert.equal(after.state, 'running')
    assert.notEqual(after.startedAtMs, before.startedAtMs)
    assert.equal(after.engineId, before.engineId)
    await bench.engine.stop(uuid, 0, soon())
    await bench.engine.restart(uuid, 0, soon())
    assert.equal((await bench.see(uuid)).state, 'running')
  })

  test('pause and unpause, each only where it makes sense', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.run()
    await assert.rejects(engine.unpause(uuid, soon()), EngineConflict)
    await engine.pause(uuid, soon())
    assert.equal((await bench.see(uuid)).state, 'paused')
    await assert.rejects(engine.pause(uuid, soon()), EngineConflict)
    await assert.rejects(engine.start(uuid, soon()), EngineConflict)
    await assert.rejects(engine.createExec(uuid, { command: ['true'], interactive: false }, soon()), EngineConflict)
    await engine.unpause(uuid, soon())
    assert.equal((await bench.see(uuid)).state, 'running')
  })

  test('kill sends the signal that was asked for', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.run()
    await engine.kill(uuid, 'SIGWINCH', soon())
    assert.equal((await bench.see(uuid)).state, 'running')
    await assert.rejects(engine.kill(uuid, 'SIGNONSENSE', soon()), EngineRefused)
    await engine.kill(uuid, null, soon())
    await bench.ended(uuid)
    assert.equal((await bench.see(uuid)).exitCode, 137)
  })

  test('what needs a running container is a conflict on one that does not run', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.create()
    const size = { columns: 80, rows: 24 }
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      pause: () => engine.pause(uuid, soon()),
      unpause: () => engine.unpause(uuid, soon()),
      kill: () => engine.kill(uuid, null, soon()),
      top: () => engine.top(uuid, null, soon()),
      resizeTty: () => engine.resizeTty(uuid, size, soon()),
      createExec: () => engine.createExec(uuid, { command: ['true'], interactive: false }, soon()),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(), (error) => error instanceof EngineConflict, name)
    }
  })

  test('remove spares what runs unless forced, and may be repeated', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.run()
    await assert.rejects(engine.remove(uuid, false, soon()), EngineConflict)
    assert.equal((await bench.see(uuid)).state, 'running')
    await engine.remove(uuid, true, soon())
    assert.equal(await engine.inspect(uuid, soon()), undefined)
    await engine.remove(uuid, true, soon())
    await engine.remove(uuid, false, soon())
  })

  test('every call about a container that is gone says so', async () => {
    const { engine } = get()
    const uuid = randomUUID()
    const size = { columns: 80, rows: 24 }
    const logs = { stdout: true, stderr: true, timestamps: false, tail: null, since: null, maxBytes: 10 }
    const endpoint = { network: 'any', ipv4Address: null, ipv6Address: null, macAddress: null }
    async function* nothing(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(1024)
    }
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      start: () => engine.start(uuid, soon()),
      stop: () => engine.stop(uuid, 0, soon()),
      restart: () => engine.restart(uuid, 0, soon()),
      pause: () => engine.pause(uuid, soon()),
      unpause: () => engine.unpause(uuid, soon()),
      kill: () => engine.kill(uuid, null, soon()),
      update: () => engine.update(uuid, { cpu: 1 }, soon()),
      logs: () => engine.logs(uuid, logs, soon()),
      top: () => engine.top(uuid, null, soon()),
      stats: () => engine.stats(uuid, soon()),
      resizeTty: () => engine.resizeTty(uuid, size, soon()),
      createExec: () => engine.createExec(uuid, { command: ['true'], interactive: false }, soon()),
      getArchive: () => engine.getArchive(uuid, '/', soon()),
      putArchive: () => engine.putArchive(uuid, '/', nothing(), soon()),
      commit: () => engine.commit(uuid, 'zund.test/gone', 'v1', soon()),
      connect: () => engine.connect(uuid, endpoint, soon()),
    }
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(), (error) => error instanceof EngineNotFound, name)
    }
  })

  test('an auto-remove container vanishes when its process ends', async () => {
    const bench = get()
    const uuid = await bench.run({ command: ['true'], autoRemove: true })
    await until('the container is gone', async () => (await bench.engine.inspect(uuid, soon())) === undefined)
    const broken = await bench.create({ command: ['/no/such/program'], autoRemove: true })
    await assert.rejects(bench.engine.start(broken, soon()), EngineRefused)
    await until('one that cannot start goes, too', async () => {
      return (await bench.engine.inspect(broken, soon())) === undefined
    })
  })

  test('the engine restarts by the policy, and counts', async () => {
    const bench = get()
    const uuid = await bench.run({ command: ['false'], restartPolicy: { name: 'on-failure', maximumRetryCount: 1 } })
    const seen = await until('the policy is used up', async () => {
      const now = await bench.see(uuid)
      return now.restartCount === 1 && now.state === 'exited' ? now : undefined
    })
    assert.equal(seen.exitCode, 1)
  })

  test('a list holds our containers, running or not', async () => {
    const bench = get()
    const idle = await bench.create({ generation: 4 })
    const running = await bench.run()
    const listed = new Map((await bench.engine.list(soon())).map((c) => [c.containerUuid, c]))
    assert.deepEqual(listed.get(idle)?.seen, await bench.see(idle))
    assert.equal(listed.get(running)?.seen.state, 'running')
  })

  test('limits can be changed while it runs, within what the engine takes', async () => {
    const bench = get()
    const uuid = await bench.run({ memoryMiB: 64 })
    await bench.engine.update(uuid, { cpu: 0.5, memoryMiB: 32 }, soon())
    assert.equal((await bench.engine.stats(uuid, soon())).memLimitBytes, 32 * 1024 * 1024)
    await bench.engine.update(uuid, { cpu: 0.25 }, soon())
    await assert.rejects(bench.engine.update(uuid, { memoryMiB: 1 }, soon()), EngineRefused)
    assert.equal((await bench.engine.stats(uuid, soon())).memLimitBytes, 32 * 1024 * 1024)
  })

  test('what is mounted is seen inside', async () => {
    const bench = get()
    const uuid = await bench.run({ mounts: [{ source: bench.h.hostPath, destination: '/data/in' }] })
    const { stat, tar } = await bench.engine.getArchive(uuid, '/data/in', soon())
    assert.equal(stat.name, 'in')
    // An archive that is neither read nor left keeps the engine from removing the container.
    await bytesOf(tar)
  })
}
