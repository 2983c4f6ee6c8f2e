/** Placement's answers that a real one does not give when asked to. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { PlacementCandidates } from '../../src/adapters/openstack/placement/candidates.ts'
import { PlacementClaims } from '../../src/adapters/openstack/placement/claims.ts'
import { PlacementClient } from '../../src/adapters/openstack/placement/client.ts'
import { ResourceReport } from '../../src/adapters/openstack/placement/report.ts'
import { OpenStackSession } from '../../src/adapters/openstack/session.ts'
import { HostLacks, Retryable } from '../../src/domain/errors.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import type { Clock } from '../../src/orchestration/ports/clock.ts'
import { anInventory } from '../support/builders.ts'
import { FakeCloud, type Reply } from '../support/fake-cloud.ts'
import { quietLog } from '../support/quiet-log.ts'

const o = { signal: AbortSignal.timeout(60_000) }
const CLAIM = { provider: 'rp', projectId: 'p', userId: 'u', cpu: 0.5, memoryMiB: 0, diskGiB: 0 }
/** Nobody has to wait. */
const clock: Clock = { now: () => systemClock.now(), sleep: async () => undefined }

let cloud: FakeCloud
let session: OpenStackSession
let client: PlacementClient
let claims: PlacementClaims

beforeEach(async () => {
  cloud = await FakeCloud.start()
  const nobody = { id: null, name: null }
  session = new OpenStackSession({
    authUrl: cloud.authUrl,
    credentials: {
      kind: 'password',
      userId: 'zun',
      userName: null,
      userDomain: nobody,
      password: 'p',
      scope: { kind: 'project', id: 'service', name: null, domain: nobody },
    },
    tls: { current: { insecure: false } },
    services: {},
    timeoutMs: 10_000,
    clock: systemClock,
    log: quietLog,
  })
  client = new PlacementClient(session)
  claims = new PlacementClaims(client, clock)
})

afterEach(async () => {
  session.close()
  await cloud.close()
})

const refusal = (status: number, code: string, detail: string): Reply => ({
  status,
  json: { errors: [{ status, title: 'refused', detail, code }] },
})
const CONFLICT = refusal(409, 'placement.concurrent_update', 'generation')

/** Answers writes with these, one after another, and the last one for ever. */
function writesAnswer(...replies: readonly Reply[]): () => number {
  let written = 0
  cloud.answer = ({ method }) => {
    if (method === 'GET') return { status: 200, json: { allocations: {}, traits: [], resource_provider_generation: 1 } }
    written += 1
    return replies[Math.min(written, replies.length) - 1]
  }
  return () => written
}

test('a write that came between others is made anew from what is there now; for ever it is not', async () => {
  const written = writesAnswer(CONFLICT, CONFLICT, { status: 204 })
  await claims.hold('c', CLAIM, o)
  assert.equal(written(), 3)
  assert.deepEqual(JSON.parse(cloud.asked.at(-1)?.body ?? ''), {
    allocations: { rp: { resources: { VCPU: 1, MEMORY_MB: 1 } } },
    project_id: 'p',
    user_id: 'u',
    consumer_generation: null,
  })
  writesAnswer(CONFLICT)
  await assert.rejects(claims.hold('c', CLAIM, o), (error: Error) => error instanceof Retryable)
  // Of old versions of the API no code says why.
  writesAnswer({ status: 409, json: { errors: [{ title: 'Conflict' }] } }, { status: 200, json: {} })
  await claims.markDisabled('rp', true, o)
})

test('a host without room is one thing, a Placement that is away or does not know the host another', async () => {
  writesAnswer(refusal(409, 'placement.undefined_code', 'would exceed the capacity'))
  await assert.rejects(claims.hold('c', CLAIM, o), (error: Error) => {
    return error instanceof HostLacks && /gives it no room on the host: would exceed the capacity/.test(error.message)
  })
  for (const reply of [
    refusal(400, 'placement.undefined_code', 'no such provider'),
    refusal(503, '', ''),
    'cut',
  ] as const) {
    writesAnswer(reply)
    await assert.rejects(claims.hold('c', CLAIM, o), (error: Error) => error instanceof Retryable)
  }
})

test('what cannot be asked has no answer, and a caller who gives up gets none either', async () => {
  const candidates = new PlacementCandidates({ client, claims, log: quietLog, maxResults: 5 })
  const query = { cpu: 1, memoryMiB: 512, diskGiB: 2, provider: 'rp', requestId: 'req-1' }
  writesAnswer({ status: 204 })
  await candidates.find(query, o)
  const { query: sent } = cloud.asked.at(-1) ?? assert.fail()
  assert.equal(
    sent.toString(),
    'in_tree=rp&limit=5&required=%21CUSTOM_ZUN_COMPUTE_STATUS_DISABLED&resources=DISK_GB%3A2%2CMEMORY_MB%3A512%2CVCPU%3A1',
  )
  for (const reply of [{ status: 500 }, { status: 403 }, 'cut'] as const) {
    cloud.answer = () => reply
    assert.equal(await candidates.find(query, o), undefined)
  }
  const gone = AbortSignal.abort(new Error('enough'))
  await assert.rejects(candidates.find(query, { signal: gone }), /enough/)
})

test('a host says what it has whether or not Placement can be told, and keeps the provider it had', async () => {
  const report = new ResourceReport({
    client,
    clock,
    log: quietLog,
    host: 'h1',
    sharedNames: undefined,
    ratios: { cpu: 0, ram: 0, disk: 0 },
    reservedForImages: 0.2,
  })
  const has = anInventory()
  cloud.answer = () => 'cut'
  assert.deepEqual(await report.told('rp', has, o.signal), has)
  cloud.answer = ({ path }) => ({
    status: 200,
    json: path.endsWith('/resource_providers')
      ? { resource_providers: [{ uuid: 'rp', name: 'h1' }] }
      : { inventories: {}, resource_provider_generation: 3 },
  })
  assert.deepEqual((await report.told('rp', has, o.signal)).resourceProvider, { uuid: 'rp', isShared: false })
  cloud.answer = () => ({ status: 503 })
  assert.deepEqual((await report.told('rp', has, o.signal)).resourceProvider, { uuid: 'rp', isShared: false })
  cloud.answer = () => ({ status: 200, json: ['nonsense'] })
  assert.deepEqual((await report.told('rp', has, o.signal)).resourceProvider, { uuid: 'rp', isShared: false })
})
