import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineConflict, EngineNotFound, EngineRefused } from '../../../src/domain/errors.ts'
import { bytesOf, filesIn, pieces, soon, tarOf, type EngineBench } from '../../support/engine-harness.ts'
import { until } from '../../support/until.ts'

export function sessionTests(get: () => EngineBench): void {
  test('logs keep the order of both streams, and give one or the other, the end, or all', async () => {
    const bench = get()
    const pause = 'sleep 0.1'
    const uuid = await bench.script(
      `echo out1; ${pause}; echo err1 >&2; ${pause}; echo out2; ${pause}; echo err2 >&2; ${pause}; echo -n last`,
    )
    assert.equal(await bench.logs(uuid), 'out1\nerr1\nout2\nerr2\nlast')
    assert.equal(await bench.logs(uuid, { stderr: false }), 'out1\nout2\nlast')
    assert.equal(await bench.logs(uuid, { stdout: false }), 'err1\nerr2\n')
    assert.equal(await bench.logs(uuid, { tail: 2 }), 'err2\nlast')
    assert.equal(await bench.logs(uuid, { tail: 0 }), '')
    await assert.rejects(bench.logs(uuid, { stdout: false, stderr: false }), EngineRefused)
  })

  test('lines of a log carry their time when asked, and can be cut by it', async () => {
    const bench = get()
    const uuid = await bench.script('echo early; sleep 1.2; echo late')
    const lines = (await bench.logs(uuid, { timestamps: true })).trimEnd().split('\n')
    const times = lines.map((line) => {
      const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (early|late)$/.exec(line)
      assert.ok(match, line)
      return Date.parse(match[1] ?? '')
    })
    const between = ((times[0] ?? 0) + (times[1] ?? 0)) / 2 / 1000
    assert.equal(await bench.logs(uuid, { since: between }), 'late\n')
    assert.equal(await bench.logs(uuid, { since: between + 3600 }), '')
  })

  test('a log longer than asked for is cut', async () => {
    const bench = get()
    const uuid = await bench.script('echo 0123456789; echo 0123456789')
    const cut = await bench.logs(uuid, { maxBytes: 14 })
    assert.ok(cut.startsWith('0123456789\n012'), cut)
    assert.ok(!cut.startsWith('0123456789\n0123'), cut)
  })

  test('a terminal writes one stream with carriage returns', async () => {
    const bench = get()
    const uuid = await bench.script('echo out; echo err >&2', { tty: true })
    assert.equal(await bench.logs(uuid), 'out\r\nerr\r\n')
    assert.equal(await bench.logs(uuid, { stderr: false }), 'out\r\nerr\r\n')
  })

  test('a container that never ran has an empty log', async () => {
    const bench = get()
    assert.equal(await bench.logs(await bench.create()), '')
  })

  test('an exec gives what it wrote and how it ended', async () => {
    const bench = get()
    const uuid = await bench.run()
    const plain = await bench.exec(uuid, ['sh', '-c', 'echo hello; exit 3'])
    assert.deepEqual(
      { output: plain.output, exitCode: plain.exitCode, truncated: plain.truncated },
      { output: 'hello\n', exitCode: 3, truncated: false },
    )
    assert.match((await bench.exec(uuid, ['sh', '-c', 'echo oops >&2'])).output, /^oops\n$/)
    assert.equal((await bench.exec(uuid, ['echo', 'hi'], true)).output, 'hi\r\n')
    const words = ['a b', '$HOME', '`id`', '; exit 1', '"', "'", '\\', '']
    assert.equal((await bench.exec(uuid, ['echo', ...words])).output, `${words.join(' ')}\n`)
  })

  test('an exec of what does not exist fails inside, not in the call', async () => {
    const bench = get()
    const { exitCode, output } = await bench.exec(await bench.run(), ['/no-such-program'])
    assert.notEqual(exitCode, 0)
    assert.match(output, /no-such-program/)
  })

  test('output of an exec is cut where asked', async () => {
    const bench = get()
    const cut = await bench.exec(await bench.run(), ['echo', '0123456789'], false, 4)
    assert.deepEqual({ output: cut.output, truncated: cut.truncated }, { output: '0123', truncated: true })
  })

  test('an exec of which no more is kept is read to its end, and tells how it ended', async () => {
    const bench = get()
    const cut = await bench.exec(await bench.run(), ['sh', '-c', 'echo 0123456789; sleep 0.2; exit 5'], false, 4)
    assert.deepEqual(
      { output: cut.output, truncated: cut.truncated, exitCode: cut.exitCode },
      { output: '0123', truncated: true, exitCode: 5 },
    )
  })

  test('an exec runs once', async () => {
    const bench = get()
    const { id } = await bench.exec(await bench.run(), ['true'])
    await assert.rejects(bench.engine.runExec(id, 100, soon()), EngineConflict)
    await assert.rejects(bench.engine.runExec('0123456789abcdef', 100, soon()), EngineNotFound)
  })

  test('the terminal of an exec can be resized while it runs', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.run()
    const size = { columns: 100, rows: 40 }
    const id = await engine.createExec(uuid, { command: ['sleep', '3'], interactive: true }, soon())
    await assert.rejects(engine.resizeExec(uuid, id, size, soon()), EngineNotFound)
    const running = engine.runExec(id, 100, soon())
    await until(
      'the exec runs',
      async () =>
        await engine.resizeExec(uuid, id, size, soon()).then(
          () => true,
          () => false,
        ),
    )
    const other = await bench.run()
    await assert.rejects(engine.resizeExec(other, id, size, soon()), EngineNotFound)
    await running
    await assert.rejects(engine.resizeExec(uuid, id, size, soon()), EngineNotFound)
    await assert.rejects(engine.resizeExec(uuid, '0123456789abcdef', size, soon()), EngineNotFound)
  })

  test('top shows the processes, with other columns when asked', async () => {
    const bench = get()
    const uuid = await bench.run()
    const { Titles, Processes } = await bench.engine.top(uuid, null, soon())
    assert.ok(Titles.includes('PID'))
    assert.equal(Processes.length, 1)
    assert.match((Processes[0] ?? []).join(' '), /sleep 1000/)
    assert.ok((await bench.engine.top(uuid, '-o pid,args', soon())).Titles.includes('PID'))
    await assert.rejects(bench.engine.top(uuid, '--no-such-option', soon()), EngineRefused)
  })

  test('stats are numbers, zero where nothing runs', async () => {
    const bench = get()
    const idle = await bench.engine.stats(await bench.create(), soon())
    assert.equal(idle.memUsageBytes, 0)
    const busy = await bench.engine.stats(await bench.run(), soon())
    assert.ok(busy.memUsageBytes > 0 && busy.memLimitBytes >= busy.memUsageBytes)
    assert.ok(busy.cpuSystemNs > busy.previousCpuSystemNs)
    for (const [name, value] of Object.entries(busy)) assert.ok(Number.isFinite(value), name)
  })

  test('the terminal of a running container can be resized', async () => {
    const bench = get()
    await bench.engine.resizeTty(await bench.run({ tty: true }), { columns: 132, rows: 50 }, soon())
  })

  test('files go in and come out again, also where nothing ever ran', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.create()
    const content = 'line\n'.repeat(5_000)
    const tar = await tarOf({ 'a.txt': content, 'sub/b.txt': 'b' })
    await engine.putArchive(uuid, '/tmp', pieces(tar.subarray(0, 700), tar.subarray(700)), soon())
    const one = await engine.getArchive(uuid, '/tmp/a.txt', soon())
    assert.equal(one.stat.name, 'a.txt')
    assert.equal(one.stat.size, content.length)
    assert.deepEqual(await filesIn(one.tar), { 'a.txt': content })
    const all = await engine.getArchive(uuid, '/tmp', soon())
    assert.equal(all.stat.name, 'tmp')
    assert.deepEqual(await filesIn(all.tar), { 'tmp/a.txt': content, 'tmp/sub/b.txt': 'b' })
    await engine.start(uuid, soon())
    assert.equal((await bench.exec(uuid, ['cat', '/tmp/sub/b.txt'])).output, 'b')
  })

  test('an archive that cannot be has its reason', async () => {
    const bench = get()
    const { engine } = bench
    const uuid = await bench.create()
    const tar = await tarOf({ x: 'x' })
    await assert.rejects(engine.getArchive(uuid, '/no/such/path', soon()), EngineNotFound)
    await assert.rejects(engine.putArchive(uuid, '/no/such/path', pieces(tar), soon()), EngineNotFound)
    await assert.rejects(engine.putArchive(uuid, '/bin/sh', pieces(tar), soon()), EngineRefused)
    await assert.rejects(engine.putArchive(uuid, '/tmp', pieces('this is not a tar'), soon()), EngineRefused)
  })

  test('an archive that is not read to its end can be left', async () => {
    const bench = get()
    const uuid = await bench.create()
    await bench.engine.putArchive(uuid, '/tmp', pieces(await tarOf({ big: 'x'.repeat(2_000_000) })), soon())
    const { tar } = await bench.engine.getArchive(uuid, '/tmp/big', soon())
    for await (const chunk of tar) {
      assert.ok(chunk.length > 0)
      break
    }
    assert.equal((await bytesOf((await bench.engine.getArchive(uuid, '/etc/passwd', soon())).tar)).length % 512, 0)
  })
}
