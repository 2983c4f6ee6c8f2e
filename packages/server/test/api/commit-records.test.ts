/** What becomes of the record of an image that a commit was to make. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { accept } from '../../src/app/accept.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import type { ClaimedOperation, OperationEnd, SessionRef, StepEntry } from '../../src/orchestration/ports/wire.ts'
import { aContainer } from '../support/builders.ts'
import { appOptions } from '../support/live-api.ts'
import { quietLog } from '../support/quiet-log.ts'

const HOST = 'host1'
const o = { signal: AbortSignal.timeout(60_000) }

let directory: string
let store: SqlStore
let controlPlane: ControlPlaneService
let session: SessionRef
let containerUuid: string
let imageUuid: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zund-commit-records-'))
  store = new SqlStore(new SqlDatabase(join(directory, 'zund.db')))
  controlPlane = new ControlPlaneService({
    moving: appOptions,
    store,
    doorbell: new LocalDoorbell(),
    clock: systemClock,
    log: quietLog,
    leaseTtlMs: 60_000,
    deployment: 'test',
    newUuid: randomUUID,
    registryFor: async () => ({ domain: null, auth: null }),
  })
  const { epoch } = await controlPlane.openSession({ host: HOST, availabilityZone: 'nova' }, o)
  session = { host: HOST, epoch }
  imageUuid = randomUUID()
  const row = await store.write((tx) => tx.containers.insert(aContainer({ host: HOST })))
  containerUuid = row.uuid
  await store.write(async (tx) => {
    await tx.images.insert({
      uuid: imageUuid,
      imageId: null,
      repo: 'zund.local/project/snap',
      tag: '1',
      sizeBytes: null,
      host: HOST,
      projectId: 'project',
      userId: 'user',
      pending: 'commit',
      error: null,
    })
    const params = { repository: 'snap', tag: '1', imageUuid }
    await accept(tx, { container: row, verb: 'commit', params, requestId: 'req-1', userId: 'user' })
  })
})

afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

const recordOf = async () => await store.images.byUuid(imageUuid, { kind: 'all' })

async function finish(entries: StepEntry[], end: OperationEnd): Promise<void> {
  const [op] = await controlPlane.claim({ session, lane: `host:${HOST}`, max: 1, waitMs: 0 }, o)
  const claimed: ClaimedOperation = op ?? assert.fail('nothing to claim')
  await controlPlane.finish({ operationId: claimed.id, fence: claimed.fence, session }, entries, end, o)
}

const DONE: StepEntry[] = [
  { kind: 'started', step: 'commitContainer', mark: null },
  { kind: 'finished', step: 'commitContainer', output: { imageId: 'sha256:1', sizeBytes: 5 } },
]

test('a commit that is done fills the record in', async () => {
  await finish(DONE, { kind: 'succeeded' })
  const record = await recordOf()
  assert.deepEqual([record?.imageId, record?.sizeBytes, record?.pending], ['sha256:1', 5, null])
})

test('deleting the image while its commit runs is not undone by the end of the commit', async () => {
  await store.write((tx) => tx.images.update(imageUuid, { pending: 'delete' }))
  await finish(DONE, { kind: 'succeeded' })
  const record = await recordOf()
  assert.deepEqual([record?.imageId, record?.pending], ['sha256:1', 'delete'])
})

test('a commit that fails or is cancelled leaves no record', async () => {
  await finish([], { kind: 'cancelled', message: 'superseded' })
  assert.equal(await recordOf(), undefined)
})

test('a commit that fails over an older image leaves the record of that one', async () => {
  await store.write((tx) => tx.images.update(imageUuid, { imageId: 'sha256:0', sizeBytes: 4 }))
  await finish([], { kind: 'failed', code: 'engine.failed', message: 'no space left on device', userFault: false })
  const record = await recordOf()
  assert.deepEqual([record?.imageId, record?.sizeBytes, record?.pending], ['sha256:0', 4, null])
})

test('deleting the container takes the record of a commit that has not begun along', async () => {
  await store.write(async (tx) => {
    const container = (await tx.containers.byUuid(containerUuid, { kind: 'all' })) ?? assert.fail('gone')
    await accept(tx, { container, verb: 'delete', params: {}, requestId: 'req-2', userId: 'user' })
  })
  assert.equal(await recordOf(), undefined)
})
