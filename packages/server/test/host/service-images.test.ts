/** Images of an image service come into a real engine, and leave it again. */
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { ArchiveCache } from '../../src/adapters/image/glance/archive-cache.ts'
import { GlanceImages } from '../../src/adapters/image/glance/glance-images.ts'
import { LoadedImages } from '../../src/adapters/image/glance/loaded-images.ts'
import type { GlanceImage } from '../../src/adapters/openstack/glance.ts'
import { EngineNotFound, UserFault } from '../../src/domain/errors.ts'
import { serviceImageReference } from '../../src/domain/image/service-image.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { aCreateRequest } from '../support/builders.ts'
import { dockerArchives, dockerEngine, testEngineSocket } from '../support/docker-harness.ts'
import { bytesOf, pieces, soon, tarOf } from '../support/engine-harness.ts'
import { quietLog as log } from '../support/quiet-log.ts'

const HOUR = 3_600_000
const engine = dockerEngine(testEngineSocket())
const archives = dockerArchives(testEngineSocket())
const directory = mkdtempSync(join(tmpdir(), 'zund-service-images-'))
const id = randomUUID()
const inGlance = new Map<string, Buffer>()
let aheadMs = 0
let images: GlanceImages

before(async () => {
  const made = aCreateRequest()
  const repository = `zund.test/${randomUUID()}`
  await engine.create(made, soon())
  await engine.putArchive(made.containerUuid, '/tmp', pieces(await tarOf({ one: id })), soon())
  // Of its own, so that no other name holds it.
  await engine.commit(made.containerUuid, repository, 'v1', soon())
  inGlance.set(id, await bytesOf(await archives.saveImage(`${repository}:v1`, soon())))
  await engine.remove(made.containerUuid, true, soon())
  await engine.removeImage(`${repository}:v1`, soon())
  const clock = { ...systemClock, now: () => Date.now() + aheadMs }
  const kept = { directory, maxAgeMs: 24 * HOUR, clock, log }
  const glance = { show: async (wanted: string) => shown(wanted), download: async () => Readable.from([dataOf(id)]) }
  const loaded = new LoadedImages({ ...kept, glance, engine })
  const cache = new ArchiveCache({ ...kept, maxBytes: 1e9 })
  images = new GlanceImages({ glance, engine, archives, cache, loaded })
})

after(async () => {
  await engine.removeImage(serviceImageReference(id), soon())
  engine.close()
  archives.close()
  rmSync(directory, { recursive: true, force: true })
})

function dataOf(wanted: string): Buffer {
  return inGlance.get(wanted) ?? assert.fail('the image service has it no more')
}

/** Others on the same engine are those of other tests, which have them still. */
function shown(wanted: string): GlanceImage | undefined {
  if (wanted === id && !inGlance.has(id)) return undefined
  const data = wanted === id ? dataOf(id) : Buffer.alloc(0)
  const checksum = { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') }
  const named = { id: wanted, name: 'box', status: 'active', containerFormat: 'docker', tags: [], fields: {} }
  return { ...named, sizeBytes: data.length, checksum }
}

async function obtain(): Promise<string> {
  const spec = { image: 'box', imageDriver: 'glance', imageId: id, imagePullPolicy: 'ifnotpresent' as const }
  const request = { spec, projectId: 'p', registryDomain: null, auth: null }
  return (await images.obtain(request, () => undefined, soon())).reference
}

async function isThere(): Promise<boolean> {
  return (await engine.inspectImage(serviceImageReference(id), soon())) !== undefined
}

test('an image is there as long as it is needed, comes again when it is wanted again, and goes with what the service has', async () => {
  const container = aCreateRequest({ image: await obtain() })
  await engine.create(container, soon())
  aheadMs += 30 * HOUR
  await images.tidy()
  assert.equal(await isThere(), true, 'a container has it')
  await engine.remove(container.containerUuid, true, soon())
  aheadMs += 30 * HOUR
  await images.tidy()
  assert.equal(await isThere(), false, 'nobody has used it for long')
  // Whoever found it before is told that it is gone, which has the create tried again, with its image.
  await assert.rejects(engine.create(container, soon()), EngineNotFound)
  assert.equal(await obtain(), container.image)
  inGlance.delete(id)
  aheadMs += HOUR
  await images.tidy()
  assert.equal(await isThere(), false, 'the service has it no more')
  await assert.rejects(obtain(), (error) => error instanceof UserFault && error.code === 'image.not_found')
})
