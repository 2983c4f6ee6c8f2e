/** Choosing a host and holding room on it, through the API, with hosts that exist only as rows. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, afterEach, before, describe, it } from 'node:test'
import type { HostInventory } from '../../src/orchestration/ports/wire.ts'
import { anInventory } from '../support/builders.ts'
import { SpecApi, type Answer } from '../support/spec-api.ts'

const unlimited = { quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1', quotaDisk: '-1' }

let api: SpecApi
before(async () => {
  api = await SpecApi.start({ overrides: { ...unlimited, scheduleZone: 'fleet' } })
})
afterEach(async () => {
  const { store } = api.machine
  // Nobody works on these hosts, so nobody would finish a delete.
  await store.write(async (tx) => {
    for (const host of await tx.hosts.list()) {
      if (host.availabilityZone !== 'fleet') continue
      for (const { uuid } of await tx.containers.onHost(host.name)) await tx.containers.remove(uuid)
      await tx.hosts.remove(host.name)
    }
  })
  await api.machine.clearContainers()
})
after(() => api.stop())

async function addHost(name: string, has: Partial<HostInventory> = {}): Promise<void> {
  await api.machine.store.write(async (tx) => {
    const epoch = await tx.hosts.beginSession({ host: name, availabilityZone: 'fleet', uuidIfNew: randomUUID() })
    await tx.hosts.heartbeat(name, epoch, { engineTrouble: null, inventory: anInventory(has) })
  })
}

async function create(body: object): Promise<Answer> {
  const answer = await api.ask('POST /v1/containers', { as: 'admin', body: { image: 'busybox', memory: 4, ...body } })
  assert.equal(answer.status, 202, answer.title)
  return answer
}

interface Shown {
  readonly uuid: string
  readonly host: string | null
  readonly status: string
  readonly status_reason: string | null
}

const shown = (answer: Answer): Shown => answer.body as Shown

async function createMany(
  count: number,
  body: object,
): Promise<{ readonly placed: Shown[]; readonly refused: Shown[] }> {
  const made = (await Promise.all(Array.from({ length: count }, () => create(body)))).map(shown)
  return { placed: made.filter(({ host }) => host !== null), refused: made.filter(({ host }) => host === null) }
}

function perHost(containers: readonly Shown[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { host } of containers) counts[host ?? ''] = (counts[host ?? ''] ?? 0) + 1
  return counts
}

/** Without anything that is promised twice. */
const exactly = { cpuRatio: 1, ramRatio: 1, diskRatio: 1, reservedCpus: 0, reservedMemoryMiB: 0, reservedDiskGiB: 0 }

/** With room for anything, but what a case says. */
const vast = { cpus: 1000, memTotalMiB: 1_000_000, diskTotalGiB: 1_000, allocation: exactly }

