import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { DockerImages } from '../../src/adapters/image/docker-images.ts'
import { PrivateRepositories } from '../../src/adapters/image/private-repositories.ts'
import { CATALOG_DEFAULTS, RegistryCatalog } from '../../src/adapters/image/registry-catalog.ts'
import { RegistryClient } from '../../src/adapters/image/registry-client.ts'
import { RegistryHosts } from '../../src/adapters/image/registry-hosts.ts'
import type { ImageRequest } from '../../src/orchestration/ports/drivers.ts'
import type { RegistryAuth } from '../../src/orchestration/ports/wire.ts'
import * as registries from '../support/registry.ts'

const socket = process.env['ZUND_TEST_ENGINE'] ?? ''
const login = { username: 'ann', password: 'right' }
const signal = AbortSignal.timeout(120_000)

let directory: string
let engine: DockerEngine
let open: registries.TestRegistry
let locked: registries.TestRegistry
let images: DockerImages
let catalog: RegistryCatalog

before(async () => {
  assert.notEqual(socket, '', 'ZUND_TEST_ENGINE must name the socket of an engine')
  directory = mkdtempSync(join(tmpdir(), 'zund-image-catalog-'))
  engine = new DockerEngine({
    socketPath: socket,
    callTimeoutMs: 30_000,
    pullStallMs: 20_000,
    deployment: 'image-catalog-test',
    hardening: { pidsLimit: 100, logMaxSize: '1m', logMaxFiles: 1, defaultRuntime: null },
  })
  ;[open, locked] = await Promise.all([registries.start(), registries.start({ login })])
  await open.upload('team/app', '1')
  await locked.upload('team/app', '1')
  const hosts = new RegistryHosts({ allowed: [], denied: [], allowLoopback: true, allowPrivate: true, plainHttp: [] })
  const registry = new RegistryClient(hosts)
  const defaults = { defaultRegistry: null, defaultAuth: null }
  images = new DockerImages({
    ...defaults,
    engine,
    hosts,
    registry,
    privates: new PrivateRepositories(join(directory, 'private-repositories.json')),
    registryTimeoutMs: 3_000,
  })
  catalog = new RegistryCatalog({
    ...defaults,
    ...CATALOG_DEFAULTS,
    registry,
    gateway: { findImage: (_host, wanted, o) => images.find(wanted, o) },
    upHosts: async () => ['host-1'],
  })
})

after(async () => {
  await Promise.all([open.stop(), locked.stop()])
  engine.close()
  rmSync(directory, { recursive: true, force: true })
})

function request(image: string, policy: 'always' | 'ifnotpresent' | 'never' | null, more: Partial<ImageRequest> = {}) {
  const spec = { image, imageDriver: 'docker', imagePullPolicy: policy }
  return { spec, projectId: 'project-a', registryDomain: null, auth: null, ...more }
}

function auth(password: string): RegistryAuth {
  return { serverAddress: locked.domain, username: login.username, password }
}

async function check(image: string, policy: 'always' | 'ifnotpresent' | 'never' | null, more?: Partial<ImageRequest>) {
  return await catalog.check(request(image, policy, more), null, { signal })
}

test('a registry for everybody says what it has', async () => {
  assert.equal(await check(`${open.domain}/team/app:1`, null), 'exists')
  assert.equal(await check(`${open.domain}/team/app:2`, null), 'absent')
  assert.equal(await check(`${open.domain}/team/none`, null), 'absent')
  const digest = await open.upload('team/byd', '1')
  assert.equal(await check(`${open.domain}/team/byd@${digest}`, null), 'exists')
  assert.equal(await check(`${open.domain}/team/byd@sha256:${'0'.repeat(64)}`, null), 'absent')
})

test('a registry with passwords says it to those who know one', async () => {
  const name = `${locked.domain}/team/app:1`
  assert.equal(await check(name, null, { auth: auth('right') }), 'exists')
  assert.equal(await check(name, null), 'denied')
  assert.equal(await check(name, null, { auth: auth('wrong') }), 'denied')
  assert.equal(await check(`${locked.domain}/team/app:2`, null, { auth: auth('right') }), 'absent')
  assert.equal(await check(`${locked.domain}/team/app:2`, null), 'denied')
})

test('what only the engine has is there by `never` and `ifnotpresent`, not by `always`', async () => {
  assert.equal(await check('busybox', 'never'), 'exists')
  assert.equal(await check('busybox', 'ifnotpresent'), 'exists')
  assert.equal(await check('there-is-no-such-image', 'never'), 'absent')
  const name = `${open.domain}/team/only-here`
  await registries.engineCall(socket, 'POST', `/images/busybox:latest/tag?repo=${encodeURIComponent(name)}&tag=1`)
  try {
    assert.equal(await check(`${name}:1`, 'ifnotpresent'), 'exists')
    assert.equal(await check(`${name}:1`, 'always'), 'absent')
  } finally {
    await engine.removeImage(`${name}:1`, { signal })
  }
})

test("another project's private image is not said to be there", async () => {
  const name = `${locked.domain}/team/app:1`
  await images.obtain(request(name, 'always', { auth: auth('right') }), () => undefined, { signal })
  try {
    assert.equal(await check(name, 'never'), 'exists')
    const stranger = { projectId: 'project-b' }
    assert.equal(await check(name, 'never', stranger), 'absent')
    assert.equal(await check(name, 'ifnotpresent', stranger), 'denied')
  } finally {
    await engine.removeImage(name, { signal })
  }
})

test('a registry that takes the connection and never answers is unknown', async () => {
  const silent: Server = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  try {
    assert.equal(await check(`127.0.0.1:${port}/team/app`, null), 'unknown')
    assert.equal(await check(`127.0.0.1:${port}/team/app`, 'ifnotpresent'), 'unknown')
    assert.equal(await check(`127.0.0.1:${port}/team/app`, 'never'), 'absent')
  } finally {
    silent.close()
  }
})
