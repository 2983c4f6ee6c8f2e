/** The image driver of a host against the image service itself, with a real engine. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, beforeEach, test } from 'node:test'
import type { DockerArchives } from '../../src/adapters/docker/docker-archives.ts'
import type { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { ArchiveCache } from '../../src/adapters/image/glance/archive-cache.ts'
import { GlanceImages } from '../../src/adapters/image/glance/glance-images.ts'
import { GlanceService } from '../../src/adapters/image/glance/glance-service.ts'
import { LoadedImages } from '../../src/adapters/image/glance/loaded-images.ts'
import { Glance } from '../../src/adapters/openstack/glance.ts'
import type { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import { Conflict, InvalidInput, UserFault } from '../../src/domain/errors.ts'
import { serviceImageReference } from '../../src/domain/image/service-image.ts'
import type { ImageRequest } from '../../src/orchestration/ports/drivers.ts'
import type { PullPolicy } from '../../src/orchestration/ports/wire.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { cloudSession } from '../support/cloud-session.ts'
import { dockerArchives, dockerEngine, testEngineSocket } from '../support/docker-harness.ts'
import { quietLog } from '../support/quiet-log.ts'
import { CloudUser } from './support/cloud-user.ts'

const o = { signal: AbortSignal.timeout(240_000) }
const NAME = `zund-test-${randomUUID().slice(0, 8)}`

let session: OpenStackSession
let engine: DockerEngine
let archives: DockerArchives
let demo: CloudUser
let other: CloudUser
let directory: string
let images: GlanceImages
let service: GlanceService
let cache: ArchiveCache
let loaded: LoadedImages
const made: string[] = []

before(async () => {
  session = cloudSession()
  engine = dockerEngine(testEngineSocket())
  archives = dockerArchives(testEngineSocket())
  demo = await CloudUser.login('demo')
  other = await CloudUser.login('alt_demo')
  service = new GlanceService(new Glance(session))
})

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zund-images-'))
  cache = new ArchiveCache({ directory, maxBytes: 1e9, maxAgeMs: 3_600_000, clock: systemClock, log: quietLog })
  const glance = new Glance(session)
  loaded = new LoadedImages({ directory, maxAgeMs: 3_600_000, clock: systemClock, log: quietLog, glance, engine })
  images = new GlanceImages({ glance, engine, archives, cache, loaded })
  return () => rmSync(directory, { recursive: true, force: true })
})

after(async () => {
  for (const id of made) {
    await demo.call('image', 'DELETE', `/v2/images/${id}`)
    await engine.removeImage(serviceImageReference(id), o)
  }
  archives.close()
  engine.close()
  session.close()
})

/** An image of the user demo. */
async function upload(data: Buffer, patch: object = {}): Promise<string> {
  const fields = { name: NAME, container_format: 'docker', disk_format: 'raw', visibility: 'private', ...patch }
  const { id } = await demo.post<{ id: string }>('image', '/v2/images', fields)
  made.push(id)
  const answer = await fetch(`${demo.endpoint('image')}/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': demo.token, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(data),
  })
  assert.equal(answer.status, 204)
  return id
}

async function busybox(): Promise<Buffer> {
  return await buffer(await archives.saveImage('busybox:latest', o))
}

function request(imageId: string, imagePullPolicy: PullPolicy | null = null): ImageRequest {
  return {
    spec: { image: NAME, imageDriver: 'glance', imageId, imagePullPolicy },
    projectId: demo.projectId,
    registryDomain: null,
    auth: null,
  }
}

function as(user: CloudUser) {
  return { token: user.token, caller: { projectId: user.projectId }, requestId: `req-${randomUUID()}`, ...o }
}

async function obtain(imageId: string, policy: PullPolicy | null = null): Promise<{ id: string; seen: string[] }> {
  const seen: string[] = []
  const { id } = await images.obtain(request(imageId, policy), ({ detail }) => seen.push(detail), o)
  return { id, seen }
}

function fault(code: string, text: RegExp) {
  return (error: unknown) => error instanceof UserFault && error.code === code && text.test(error.message)
}

test('an image comes from the service into the engine once, under a name that takes none from others', async () => {
  const own = await engine.inspectImage('busybox:latest', o)
  const id = await upload(await busybox())
  assert.equal(await images.find(request(id), o), undefined)
  const all = await Promise.all([obtain(id), obtain(id), obtain(id)])
  assert.deepEqual([...new Set(all.map((one) => one.id))], [own?.id])
  const details = all.flatMap(({ seen }) => seen)
  assert.ok(
    details.some((detail) => /^Downloading image: 100 %$/.test(detail)),
    details.join(),
  )
  const inEngine = await engine.inspectImage(serviceImageReference(id), o)
  assert.equal(inEngine?.id, own?.id)
  assert.deepEqual((await engine.inspectImage('busybox:latest', o))?.repoTags.toSorted(), inEngine?.repoTags.toSorted())
  assert.deepEqual(readdirSync(directory).toSorted(), [`${id}.tar`, `${id}.used`])
  assert.equal((await images.find(request(id), o))?.id, own?.id)
  assert.equal((await images.find(request(id, 'never'), o))?.driver, 'glance')
  // Gone from the engine, it is loaded again from what is kept.
  await engine.removeImage(serviceImageReference(id), o)
  const again = await obtain(id, 'ifnotpresent')
  assert.deepEqual([again.id, again.seen], [own?.id, ['Loading image']])
})

test('an image that is gone from the service is not used with always, and goes on being used with ifnotpresent', async () => {
  const id = await upload(await busybox())
  await obtain(id)
  await demo.delete('image', `/v2/images/${id}`)
  await assert.rejects(obtain(id), fault('image.not_found', new RegExp(`image ${NAME} \\(${id}\\)`)))
  assert.ok(await images.find(request(id, 'ifnotpresent'), o))
  await engine.removeImage(serviceImageReference(id), o)
  await assert.rejects(obtain(id, 'ifnotpresent'), fault('image.not_found', /not in the image service any more/))
  await assert.rejects(obtain(id, 'never'), fault('image.not_present', /pull policy is never/))
})

test('what is no archive, or not for containers, is refused by name and leaves nothing', async () => {
  const text = await upload(Buffer.alloc(100_000, 'text'))
  await assert.rejects(obtain(text), fault('image.not_an_archive', new RegExp(`image ${NAME} \\(${text}\\)`)))
  const bare = await upload(await busybox(), { container_format: 'bare' })
  await assert.rejects(obtain(bare), fault('image.not_usable', /container format is bare/))
  assert.deepEqual(readdirSync(directory), [])
  assert.equal(await engine.inspectImage(serviceImageReference(text), o), undefined)
})

test('an image that is deleted while it comes is told to be gone, and nothing of it stays', async () => {
  const id = await upload(await busybox())
  const glance = new Glance(session)
  const deleting = {
    show: glance.show.bind(glance),
    download: async (imageId: string, options: typeof o): Promise<Readable> => {
      const data = await glance.download(imageId, options)
      await demo.delete('image', `/v2/images/${id}`)
      return Readable.from(
        (async function* () {
          for await (const chunk of data as AsyncIterable<Buffer>) {
            yield chunk.subarray(0, 1_000)
            return
          }
        })(),
      )
    },
  }
  images = new GlanceImages({ glance: deleting, engine, archives, cache, loaded })
  await assert.rejects(obtain(id), fault('image.not_found', new RegExp(id)))
  assert.deepEqual(readdirSync(directory), [])
  assert.equal(await engine.inspectImage(serviceImageReference(id), o), undefined)
})

test('a name means what its asker may see, and only what can be run', async () => {
  const own = `${NAME}-own`
  const id = await upload(await busybox(), { name: own, tags: ['v1'] })
  assert.equal((await service.resolve(own, as(demo))).id, id)
  assert.equal((await service.resolve(id, as(demo))).id, id)
  assert.equal((await service.resolve(`${own}:v1`, as(demo))).id, id)
  const absent = (error: unknown) => error instanceof InvalidInput && error.code === 'image-not-found'
  await assert.rejects(service.resolve(`${own}:v2`, as(demo)), absent)
  for (const text of [own, id]) await assert.rejects(service.resolve(text, as(other)), absent)
  const bare = await upload(Buffer.alloc(10), { name: `${own}-bare`, container_format: 'bare' })
  await assert.rejects(
    service.resolve(`${own}-bare`, as(demo)),
    (error) => absent(error) && error instanceof Error && error.message.includes(bare) && /bare/.test(error.message),
  )
  await demo
    .post('image', '/v2/images', { name: `${own}-empty`, container_format: 'docker', disk_format: 'raw' })
    .then((body) => made.push((body as { id: string }).id))
  await assert.rejects(
    service.resolve(`${own}-empty`, as(demo)),
    (error) => absent(error) && error instanceof Error && /status is queued/.test(error.message),
  )
  const second = await upload(Buffer.alloc(10), { name: own, tags: ['v2'] })
  await assert.rejects(service.resolve(own, as(demo)), Conflict)
  assert.equal((await service.resolve(`${own}:v2`, as(demo))).id, second)
  assert.equal((await service.resolve('busybox', as(other))).id.length, 36)
  const odd = [`${own}: a, bü:`, `${own}: "a", b\\`]
  for (const name of odd) {
    const oddId = await upload(await busybox(), { name })
    assert.equal((await service.resolve(name, as(demo))).id, oddId)
  }
  const names = async (text: string, exact: boolean, user: CloudUser): Promise<string[]> =>
    (await service.search(text, exact, as(user))).map(({ name }) => name ?? '').toSorted()
  assert.deepEqual(await names(own, true, demo), [own, own])
  assert.deepEqual(await names(own, false, demo), [own, own, `${own}-empty`, ...odd].toSorted())
  assert.deepEqual(await names(own, false, other), [])
})
