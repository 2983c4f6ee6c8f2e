/** Which images of the image service leave the engine again, and when. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { EngineUnavailable } from '../../src/domain/errors.ts'
import { serviceImageIn, serviceImageReference } from '../../src/domain/image/service-image.ts'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { VirtualClock } from '../../src/adapters/fake/virtual-clock.ts'
import type { GlanceImage } from '../../src/adapters/openstack/glance.ts'
import { LoadedImages } from '../../src/adapters/image/glance/loaded-images.ts'
import { aCreateRequest } from '../support/builders.ts'
import { quietLog as log } from '../support/quiet-log.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const o = { signal: AbortSignal.timeout(30_000) }
const id = '00000001-0000-4000-8000-000000000000'
const other = '00000002-0000-4000-8000-000000000000'

let directory: string
let now: number
let engine: SimEngine
let inGlance: Map<string, string>
let loaded: LoadedImages

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zund-loaded-'))
  now = Date.UTC(2030, 0, 1)
  engine = new SimEngine({ clock: new VirtualClock() })
  inGlance = new Map([
    [id, 'active'],
    [other, 'active'],
  ])
  loaded = life()
  return () => rmSync(directory, { recursive: true, force: true })
})

/** One of the agent's. */
function life(): LoadedImages {
  return new LoadedImages({
    engine,
    glance: { show: async (wanted) => shown(wanted) },
    directory,
    maxAgeMs: 24 * HOUR,
    clock: { now: () => now, sleep: async () => undefined },
    log,
  })
}

function shown(wanted: string): GlanceImage | undefined {
  const status = inGlance.get(wanted)
  if (status === undefined) return undefined
  const fields = { id: wanted, name: 'box', containerFormat: 'docker', sizeBytes: 1, tags: [], checksum: null }
  return { ...fields, status, fields: {} }
}

/** As a container has it brought; `isToStay`: as a request of its own does. */
async function bring(wanted: string, isToStay = false): Promise<void> {
  await loaded.use(wanted, o)
  if (!isToStay) await loaded.note(wanted)
  engine.images.add(serviceImageReference(wanted))
  if (isToStay) await loaded.forget(wanted)
}

/** What the engine has after a round so much later. */
async function after(ms: number): Promise<readonly string[]> {
  now += ms
  await loaded.collect(o)
  return engine.images.references().flatMap((name) => serviceImageIn(name) ?? [])
}

test('an image that the service has no more goes once nobody is about to use it', async () => {
  await bring(id)
  await bring(other)
  inGlance.delete(id)
  assert.deepEqual(await after(12 * MINUTE), [id, other])
  assert.deepEqual(await after(12 * MINUTE), [other])
  assert.deepEqual(readdirSync(directory), [`${other}.used`])
  inGlance.set(other, 'pending_delete')
  assert.deepEqual(await after(12 * MINUTE), [])
})

test('one that no container has used for long goes, one that was asked for by itself stays', async () => {
  await bring(id)
  await bring(other, true)
  assert.deepEqual(await after(23 * HOUR), [id, other])
  await loaded.use(id, o)
  assert.deepEqual(await after(23 * HOUR), [id, other])
  // Times are those of the disk: another life goes by them.
  loaded = life()
  assert.deepEqual(await after(2 * HOUR), [other])
  inGlance.delete(other)
  assert.deepEqual(await after(HOUR), [])
})

test('asked for by itself afterwards, it stays too', async () => {
  await bring(id)
  await loaded.use(id, o)
  await loaded.forget(id)
  assert.deepEqual(await after(48 * HOUR), [id])
})

test('what a container has stays, and is used until the container is gone', async () => {
  await bring(id)
  const image = serviceImageReference(id)
  const containerUuid = '00000003-0000-4000-8000-000000000000'
  await engine.create(aCreateRequest({ containerUuid, image }), o)
  await bring(other)
  assert.deepEqual(await after(48 * HOUR), [id], 'the others go in the same round')
  await engine.remove(containerUuid, true, o)
  assert.deepEqual(await after(23 * HOUR), [id])
  assert.deepEqual(await after(2 * HOUR), [])
})

test('one that is looked for while a round is under way is not removed from under whoever does', async () => {
  await bring(id)
  inGlance.delete(id)
  now += HOUR
  let used: Promise<void> | undefined
  const held = life()
  const asking = new LoadedImages({
    engine,
    glance: {
      show: async () => {
        used = asking.use(id, o)
        return undefined
      },
    },
    directory,
    maxAgeMs: HOUR * 24,
    clock: { now: () => now, sleep: async () => undefined },
    log,
  })
  await asking.collect(o)
  await used
  assert.ok(engine.images.find(serviceImageReference(id)))
  await held.collect(o)
  assert.equal(engine.images.find(serviceImageReference(id)), undefined)
})

test('while the service or the engine does not answer everything stays, and the next round does it', async () => {
  await bring(id)
  inGlance.delete(id)
  engine.calls.faults.add({ call: 'removeImage', trouble: { kind: 'refuse', error: new EngineUnavailable('away') } })
  assert.deepEqual(await after(HOUR), [id])
  assert.deepEqual(await after(MINUTE), [id], 'rounds are not held all the time')
  assert.deepEqual(await after(HOUR), [])
  // Once more of what is gone, and of notes of what somebody else has removed.
  await bring(other)
  engine.images.remove(serviceImageReference(other))
  await after(HOUR)
  assert.deepEqual(readdirSync(directory), [])
})
