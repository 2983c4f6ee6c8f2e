/** Whatever was killed when: the events are what happened, no more and no less. */
import assert from 'node:assert/strict'
import type { PastOperation } from '../../src/orchestration/ports/history.ts'
import type { World } from './world.ts'

interface Told {
  readonly type: string
  readonly uuid: string
  readonly details: Readonly<Record<string, string | null>>
}

export async function assertTold(world: World): Promise<void> {
  const told = (await world.store.events.after(0, 1_000_000)).map(
    ({ type, uuid, details }): Told => ({
      type,
      uuid,
      details: JSON.parse(details) as Told['details'],
    }),
  )
  await assertStatuses(world, told)
  await assertActions(world, told)
  await assertSteps(world, told)
  await assertImages(world, told)
}

/** Who has heard everything knows what is there, and each change began where the one before it ended. */
async function assertStatuses({ database }: World, told: readonly Told[]): Promise<void> {
  const statuses = new Map<string, string | null | undefined>()
  for (const { type, uuid, details } of told) {
    const [family, what] = type.split('.')
    if (family === 'action' || family === 'image') continue
    if (what === 'created') {
      assert.ok(!statuses.has(uuid), `${uuid} was created twice`)
      statuses.set(uuid, details['status'])
    } else if (what === 'status_changed') {
      assert.equal(details['previous_status'], statuses.get(uuid), `a change of ${uuid} was not told`)
      statuses.set(uuid, details['status'])
    } else {
      assert.equal(details['status'], statuses.get(uuid), `a change of ${uuid} was not told`)
      statuses.delete(uuid)
    }
  }
  const rows = await database.read.selectFrom('container').select(['uuid', 'status']).execute()
  assert.deepEqual(
    Object.fromEntries(statuses),
    Object.fromEntries(rows.map(({ uuid, status }) => [uuid, status])),
    'what was told is not what is there',
  )
}

/** The end of each action is told once. */
async function assertActions({ database: { read } }: World, told: readonly Told[]): Promise<void> {
  const rows = await read
    .selectFrom('operation')
    .select(['request_id', 'verb', 'state'])
    .where('recorded', '=', 1)
    .where('finished_at', 'is not', null)
    .execute()
  const past = (await read.selectFrom('container_history').select('operations').execute()).flatMap(
    ({ operations }) => JSON.parse(operations) as PastOperation[],
  )
  const ended = [
    ...rows.map((row) => `${row.request_id} ${row.verb} ${row.state}`),
    ...past.map(({ requestId, verb, state }) => `${requestId} ${verb} ${state}`),
  ]
  const heard = told
    .filter(({ type, details }) => type === 'action.finished' && details['action'] !== 'resize')
    .map(({ details }) => `${details['request_id']} ${details['action']} ${details['state']}`)
  assert.deepEqual(heard.toSorted(), ended.toSorted(), 'ends of actions')
}

/** What the journal has was told; what another host has taken over is no more in it. */
async function assertSteps({ database: { read } }: World, told: readonly Told[]): Promise<void> {
  const steps = await read
    .selectFrom('step')
    .innerJoin('operation', 'operation.id', 'step.operation_id')
    .select(['operation.request_id', 'operation.verb', 'step.name', 'step.state'])
    .execute()
  const heard = new Set(
    told
      .filter(({ type }) => type === 'action.step')
      .map(({ details: d }) => `${d['request_id']} ${d['action']} ${d['step']} ${d['state']}`),
  )
  for (const { request_id: request, verb, name, state } of steps) {
    assert.ok(heard.has(`${request} ${verb} ${name} ${state}`), `${verb}: ${name} ${state} was not told`)
  }
}

/** Who has heard everything knows which images are kept, and what they mean. */
async function assertImages({ database: { read } }: World, told: readonly Told[]): Promise<void> {
  const heard = new Map<string, string | null>()
  for (const { type, uuid, details } of told) {
    if (type === 'image.created') heard.set(uuid, null)
    if (type === 'image.stored') heard.set(uuid, details['image_id'] ?? null)
    if (type === 'image.deleted') heard.delete(uuid)
  }
  const rows = await read.selectFrom('image').select(['uuid', 'image_id']).execute()
  assert.deepEqual(
    Object.fromEntries(heard),
    Object.fromEntries(rows.map((row) => [row.uuid, row.image_id])),
    'images that were told of',
  )
}
