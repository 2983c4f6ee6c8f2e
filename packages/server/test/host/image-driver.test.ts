import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { DockerImages } from '../../src/adapters/image/docker-images.ts'
import { PrivateRepositories } from '../../src/adapters/image/private-repositories.ts'
import { RegistryClient } from '../../src/adapters/image/registry-client.ts'
import { RegistryHosts } from '../../src/adapters/image/registry-hosts.ts'
import { Retryable, UserFault, ZunError } from '../../src/domain/errors.ts'
import type { ImageRequest, LocalImage } from '../../src/orchestration/ports/drivers.ts'
import type { RegistryAuth } from '../../src/orchestration/ports/wire.ts'
import * as registries from '../support/registry.ts'
import { until } from '../support/until.ts'

const socket = process.env['ZUND_TEST_ENGINE'] ?? ''
const login = { username: 'ann', password: 'right pass' }
const signal = AbortSignal.timeout(120_000)

let engine: DockerEngine
let open: registries.TestRegistry
let locked: registries.TestRegistry
let front: registries.Front
let stateDir: string
let images: DockerImages
const pulled = new Set<string>()

before(async () => {
  assert.notEqual(socket, '', 'ZUND_TEST_ENGINE must name the socket of an engine')
  engine = new DockerEngine({
    socketPath: socket,
    callTimeoutMs: 30_000,
    pullStallMs: 20_000,
    deployment: 'image-driver-test',
    hardening: { pidsLimit: 100, logMaxSize: '1m', logMaxFiles: 1, defaultRuntime: null },
  })
  ;[open, locked] = await Promise.all([registries.start(), registries.start({ login })])
  await registries.push(socket, 'busybox:latest', open, 'team/busybox:1')
  await registries.push(socket, 'busybox:latest', locked, 'secret/busybox:1', login)
})

after(async () => {
  await Promise.all([open.stop(), locked.stop()])
  engine.close()
})

beforeEach(async () => {
  front = await registries.startFront(open)
  stateDir = mkdtempSync(join(tmpdir(), 'zund-images-'))
  images = driver()
})

afterEach(async () => {
  // Names that were refused are among them.
  for (const reference of pulled) await engine.removeImage(reference, { signal }).catch(() => undefined)
  pulled.clear()
  await front.stop()
  rmSync(stateDir, { recursive: true, force: true })
})

/** A new life of the driver on the same state directory. */
function driver(): DockerImages {
  const hosts = new RegistryHosts({
    allowed: [],
    denied: ['denied.example'],
    allowLoopback: true,
    allowPrivate: true,
    plainHttp: [],
  })
  return new DockerImages({
    engine,
    hosts,
    registry: new RegistryClient(hosts),
    privates: new PrivateRepositories(join(stateDir, 'private-repositories.json')),
    defaultRegistry: null,
    defaultAuth: null,
    registryTimeoutMs: 3_000,
  })
}

function request(image: string, more: Partial<ImageRequest> & { policy?: 'always' | 'ifnotpresent' | 'never' } = {}) {
  const { policy = null, ...rest } = more
  pulled.add(image)
  return {
    spec: { image, imageDriver: 'docker', imagePullPolicy: policy },
    projectId: 'project-a',
    registryDomain: null,
    auth: null,
    ...rest,
  }
}

function auth(domain: string, password = login.password): RegistryAuth {
  return { serverAddress: domain, username: login.username, password }
}

async function obtain(wanted: ImageRequest, on: DockerImages = images): Promise<LocalImage> {
  return await on.obtain(wanted, () => undefined, { signal })
}

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ZunError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  }
}

const manifests = (): string[] => front.seen.filter((line) => line.startsWith('GET') && line.includes('/manifests/'))

test('an image is pulled by tag and can be inspected by what comes back', async () => {
  const image = await obtain(request(`${front.domain}/team/busybox:1`))
  const found = await engine.inspectImage(image.reference, { signal })
  assert.equal(found?.id, image.id)
  assert.ok(found?.repoTags.includes(`${front.domain}/team/busybox:1`))
  assert.equal(image.driver, 'docker')
})

test('an image is pulled by digest, also when its tag has moved on', async () => {
  const digest = await open.upload('team/moving', 'v1')
  await open.upload('team/moving', 'v1')
  const reference = `${front.domain}/team/moving@${digest}`
  const image = await obtain(request(reference))
  assert.ok((await engine.inspectImage(image.id, { signal }))?.repoDigests.includes(reference))
})

test('without a tag `latest` is meant, and a short name gets the domain of the registry it is asked from', async () => {
  await open.upload('plain', 'latest')
  const image = await obtain(request('plain', { registryDomain: front.domain }))
  pulled.add(`${front.domain}/plain:latest`)
  assert.equal((await engine.inspectImage(`${front.domain}/plain:latest`, { signal }))?.id, image.id)
})

