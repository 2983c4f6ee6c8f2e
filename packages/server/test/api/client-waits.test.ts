/** clients 2 and 6: what clients see while they wait for what they asked for. */
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { SpecApi } from '../support/spec-api.ts'

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ quietHost: false })
})
after(() => api.stop())
afterEach(() => api.machine.clearContainers())

interface Shown {
  readonly uuid: string
  readonly status: string
}

async function statusOf(uuid: string, minor: number): Promise<string> {
  const { status, body, title } = await api.ask(`GET /v1/containers/${uuid}`, { minor })
  assert.equal(status, 200, title)
  return (body as Shown).status
}

/** The next call of this kind waits; `reached` is when it has come to it. */
function hold(call: 'create' | 'start'): { readonly reached: Promise<void>; readonly release: () => void } {
  const reached = Promise.withResolvers<void>()
  const until = Promise.withResolvers<void>()
  const trouble = { kind: 'hold' as const, until: until.promise, reached: () => reached.resolve() }
  api.machine.engine.calls.faults.add({ call, trouble })
  return { reached: reached.promise, release: () => until.resolve() }
}

test('Heat: on its way to Running a container is Creating or Created, since it fails at any other status', async () => {
  const minor = 12
  const create = hold('create')
  const start = hold('start')
  const made = await api.ask('POST /v1/containers?run=true', {
    minor,
    body: { image: 'busybox', memory: 64, command: '"serve"' },
  })
  const { uuid, status } = made.body as Shown
  const seen = [status, await statusOf(uuid, minor)]
  await create.reached
  seen.push(await statusOf(uuid, minor))
  create.release()
  await start.reached
  seen.push(await statusOf(uuid, minor))
  for (const one of seen) assert.ok(['Creating', 'Created'].includes(one), seen.join(', '))
  start.release()
  await api.machine.settled()
  assert.equal(await statusOf(uuid, minor), 'Running')
})

test('Heat: a command that has ended is Stopped', async () => {
  const made = await api.ask('POST /v1/containers?run=true', {
    minor: 12,
    body: { image: 'busybox', memory: 64, command: '"echo" "done"' },
  })
  const { uuid } = made.body as Shown
  await api.machine.settled()
  await api.machine.agreed()
  assert.equal(await statusOf(uuid, 12), 'Stopped')
})

test('tempest: an image and nothing else is enough to run, in its oldest and newest versions', async () => {
  for (const minor of [1, 20, 40]) {
    const made = await api.ask('POST /v1/containers/?run=true', { minor, body: { image: 'nginx' } })
    assert.equal(made.status, 202, made.title)
    await api.machine.settled()
    assert.equal(await statusOf((made.body as Shown).uuid, minor), 'Running')
  }
})

test('tempest: what an admin deletes among all projects is gone from its user’s list', async () => {
  const minor = 20
  const made = await api.made({ command: ['serve'] }, { minor })
  const kept = await api.made({}, { minor })
  await api.machine.settled()
  await api.ask(`POST /v1/containers//${made.uuid}/start`, { minor })
  await api.machine.settled()
  const all = await api.ask('GET /v1/containers/?all_projects=True', { as: 'admin', minor })
  const { containers } = all.body as { containers: Shown[] }
  assert.deepEqual(containers.map(({ uuid }) => uuid).toSorted(), [made.uuid, kept.uuid].toSorted())
  const line = `DELETE /v1/containers/${made.uuid}?stop=True&all_projects=True`
  assert.equal((await api.ask(line, { as: 'admin', minor })).status, 204)
  assert.equal((await api.ask(`DELETE /v1/containers/${kept.uuid}`, { minor })).status, 204)
  await api.machine.settled()
  assert.deepEqual((await api.ask('GET /v1/containers/', { minor })).body, { containers: [], next: null })
})

test('tempest: a volume is in use while a capsule has it, and available when that is gone', async () => {
  const volume = await api.ask('POST /v1/local/volumes', { body: { name: 'data', size: 1 } })
  const { uuid: volumeID } = volume.body as Shown
  const state = async (): Promise<unknown> => ((await api.ask('GET /v1/local/volumes/data')).body as Shown).status
  assert.equal(await state(), 'available')
  const template = {
    kind: 'capsule',
    metadata: { name: 'pod' },
    spec: {
      containers: [{ image: 'busybox', command: ['serve'], volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      volumes: [{ name: 'data', cinder: { volumeID } }],
    },
  }
  const made = await api.ask('POST /v1/capsules/', { minor: 32, body: { template } })
  assert.equal(made.status, 202, made.title)
  assert.equal(await state(), 'in-use')
  await api.machine.settled()
  assert.equal(((await api.ask('GET /v1/capsules/pod', { minor: 32 })).body as Shown).status, 'Running')
  assert.equal((await api.ask('DELETE /v1/capsules/pod', { minor: 32 })).status, 204)
  await api.machine.settled()
  assert.equal(await state(), 'available')
  assert.equal((await api.ask('DELETE /v1/local/volumes/data')).status, 204)
})
