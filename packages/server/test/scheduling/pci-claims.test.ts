/** Devices are held as everything else is: in the transaction that chooses the host. No field of the API asks for them. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { chooseHost } from '../../src/app/hosts/choose-host.ts'
import type { PciDevice } from '../../src/orchestration/ports/wire.ts'
import { aContainer, anInventory, aSpec } from '../support/builders.ts'
import { appOptions, LiveStore } from '../support/live-api.ts'

/** A card with four functions. */
function devicesOf(bus: string): PciDevice[] {
  const card: PciDevice = {
    address: `0000:${bus}:00.0`,
    vendorId: '8086',
    productId: '1572',
    devType: 'type-PF',
    parentAddress: null,
    numaNode: 0,
    tags: { physical_network: 'physnet1' },
  }
  const functions = [0, 1, 2, 3].map(
    (n): PciDevice => ({ ...card, address: `0000:${bus}:02.${n}`, devType: 'type-VF', parentAddress: card.address }),
  )
  return [card, ...functions]
}

const live = new LiveStore()
before(async () => {
  await live.host('h1', { inventory: anInventory({ pciDevices: devicesOf('3b') }) })
  await live.host('h2', { inventory: anInventory({ pciDevices: devicesOf('5e') }) })
  await live.host('h3')
})
after(() => live.close())

async function create(spec: Readonly<Record<string, string>>): Promise<{ uuid: string; host: string | null }> {
  const uuid = randomUUID()
  return await live.store.write(async (tx) => {
    const choice = await chooseHost(
      tx,
      { uuid, resources: aSpec(), availabilityZone: null, pciRequests: [{ count: 1, spec: [spec] }] },
      appOptions,
    )
    const host = choice.kind === 'host' ? choice.host.name : null
    const allocation = choice.kind === 'host' ? choice.allocation : null
    await tx.containers.insert(aContainer({ uuid, host, allocation }))
    return { uuid, host }
  })
}

const held = async (host: string): Promise<string[]> =>
  (await live.store.containers.onHost(host)).flatMap(({ allocation }) => allocation?.pciDevices ?? [])

test('of twenty at once for eight functions eight get one, each its own; a whole card only when none of it is taken', async () => {
  const port = { physical_network: 'physnet1' }
  const made = await Promise.all(Array.from({ length: 20 }, () => create(port)))
  const placed = made.filter(({ host }) => host !== null)
  assert.equal(placed.length, 8)
  for (const [host, bus] of [
    ['h1', '3b'],
    ['h2', '5e'],
  ] as const) {
    assert.deepEqual(
      new Set(await held(host)),
      new Set([0, 1, 2, 3].map((n) => `0000:${bus}:02.${n}`)),
      'each function once',
    )
  }
  const card = { ...port, dev_type: 'type-PF' }
  assert.equal((await create(card)).host, null)
  await live.store.write(async (tx) => {
    for (const { uuid, host } of placed) if (host === 'h2') await tx.containers.remove(uuid)
  })
  assert.equal((await create(card)).host, 'h2')
  assert.deepEqual(await held('h2'), ['0000:5e:00.0'])
  assert.equal((await create(port)).host, null)
})