test('`always` sees a moved tag, `ifnotpresent` keeps what is there, `never` does not ask anybody', async () => {
  const name = `${front.domain}/team/moved:1`
  await open.upload('team/moved', '1')
  await assert.rejects(obtain(request(name, { policy: 'never' })), failsWith('image.not_present'))
  assert.equal(front.seen.length, 0)
  const first = await obtain(request(name, { policy: 'ifnotpresent' }))
  pulled.add(first.id)
  await open.upload('team/moved', '1')
  const asked = front.seen.length
  assert.equal((await obtain(request(name, { policy: 'ifnotpresent' }))).id, first.id)
  assert.equal((await obtain(request(name, { policy: 'never' }))).id, first.id)
  assert.equal(front.seen.length, asked)
  assert.equal(await images.find(request(name), { signal }), undefined)
  assert.notEqual((await obtain(request(name))).id, first.id)
})

test('what the registry does not have, and what it does not give, are faults of the user', async () => {
  await assert.rejects(obtain(request(`${front.domain}/team/nothing:1`)), failsWith('image.not_found'))
  await assert.rejects(obtain(request(`${front.domain}/team/busybox:nothing`)), failsWith('image.not_found'))
  const secret = `${locked.domain}/secret/busybox:1`
  await assert.rejects(obtain(request(secret)), failsWith('image.access_denied'))
  const wrong = request(secret, { auth: auth(locked.domain, 'wrong') })
  await assert.rejects(obtain(wrong), failsWith('image.access_denied'))
  assert.ok((await obtain(request(secret, { auth: auth(locked.domain) }))).id.startsWith('sha256:'))
})

test('credentials are sent to their own registry only', async () => {
  const secret = `${locked.domain}/secret/busybox:1`
  await assert.rejects(obtain(request(secret, { auth: auth('elsewhere.example') })), failsWith('image.access_denied'))
  await assert.rejects(obtain(request(secret, { auth: auth('127.0.0.1:1') })), failsWith('image.access_denied'))
})

test('a registry that is away is worth another try', async () => {
  await assert.rejects(obtain(request('127.0.0.1:1/team/x:1')), (error) => error instanceof Retryable)
})

test('registries that the operator or reason forbids are not asked', async () => {
  for (const name of ['denied.example/x', '169.254.169.254/x', '[fe80::1]:5000/x', '0.0.0.0:5000/x', '0/x/y']) {
    await assert.rejects(obtain(request(name)), (error) => error instanceof UserFault || error instanceof Retryable)
  }
  await assert.rejects(obtain(request('169.254.169.254/x')), failsWith('image.access_denied'))
  await assert.rejects(obtain(request('denied.example/x')), failsWith('image.access_denied'))
})

test('one pull is shared by all who wait for it, and each hears how far it is', async () => {
  const name = `${front.domain}/team/shared:1`
  await open.upload('team/shared', '1', [300_000, 300_000])
  front.slowDown()
  const heard = [new Set<string>(), new Set<string>(), new Set<string>()]
  const waiting = heard.map((texts, i) =>
    images.obtain(request(name, { projectId: `project-${i}` }), (p) => texts.add(p.detail), { signal }),
  )
  await until('a layer is asked for', async () => front.seen.some((line) => line.includes('/blobs/')))
  front.speedUp()
  const ids = new Set((await Promise.all(waiting)).map((image) => image.id))
  assert.equal(ids.size, 1)
  assert.equal(manifests().length, 1)
  for (const texts of heard) assert.ok(texts.has('Pulling image: 2 of 2 layers, 100 %'), [...texts].join('; '))
})

test('a waiter that gives up leaves the others alone, the last one stops the pull', async () => {
  const name = `${front.domain}/team/left:1`
  await open.upload('team/left', '1', [200_000])
  front.slowDown()
  const first = new AbortController()
  const second = new AbortController()
  const told = { one: false, two: false }
  const one = images.obtain(request(name), () => (told.one = true), { signal: first.signal })
  const two = images.obtain(request(name), () => (told.two = true), { signal: second.signal })
  const isLayerAsked = (): boolean => front.seen.some((line) => line.includes('/team/left/blobs/'))
  await until('both wait for the layer', async () => told.one && told.two && isLayerAsked())
  first.abort(new Error('not any more'))
  await assert.rejects(one, /not any more/)
  assert.equal(front.brokenOff, 0)
  second.abort(new Error('me neither'))
  await assert.rejects(two, /me neither/)
  await until('the layer is given up', async () => front.brokenOff > 0)
  front.speedUp()
  // A new wish begins anew.
  assert.ok((await obtain(request(name))).id.startsWith('sha256:'))
})

