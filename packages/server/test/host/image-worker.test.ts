import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DockerEngine } from '../../src/adapters/docker/docker-engine.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import type { ImageRecord } from '../../src/orchestration/ports/store.ts'
import * as registries from '../support/registry.ts'
import { until } from '../support/until.ts'

const socket = process.env['ZUND_TEST_ENGINE'] ?? ''
const LIFE = fileURLToPath(new URL('../support/image-host.ts', import.meta.url))
const signal = AbortSignal.timeout(120_000)

let engine: DockerEngine
let registry: registries.TestRegistry
let front: registries.Front
let directory: string
let store: SqlStore
const lives: ChildProcess[] = []
const references: string[] = []

before(async () => {
  assert.notEqual(socket, '', 'ZUND_TEST_ENGINE must name the socket of an engine')
  engine = new DockerEngine({
    socketPath: socket,
    callTimeoutMs: 30_000,
    pullStallMs: 20_000,
    deployment: 'image-worker-test',
    hardening: { pidsLimit: 100, logMaxSize: '1m', logMaxFiles: 1, defaultRuntime: null },
  })
  registry = await registries.start()
})

after(async () => {
  await registry.stop()
  engine.close()
})

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zund-image-worker-'))
  store = new SqlStore(new SqlDatabase(join(directory, 'zund.db')))
  front = await registries.startFront(registry)
})

afterEach(async () => {
  for (const life of lives.splice(0)) await ended(life)
  for (const reference of references.splice(0)) await engine.removeImage(reference, { signal })
  await store.close()
  await front.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A life that ends at the named point, if one is named. */
function begin(killAt = ''): ChildProcess {
  const killFile = join(directory, 'kill-at')
  writeFileSync(killFile, killAt)
  const life = spawn(process.execPath, [LIFE, join(directory, 'zund.db'), directory, socket], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { ...process.env, ZUND_KILL_FILE: killFile },
  })
  lives.push(life)
  return life
}

async function ended(life: ChildProcess): Promise<void> {
  if (life.exitCode !== null || life.signalCode !== null) return
  const exit = new Promise((resolve) => life.once('exit', resolve))
  life.kill('SIGKILL')
  await exit
}

async function insert(repo: string, tag: string): Promise<string> {
  const uuid = randomUUID()
  references.push(`${repo}:${tag}`)
  await store.write((tx) =>
    tx.images.insert({
      uuid,
      imageId: null,
      repo,
      tag,
      sizeBytes: null,
      host: 'host-1',
      projectId: 'p1',
      userId: 'u1',
      pending: 'pull',
      error: null,
    }),
  )
  return uuid
}

const recordOf = async (uuid: string): Promise<ImageRecord | undefined> =>
  await store.images.byUuid(uuid, { kind: 'all' })

async function settled(uuid: string): Promise<ImageRecord | undefined> {
  await until('the record is settled', async () => ((await recordOf(uuid))?.pending ?? null) === null)
  return await recordOf(uuid)
}

async function remove(uuid: string): Promise<void> {
  await store.write((tx) => tx.images.update(uuid, { pending: 'delete', error: null }))
}

test('a pull that a kill interrupted is finished by the next life of the host', async () => {
  const repo = `${front.domain}/team/killed`
  await registry.upload('team/killed', '1', [150_000])
  front.slowDown()
  const uuid = await insert(repo, '1')
  const first = begin()
  await until('a layer is asked for', async () => front.seen.some((line) => line.includes('/blobs/')))
  await ended(first)
  assert.equal((await recordOf(uuid))?.pending, 'pull')
  front.speedUp()
  begin()
  const record = await settled(uuid)
  const image = await engine.inspectImage(`${repo}:1`, { signal })
  assert.equal(record?.imageId, image?.id)
  assert.equal(record?.sizeBytes, image?.sizeBytes)
})

test('killed between the work and its report, the next life reports it', async () => {
  const repo = `${front.domain}/team/unreported`
  await registry.upload('team/unreported', '1')
  const uuid = await insert(repo, '1')
  await exitOf(begin('image:pull:applied'))
  assert.equal((await recordOf(uuid))?.imageId, null)
  const second = begin()
  assert.match((await settled(uuid))?.imageId ?? '', /^sha256:/)
  await ended(second)
  await remove(uuid)
  await exitOf(begin('image:delete:applied'))
  assert.equal((await recordOf(uuid))?.pending, 'delete')
  assert.equal(await engine.inspectImage(`${repo}:1`, { signal }), undefined)
  begin()
  await until('the record is gone', async () => (await recordOf(uuid)) === undefined)
})

test('what the registry does not have ends with its reason, what a container uses is not deleted', async () => {
  await registry.upload('team/used', '1')
  const missing = await insert(`${front.domain}/team/missing`, '1')
  const used = await insert(`${front.domain}/team/used`, '1')
  begin()
  assert.match((await settled(missing))?.error ?? '', /not found/)
  assert.match((await settled(used))?.imageId ?? '', /^sha256:/)
  const name = `zund-image-test-${randomUUID()}`
  await registries.engineCall(
    socket,
    'POST',
    `/containers/create?name=${name}`,
    {},
    { Image: `${front.domain}/team/used:1` },
  )
  try {
    await remove(used)
    assert.match((await settled(used))?.error ?? '', /in use|being used|using/i)
  } finally {
    await registries.engineCall(socket, 'DELETE', `/containers/${name}`)
  }
  await remove(used)
  await until('the record is gone', async () => (await recordOf(used)) === undefined)
  assert.equal(await engine.inspectImage(`${front.domain}/team/used:1`, { signal }), undefined)
})

async function exitOf(life: ChildProcess): Promise<void> {
  if (life.exitCode === null && life.signalCode === null) {
    await once(life, 'exit', { signal })
  }
  assert.equal(life.signalCode, 'SIGKILL')
}
