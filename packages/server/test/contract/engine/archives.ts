import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { EngineNotFound, EngineRefused, EngineUnavailable } from '../../../src/domain/errors.ts'
import { bytesOf, filesIn, pieces, soon, tarOf, type EngineBench } from '../../support/engine-harness.ts'

export function archiveTests(get: () => EngineBench): void {
  test('what was saved is loaded again under its name, as the same image with the same files', async () => {
    const bench = get()
    const { engine } = bench
    const { archives } = bench.h
    const reference = `zund.test/${randomUUID()}:v1`
    const uuid = await bench.run()
    await engine.putArchive(uuid, '/tmp', pieces(await tarOf({ made: 'here' })), soon())
    const id = await engine.commit(uuid, reference.split(':')[0] ?? '', 'v1', soon())
    try {
      const saved = await bytesOf(await archives.saveImage(reference, soon()))
      await engine.removeImage(reference, soon())
      assert.equal(await engine.inspectImage(reference, soon()), undefined)
      await archives.loadImage(Readable.from([saved]), soon())
      assert.equal((await engine.inspectImage(reference, soon()))?.id, id)
      const copy = await bench.script('cat /tmp/made', { image: reference })
      assert.equal(await bench.logs(copy), 'here')
      await engine.remove(copy, true, soon())
      // Once more changes nothing.
      await archives.loadImage(Readable.from([saved]), soon())
      assert.equal((await engine.inspectImage(reference, soon()))?.id, id)
    } finally {
      await engine.removeImage(reference, soon())
    }
  })

  test('an archive names its image in manifest.json', async () => {
    const { h } = get()
    const files = await filesIn(await h.archives.saveImage(h.image, soon()))
    const [entry] = JSON.parse(files['manifest.json'] ?? '') as {
      Config: string
      RepoTags: string[]
      Layers: string[]
    }[]
    assert.deepEqual(entry?.RepoTags, [h.image])
    assert.ok(entry.Layers.length > 0)
  })

  test('an image that is not there cannot be saved', async () => {
    await assert.rejects(get().h.archives.saveImage('no-such-image:1', soon()), EngineNotFound)
  })

  test('what is no archive is refused', async () => {
    const { archives } = get().h
    const load = (bytes: Buffer) => archives.loadImage(Readable.from([bytes]), soon())
    await assert.rejects(load(await tarOf({ 'manifest.json': '{"not": "a list"}' })), EngineRefused)
    await assert.rejects(load(await tarOf({ 'manifest.json': '[{"Config": "c.json", "Layers": []}]' })), EngineRefused)
    await assert.rejects(load(Buffer.alloc(4_096, 'x')), EngineRefused)
  })

  test('an archive that breaks off while it is loaded is told as its own error, and nothing is loaded', async () => {
    const { engine, h } = get()
    const reference = `zund.test/${randomUUID()}:v1`
    const whole = await bytesOf(await h.archives.saveImage(h.image, soon()))
    const broken = new Error('the source broke off')
    const half = Readable.from(
      (async function* () {
        yield whole.subarray(0, whole.length / 2)
        throw broken
      })(),
    )
    await assert.rejects(h.archives.loadImage(half, soon()), (error) => error === broken)
    assert.equal(await engine.inspectImage(reference, soon()), undefined)
  })

  test('no answer in time is EngineUnavailable for archives, too', async () => {
    const { hangingArchives } = get().h
    await assert.rejects(hangingArchives.saveImage('busybox:latest', soon()), EngineUnavailable)
    await assert.rejects(hangingArchives.loadImage(Readable.from([Buffer.alloc(1_024)]), soon()), EngineUnavailable)
  })
}