test("a project's snapshot goes before everything else and is nobody else's", async () => {
  const snapshot = 'zund.local/project-a/team/snap:1'
  await registries.engineCall(socket, 'POST', '/images/busybox:latest/tag?repo=zund.local/project-a/team/snap&tag=1')
  pulled.add(snapshot)
  const busybox = await engine.inspectImage('busybox:latest', { signal })
  for (const policy of ['always', 'ifnotpresent', 'never'] as const) {
    assert.equal((await obtain(request('team/snap:1', { policy }))).id, busybox?.id)
    assert.equal((await obtain(request(snapshot, { policy }))).id, busybox?.id)
  }
  for (const name of [
    'team/snap:1',
    snapshot,
    snapshot.toUpperCase().toLowerCase(),
    'ZUND.local/project-a/team/snap:1',
  ]) {
    const stranger = request(name, { policy: 'never', projectId: 'project-b' })
    assert.equal(await images.find(stranger, { signal }), undefined, name)
    await assert.rejects(obtain(stranger), (error) => error instanceof UserFault, name)
  }
  const sneaking = [
    request('project-a/team/snap:1', { projectId: 'project-b', policy: 'never', registryDomain: 'zund.local' }),
    request('team/snap:1', { projectId: 'project-b', policy: 'never', registryDomain: 'zund.local/project-a' }),
  ]
  for (const wanted of sneaking) assert.equal(await images.find(wanted, { signal }), undefined)
  await assert.rejects(obtain(request(snapshot, { projectId: 'project-b' })), failsWith('image.not_found'))
})

test('an image is not found by its id', async () => {
  const busybox = await engine.inspectImage('busybox:latest', { signal })
  const hex = busybox?.id.slice('sha256:'.length) ?? ''
  for (const name of [
    `sha256:${hex}`,
    `sha256:${hex.slice(0, 12)}`,
    `docker.io/sha256:${hex.slice(0, 12)}`,
    hex.slice(0, 12),
  ]) {
    assert.equal(await images.find(request(name, { policy: 'never' }), { signal }), undefined, name)
    pulled.delete(name)
  }
})

test('a private image on the host is given only to projects that have shown access to it', async () => {
  const name = `${locked.domain}/secret/busybox:1`
  const own = await obtain(request(name, { auth: auth(locked.domain) }))
  const digest =
    (await engine.inspectImage(name, { signal }))?.repoDigests.find((d) => d.startsWith(locked.domain)) ?? ''
  assert.notEqual(digest, '')
  for (const life of [images, driver()]) {
    for (const reference of [name, digest]) {
      for (const policy of ['ifnotpresent', 'never'] as const) {
        const stranger = request(reference, { policy, projectId: 'project-b' })
        assert.equal(await life.find(stranger, { signal }), undefined)
        const code = policy === 'never' ? 'image.not_present' : 'image.access_denied'
        await assert.rejects(obtain(stranger, life), failsWith(code))
        const wrong = { ...stranger, auth: auth(locked.domain, 'wrong') }
        await assert.rejects(obtain(wrong, life), failsWith(code))
        assert.equal((await obtain(request(reference, { policy }), life)).id, own.id)
      }
    }
  }
  for (const policy of ['ifnotpresent', 'never'] as const) {
    const friend = request(name, { policy, projectId: `friend-${policy}`, auth: auth(locked.domain) })
    assert.equal((await obtain(friend)).id, own.id)
    assert.equal((await obtain({ ...friend, auth: null })).id, own.id)
  }
})

test('credentials for what everybody may have take it from nobody', async () => {
  const name = `${front.domain}/team/busybox:1`
  await obtain(request(name, { auth: auth(front.domain) }))
  assert.ok((await images.find(request(name, { policy: 'never', projectId: 'project-b' }), { signal })) !== undefined)
})

test('bad credentials for a private name do not take a local image from the others', async () => {
  const name = `${locked.domain}/secret/local:1`
  await registries.engineCall(
    socket,
    'POST',
    `/images/busybox:latest/tag?repo=${encodeURIComponent(`${locked.domain}/secret/local`)}&tag=1`,
  )
  const stranger = request(name, { policy: 'never', projectId: 'project-b' })
  assert.ok((await images.find(stranger, { signal })) !== undefined)
  const wrong = request(name, { auth: auth(locked.domain, 'wrong') })
  await assert.rejects(obtain(wrong), failsWith('image.access_denied'))
  assert.ok((await images.find(stranger, { signal })) !== undefined)
  assert.ok((await driver().find(stranger, { signal })) !== undefined)
})