describe('a hundred creates at once get what there is and no more', () => {
  const CASES: readonly [string, Partial<HostInventory>, object, string][] = [
    ['memory', { ...vast, memTotalMiB: 2_150 }, { memory: 100 }, 'MEMORY_MB'],
    ['cores', { ...vast, cpus: 21 }, { cpu: 1 }, 'VCPU'],
    ['disk', { ...vast, diskTotalGiB: 43, diskQuotaSupported: true }, { disk: 2 }, 'DISK_GB'],
    [
      'cores of their own',
      {
        ...vast,
        enableCpuPinning: true,
        numaNodes: [
          { id: 0, cpus: Array.from({ length: 21 }, (_, n) => n), memTotalMiB: 8_000 },
          { id: 1, cpus: Array.from({ length: 23 }, (_, n) => 21 + n), memTotalMiB: 8_000 },
        ],
      },
      { cpu: 2, cpu_policy: 'dedicated' },
      'CPUSET',
    ],
  ]
  for (const [what, has, body, shortage] of CASES) {
    it(what, async () => {
      for (const name of ['n1', 'n2', 'n3']) await addHost(name, has)
      const { placed, refused } = await createMany(100, body)
      assert.deepEqual(perHost(placed), { n1: 21, n2: 21, n3: 21 })
      for (const { status, status_reason: reason } of refused) {
        assert.equal(status, 'Error')
        assert.match(reason ?? '', /^There are not enough hosts available\. \(AvailabilityZoneFilter removed 2, /)
        assert.match(reason ?? '', new RegExp(`, ${shortage} removed 3`))
      }
      for (const name of ['n1', 'n2', 'n3']) {
        const cpus = (await api.machine.store.containers.onHost(name)).flatMap(
          (row) => row.allocation?.cpuset?.cpus ?? [],
        )
        assert.equal(new Set(cpus).size, cpus.length, 'a core was given twice')
        assert.equal(cpus.length, shortage === 'CPUSET' ? 42 : 0)
      }
    })
  }

  it('of many that ask for nothing, each host gets its share', async () => {
    for (let n = 0; n < 10; n += 1) await addHost(`n${n}`)
    const { placed } = await createMany(100, { cpu: 0.1 })
    assert.deepEqual(
      Object.values(perHost(placed)),
      Array.from({ length: 10 }, () => 10),
    )
  })
})

describe('a host', () => {
  it('that is asked for and unknown is not found, and nothing is left of the request', async () => {
    const known = (await api.machine.rows())['container']
    const answer = await api.ask('POST /v1/containers', { as: 'admin', body: { image: 'busybox', host: 'nowhere' } })
    assert.deepEqual([answer.status, answer.code], [404, 'requested-host-not-found'])
    assert.equal((await api.machine.rows())['container'], known)
  })

  it('that is asked for gets it, unless a filter says no', async () => {
    for (const name of ['n1', 'n2', 'n3']) await addHost(name)
    const [first, second] = [shown(await create({ host: 'n2' })), shown(await create({ host: 'n2' }))]
    assert.deepEqual([first.host, second.host], ['n2', 'n2'])
    await api.machine.store.write((tx) => tx.hosts.setDisabled('n2', true, 'full'))
    const { host, status, status_reason: reason } = shown(await create({ host: 'n2' }))
    assert.deepEqual([host, status], [null, 'Error'])
    assert.equal(reason, 'There are not enough hosts available. (RequestedHost removed 4, ComputeFilter removed 1)')
  })

  it('gets back what a deleted container held', async () => {
    await addHost('n1', { ...vast, memTotalMiB: 1_000 })
    const first = shown(await create({ memory: 600 }))
    assert.equal(shown(await create({ memory: 600 })).host, null)
    await api.machine.store.write((tx) => tx.containers.remove(first.uuid))
    assert.equal(shown(await create({ memory: 600 })).host, 'n1')
  })
})

describe('the size of a disk', () => {
  interface WithDisk extends Shown {
    readonly disk: number
  }
  const disk = async (body: object): Promise<WithDisk> => shown(await create(body)) as WithDisk

  it('is the default of a host that can limit it, and takes up no room but of the quota', async () => {
    await addHost('n1', { diskQuotaSupported: true, diskTotalGiB: 15 })
    const usual = await disk({})
    assert.deepEqual([usual.host, usual.disk], ['n1', 10])
    assert.deepEqual((await disk({ disk: 15 })).host, 'n1')
    assert.equal((await api.machine.store.containers.usageOfHost('n1')).diskGiB, 15)
    const project = api.machine.projectId('ops')
    assert.equal((await api.machine.store.containers.usageOfProject(project)).diskGiB, 25)
  })

  it('is at least what every container of the host has', async () => {
    await addHost('n1', { diskQuotaSupported: true, diskBaseGiB: 20 })
    assert.deepEqual((await disk({})).disk, 20)
    assert.match((await disk({ disk: 19 })).status_reason ?? '', /DISK_BASE removed 1: every disk there is larger/)
  })

  it('is none where it cannot be limited, and cannot be asked for there', async () => {
    await addHost('n1')
    assert.deepEqual((await disk({})).disk, 0)
    const refused = await disk({ disk: 1 })
    assert.deepEqual([refused.status, refused.host], ['Error', null])
    assert.match(refused.status_reason ?? '', /DISK_QUOTA removed 1: no support for disk quotas/)
  })
})
