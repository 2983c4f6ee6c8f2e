/** What containers hold of their host, from one request to the next, on a host with an agent. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { EngineRefused } from '../../src/domain/errors.ts'
import { aCreateRequest } from '../support/builders.ts'
import { SpecApi } from '../support/spec-api.ts'
import { HOST } from '../support/sim-machine.ts'
import { until } from '../support/until.ts'

/** Of 16000 MiB × 1.5; new containers leave the reserve alone, those that grow may use it. */
const ALL_MIB = 24_000

let api: SpecApi
before(async () => {
  api = await SpecApi.start({
    overrides: { maximumMemory: '30000', quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1' },
  })
})
afterEach(() => api.machine.clearContainers())
after(() => api.stop())

const inUse = async () => await api.machine.store.containers.usageOfHost(HOST)
const heldMiB = async (): Promise<number> => (await inUse()).memoryMiB

describe('a resize', () => {
  it('takes what its host has left, and says what is missing when it asks for more', async () => {
    const [first, second] = [await api.made({ memory: 1_000, cpu: 1 }), await api.made({ memory: 1_000, cpu: 1 })]
    await api.machine.settled()
    const most = ALL_MIB - 1_000
    const grown = await api.ask(`PATCH /v1/containers/${first.uuid}`, { body: { memory: most } })
    assert.equal(grown.status, 200, grown.title)
    assert.equal(await heldMiB(), ALL_MIB)
    for (const line of [`PATCH /v1/containers/${second.uuid}`, `POST /v1/containers/${second.uuid}/resize_container`]) {
      const refused = await api.ask(line, { body: { memory: 1_001, cpu: 1.5 } })
      assert.deepEqual([refused.status, refused.code], [409, 'conflict'])
      assert.equal(refused.title, 'Insufficient compute resources: Free memory 0 MB < requested 1 MB.')
    }
    assert.equal((await api.ask(`PATCH /v1/containers/${first.uuid}`, { body: { memory: 64 } })).status, 200)
    assert.deepEqual(await inUse(), { containers: 2, cpu: 2, memoryMiB: 1_064, diskGiB: 0 })
  })

  it('that the engine refuses gives back what it was to have', async () => {
    const { uuid } = await api.made({ memory: 100 })
    await api.machine.settled()
    const error = new EngineRefused('not today')
    api.machine.engine.calls.faults.add({ call: 'update', trouble: { kind: 'refuse', error } })
    const refused = await api.ask(`PATCH /v1/containers/${uuid}`, { body: { memory: 5_000 } })
    assert.deepEqual([refused.status, refused.title], [409, 'not today'])
    assert.equal(await heldMiB(), 100)
  })

  it('at the same time as others never gets room twice', async () => {
    const many = await Promise.all(Array.from({ length: 10 }, () => api.made({ memory: 100, cpu: 0.1 })))
    await api.machine.settled()
    // 23000 MiB are left: for two of these.
    const answers = await Promise.all(
      many.map(({ uuid }) => api.ask(`POST /v1/containers/${uuid}/resize_container`, { body: { memory: 11_000 } })),
    )
    assert.equal(answers.filter(({ status }) => status === 202).length, 2)
    assert.equal(answers.filter(({ status }) => status === 409).length, 8)
    assert.equal(await heldMiB(), 22_800)
    await api.machine.settled()
    assert.equal(await heldMiB(), 22_800)
  })
})

describe('a create that fails', () => {
  it('gives back what it held, and is given it again by a rebuild', async () => {
    const error = new EngineRefused('not with these options')
    api.machine.engine.calls.faults.add({ call: 'create', trouble: { kind: 'refuse', error } })
    const failed = await api.made({ memory: 20_000 })
    await api.machine.settled()
    assert.deepEqual(await inUse(), { containers: 0, cpu: 0, memoryMiB: 0, diskGiB: 0 })
    const other = await api.made({ memory: 20_000 })
    await api.machine.settled()
    const refused = await api.ask(`POST /v1/containers/${failed.uuid}/rebuild`)
    assert.deepEqual([refused.status, refused.code], [409, 'conflict'])
    assert.match(refused.title, /^Insufficient compute resources: its host has no MEMORY_MB left for it/)
    await api.ask(`DELETE /v1/containers/${other.uuid}`)
    await api.machine.settled()
    assert.equal((await api.ask(`POST /v1/containers/${failed.uuid}/rebuild`)).status, 202)
    await api.machine.settled()
    assert.equal(await heldMiB(), 20_000)
  })

  it('and is there after all takes its room again', async () => {
    const error = new EngineRefused('not with these options')
    api.machine.engine.calls.faults.add({ call: 'create', trouble: { kind: 'refuse', error } })
    const { uuid } = await api.made({ memory: 700, cpu: 2 })
    await api.machine.settled()
    assert.equal(await heldMiB(), 0)
    const late = aCreateRequest({ containerUuid: uuid, image: 'nginx:kept' })
    api.machine.engine.images.add('nginx:kept')
    await api.machine.engine.create(late, { signal: AbortSignal.timeout(5_000) })
    await until('it is seen', async () => (await heldMiB()) > 0)
    assert.deepEqual(await inUse(), { containers: 1, cpu: 2, memoryMiB: 700, diskGiB: 0 })
  })

  it('keeps it while the engine has something of it', async () => {
    const error = new EngineRefused('no such program')
    api.machine.engine.calls.faults.add({ call: 'start', trouble: { kind: 'refuse', error } })
    const { uuid } = (await api.ask('POST /v1/containers?run=true', { body: { image: 'busybox', memory: 300 } }))
      .body as { uuid: string }
    await api.machine.settled()
    const shown = (await api.ask(`GET /v1/containers/${uuid}`)).body as { status: string }
    assert.deepEqual([shown.status, await heldMiB()], ['Error', 300])
  })
})
