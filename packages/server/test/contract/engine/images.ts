import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { EngineConflict, EngineNotFound, EngineRefused, Retryable } from '../../../src/domain/errors.ts'
import { pieces, soon, tarOf, type EngineBench } from '../../support/engine-harness.ts'

export function imageTests(get: () => EngineBench): void {
  test('an image is found by name and by id, and one that is not there is no error', async () => {
    const { engine, h } = get()
    const found = await engine.inspectImage(h.image, soon())
    assert.ok(found)
    assert.ok(found.repoTags.includes(h.image))
    assert.ok(found.sizeBytes > 0)
    assert.deepEqual(found.command, ['sh'])
    assert.equal((await engine.inspectImage(found.id, soon()))?.id, found.id)
    assert.equal(await engine.inspectImage('no-such-image:1', soon()), undefined)
    assert.equal(await engine.inspectImage(`sha256:${'0'.repeat(64)}`, soon()), undefined)
  })

  test('a commit makes an image of what the container has become', async () => {
    const bench = get()
    const { engine } = bench
    const repository = `zund.test/${randomUUID()}/snap`
    const uuid = await bench.run()
    try {
      await engine.putArchive(uuid, '/tmp', pieces(await tarOf({ made: 'here' })), soon())
      const id = await engine.commit(uuid, repository, 'v1', soon())
      assert.equal((await engine.inspectImage(`${repository}:v1`, soon()))?.id, id)
      assert.equal((await bench.see(uuid)).state, 'running')
      const copy = await bench.script('cat /tmp/made', { image: `${repository}:v1` })
      assert.equal(await bench.logs(copy), 'here')
      await engine.remove(copy, true, soon())
      const again = await engine.commit(uuid, repository, 'v1', soon())
      assert.notEqual(again, id)
      assert.equal((await engine.inspectImage(`${repository}:v1`, soon()))?.id, again)
      await engine.removeImage(id, soon())
    } finally {
      await engine.removeImage(`${repository}:v1`, soon())
    }
    assert.equal(await engine.inspectImage(`${repository}:v1`, soon()), undefined)
    await engine.removeImage(`${repository}:v1`, soon())
  })

  test('images are listed by the path of their names, and the last name of one that a container has is not taken', async () => {
    const bench = get()
    const { engine } = bench
    const path = `zund.test/${randomUUID()}/`
    const names = [`${path}one:latest`, `${path}two:v2`]
    const uuid = await bench.run()
    for (const name of names) {
      const [repository = '', tag = ''] = name.split(':')
      await engine.commit(uuid, repository, tag, soon())
    }
    const user = await bench.create({ image: (await engine.inspectImage(names[0] ?? '', soon()))?.id ?? '' })
    try {
      assert.deepEqual((await engine.imageNames(path, soon())).toSorted(), names)
      assert.deepEqual(await engine.imageNames(`${path}one/`, soon()), [])
      await assert.rejects(engine.removeImage(names[0] ?? '', soon()), EngineConflict)
      await engine.removeImage(names[1] ?? '', soon())
      assert.deepEqual(await engine.imageNames(path, soon()), names.slice(0, 1))
    } finally {
      await engine.remove(user, true, soon())
      for (const name of names) await engine.removeImage(name, soon())
    }
    assert.deepEqual(await engine.imageNames(path, soon()), [])
  })

  test('a commit to a name that is none is refused', async () => {
    const bench = get()
    await assert.rejects(bench.engine.commit(await bench.create(), 'Not A Name', 'v1', soon()), EngineRefused)
  })

  test('an image is made of files, under a name that may be given again', async () => {
    const { engine } = get()
    const reference = `zund.test/${randomUUID()}:1`
    try {
      await engine.importImage(reference, await tarOf({ first: '' }), ['/first'], soon())
      const made = await engine.inspectImage(reference, soon())
      assert.deepEqual([made?.entrypoint, made?.repoTags], [['/first'], [reference]])
      await engine.importImage(reference, await tarOf({ second: '' }), ['/second', 'x'], soon())
      assert.deepEqual((await engine.inspectImage(reference, soon()))?.entrypoint, ['/second', 'x'])
      await engine.removeImage(made?.id ?? '', soon())
    } finally {
      await engine.removeImage(reference, soon())
    }
    await assert.rejects(engine.importImage('Not A Name', await tarOf({}), ['/x'], soon()), EngineRefused)
  })

  test('a pull brings the image and tells how far it is', async () => {
    const { engine, h } = get()
    const seen: string[] = []
    try {
      await engine.pullImage(h.registry.open, null, (p) => seen.push(p.detail), soon())
      assert.ok(await engine.inspectImage(h.registry.open, soon()))
      assert.ok(seen.length > 0)
      for (const detail of seen) assert.match(detail, /\d+ of \d+ layers/)
    } finally {
      await engine.removeImage(h.registry.open, soon())
    }
  })

  test('a pull that cannot be says why, and whether waiting can help', async () => {
    const { engine, h } = get()
    const { missing, locked, unreachable, credentials } = h.registry
    const pull = (reference: string, auth: typeof credentials | null) =>
      engine.pullImage(reference, auth, () => undefined, soon())
    await assert.rejects(pull(missing, null), EngineNotFound)
    await assert.rejects(pull(locked, null), EngineRefused)
    await assert.rejects(pull(locked, { ...credentials, password: 'wrong' }), EngineRefused)
    await assert.rejects(pull(unreachable, null), Retryable)
    try {
      await pull(locked, credentials)
      assert.ok(await engine.inspectImage(locked, soon()))
    } finally {
      await engine.removeImage(locked, soon())
    }
  })
}
