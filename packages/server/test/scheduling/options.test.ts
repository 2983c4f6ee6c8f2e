/** Options of the scheduler, as the operator writes them, through the API. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import type { OptionName } from '../../src/compose/config/options.ts'
import { anInventory } from '../support/builders.ts'
import { SpecApi } from '../support/spec-api.ts'

/** Hosts h0, h1 ... without an agent, in racks r0, r1 ..., each used more than the one before. */
async function withFleet(
  overrides: Readonly<Partial<Record<OptionName, string>>>,
  work: (hostOf: (body: object) => Promise<string | null>) => Promise<void>,
): Promise<void> {
  const unlimited = { quotaContainers: '-1', quotaMemory: '-1', quotaCpu: '-1' }
  const api = await SpecApi.start({ overrides: { ...unlimited, ...overrides } })
  try {
    const { store } = api.machine
    await store.write(async (tx) => {
      await tx.hosts.setDisabled('sim-host', true, 'not of the fleet')
      for (let n = 0; n < 5; n += 1) {
        const name = `h${n}`
        const epoch = await tx.hosts.beginSession({ host: name, availabilityZone: 'nova', uuidIfNew: randomUUID() })
        const inventory = anInventory({ labels: { rack: `r${n}` }, memTotalMiB: 16_000 - 1_000 * n })
        await tx.hosts.heartbeat(name, epoch, { engineTrouble: null, inventory })
      }
    })
    await work(async (body) => {
      const answer = await api.ask('POST /v1/containers', { as: 'admin', body: { image: 'busybox', ...body } })
      assert.equal(answer.status, 202, answer.title)
      const { host, status_reason: reason } = answer.body as { host: string | null; status_reason: string | null }
      return host ?? reason
    })
  } finally {
    await api.stop()
  }
}

describe('options of the scheduler', () => {
  it('host_weigher: the emptiest host, or the fullest with room', async () => {
    await withFleet({}, async (hostOf) => assert.equal(await hostOf({}), 'h0'))
    await withFleet({ hostWeigher: 'pack' }, async (hostOf) => {
      for (let n = 0; n < 3; n += 1) assert.equal(await hostOf({ memory: 5_000 }), 'h4')
      assert.equal(await hostOf({ memory: 5_000 }), 'h3')
    })
  })

  it('enabled_filters: only those, in that order', async () => {
    await withFleet({ enabledFilters: 'LabelFilter,ComputeFilter' }, async (hostOf) => {
      assert.equal(await hostOf({ hints: { 'label:rack': 'r3', 'other:rack': 'r1' } }), 'h3')
      assert.equal(
        await hostOf({ hints: { 'label:rack': 'r9' } }),
        'There are not enough hosts available. (LabelFilter removed 7)',
      )
      assert.equal(await hostOf({ availability_zone: 'mars' }), 'h0', 'nobody asks for zones')
    })
    await withFleet({ enabledFilters: 'ComputeFilter,RamFilter,CPUFilter' }, async (hostOf) => {
      assert.equal(await hostOf({ memory: 8_000 }), 'h0')
      assert.equal(await hostOf({ memory: 8_000, cpu: 16 }), reason('ComputeFilter removed 2, CPUFilter removed 5'))
      for (let n = 0; n < 5; n += 1) await hostOf({ memory: 8_000 })
      assert.equal(await hostOf({ memory: 8_192 }), reason('ComputeFilter removed 2, RamFilter removed 5'))
    })
  })

  it('default_schedule_zone: where a container goes that asks for none', async () => {
    await withFleet({ scheduleZone: 'mars' }, async (hostOf) => {
      assert.match((await hostOf({})) ?? '', /AvailabilityZoneFilter removed/)
      assert.equal(await hostOf({ availability_zone: 'nova' }), 'h0')
    })
  })

  it('driver: by chance, any host that is up, however full', async () => {
    await withFleet({ schedulerDriver: 'chance_scheduler' }, async (hostOf) => {
      const hosts = new Set<string | null>()
      for (let n = 0; n < 150; n += 1) hosts.add(await hostOf({ memory: 8_192, availability_zone: 'mars' }))
      assert.deepEqual([...hosts].toSorted(byText), ['h0', 'h1', 'h2', 'h3', 'h4'])
    })
  })
})

const reason = (text: string): string => `There are not enough hosts available. (${text})`
const byText = (a: string | null, b: string | null): number => ((a ?? '') < (b ?? '') ? -1 : 1)
