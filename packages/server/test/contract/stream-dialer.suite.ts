/** The contract of the port StreamDialer, for any adapter of it: what a user of the API sees of a host's streams. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { SimStreams } from '../../src/adapters/fake/sim-streams.ts'
import type { StreamDialer } from '../../src/app/ports/stream-dialer.ts'
import { EngineNotFound, EngineRefused, Unavailable } from '../../src/domain/errors.ts'
import { outputFrame, STDOUT } from '../../src/lib/output-frames.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import type { EngineStreams, StatsSample } from '../../src/orchestration/ports/engine.ts'
import { aCreateRequest } from '../support/builders.ts'
import { bytesOf, filesIn, soon, tarOf } from '../support/engine-harness.ts'
import { until } from '../support/until.ts'

export const HOST = 'host-1'

export interface DialerHarness {
  readonly dialer: StreamDialer
  close(): Promise<void>
}

const REQUEST = { stdout: true, stderr: true, timestamps: false, tail: null, since: null }

export function streamDialerSuite(name: string, open: (engine: EngineStreams) => Promise<DialerHarness>): void {
  describe(name, () => {
    const engine = new SimEngine({ clock: systemClock })
    let harness: DialerHarness
    let dialer: StreamDialer
    let uuid = ''
    before(async () => {
      engine.images.add('busybox:latest', { command: ['sh'] })
      harness = await open(new SimStreams(engine))
      dialer = harness.dialer
      const request = aCreateRequest({
        image: 'busybox:latest',
        command: ['sh', '-c', 'echo out; echo err >&2; serve'],
      })
      uuid = request.containerUuid
      await engine.create(request, soon())
      await engine.start(uuid, soon())
    })
    after(async () => {
      for (const { uuid: one } of engine.world().containers) await engine.remove(one, true, soon())
      await harness.close()
    })

    test('a program is talked to, its input ends, and it tells its exit code', async () => {
      const program = await dialer.attach(HOST, uuid, soon())
      assert.equal(program.tty, true)
      await program.resize({ columns: 80, rows: 24 }, soon())
      program.bytes.write('hello ')
      program.bytes.end('you')
      assert.equal((await bytesOf(program.bytes as AsyncIterable<Buffer>)).toString(), 'hello you')
      assert.equal(await program.exitCode(soon()), 0)
    })

    test('a program that is left is let go', async () => {
      const leave = new AbortController()
      const request = aCreateRequest({ image: 'busybox:latest', command: ['serve'] })
      await engine.create(request, soon())
      await engine.start(request.containerUuid, soon())
      const execId = await engine.createExec(request.containerUuid, { command: ['sh'], interactive: true }, soon())
      const { bytes } = await dialer.exec(HOST, execId, { signal: leave.signal })
      bytes.on('error', () => undefined).destroy()
      await until('it is closed', async () => bytes.closed)
    })

    test('a log comes while it is written, in frames, and ends with its container', async () => {
      const request = aCreateRequest({
        image: 'busybox:latest',
        command: ['sh', '-c', 'echo out; sleep 0.2; echo end'],
      })
      await engine.create(request, soon())
      await engine.start(request.containerUuid, soon())
      const { tty, bytes } = await dialer.logs(HOST, request.containerUuid, REQUEST, soon())
      assert.equal(tty, false)
      const text = (await bytesOf(bytes as AsyncIterable<Buffer>)).toString()
      const frames = ['out\n', 'end\n'].map((line) => outputFrame(STDOUT, Buffer.from(line)))
      assert.equal(text, Buffer.concat(frames).toString())
    })

    test('figures are objects, one after the other', async () => {
      const stats = await dialer.stats(HOST, uuid, soon())
      let seen = 0
      for await (const { memLimitBytes } of stats as AsyncIterable<StatsSample>) {
        assert.ok(memLimitBytes > 0)
        if ((seen += 1) === 2) break
      }
    })

    test('files go in and come out', async () => {
      const files = { big: 'x'.repeat(3_000_000), small: 'y' }
      const tar = await tarOf(files)
      await dialer.putArchive(HOST, uuid, '/tmp', () => Readable.from([tar.subarray(0, 5), tar.subarray(5)]), soon())
      const { stat, tar: back } = await dialer.getArchive(HOST, uuid, '/tmp/big', soon())
      assert.deepEqual([stat.name, stat.size], ['big', 3_000_000])
      assert.equal((await filesIn(back as AsyncIterable<Buffer>))['big'], files.big)
    })

    test('what is wrong has its class, and an upload is not begun for it', async () => {
      let begun = 0
      const begin = (): Readable => {
        begun += 1
        return Readable.from([Buffer.from('no tar')])
      }
      const none = '00000000-0000-4000-8000-000000000000'
      await assert.rejects(dialer.logs(HOST, none, REQUEST, soon()), EngineNotFound)
      await assert.rejects(dialer.getArchive(HOST, uuid, '/none', soon()), EngineNotFound)
      await assert.rejects(dialer.putArchive(HOST, uuid, '/none', begin, soon()), EngineNotFound)
      assert.equal(begun, 0)
      await assert.rejects(dialer.putArchive(HOST, uuid, '/tmp', begin, soon()), EngineRefused)
      await assert.rejects(dialer.attach('elsewhere', uuid, soon()), Unavailable)
    })

    test('a stream is destroyed when its signal is aborted later', async () => {
      const leave = new AbortController()
      const { bytes } = await dialer.logs(HOST, uuid, REQUEST, { signal: leave.signal })
      await once(bytes, 'data')
      bytes.on('error', () => undefined)
      leave.abort()
      await until('it is destroyed', async () => bytes.destroyed)
    })
  })
}
