import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anAllocation, anInventory } from '../support/builders.ts'
import type { PciDevice } from '../../src/orchestration/ports/wire.ts'
import { claimDevices, freeDevices } from '../../src/domain/scheduling/pci.ts'
import type { PciRequest } from '../../src/domain/scheduling/types.ts'

/** A card with two virtual functions, a second one without, and something that is no network card. */
const PF: PciDevice = {
  address: '0000:3b:00.0',
  vendorId: '8086',
  productId: '1572',
  devType: 'type-PF',
  parentAddress: null,
  numaNode: 0,
  tags: { physical_network: 'physnet1' },
}
const vf = (n: number): PciDevice => ({
  ...PF,
  address: `0000:3b:02.${n}`,
  productId: '154c',
  devType: 'type-VF',
  parentAddress: PF.address,
})
const GPU: PciDevice = {
  ...PF,
  address: '0000:5e:00.0',
  vendorId: '10de',
  productId: '1eb8',
  devType: 'type-PCI',
  tags: {},
}
const DEVICES = [PF, vf(0), vf(1), GPU]

const port = (count = 1): PciRequest => ({ count, spec: [{ physical_network: 'physnet1' }] })
const wholeCard: PciRequest = { count: 1, spec: [{ physical_network: 'physnet1', dev_type: 'type-PF' }] }
const gpu: PciRequest = { count: 1, spec: [{ vendor_id: '10de', product_id: '1eb8' }] }

const freeBeside = (...held: string[]) =>
  freeDevices({
    has: anInventory({ pciDevices: DEVICES }),
    exclusive: [anAllocation({ cpu: 0, memoryMiB: 0, diskGiB: 0 }, { pciDevices: held })],
  })

test('devices are given as asked for, or none at all', () => {
  const rows: readonly [string, readonly PciRequest[], string[] | undefined][] = [
    ['nothing', [], []],
    ['one port', [port()], ['0000:3b:02.0']],
    ['two ports', [port(), port()], ['0000:3b:02.0', '0000:3b:02.1']],
    ['two at once', [port(2)], ['0000:3b:02.0', '0000:3b:02.1']],
    ['three ports', [port(), port(), port()], undefined],
    ['a whole card only when asked for', [wholeCard], ['0000:3b:00.0']],
    ['a card whose functions are wanted too', [wholeCard, port()], undefined],
    ['by vendor and product', [gpu], ['0000:5e:00.0']],
    ['one of several kinds', [{ count: 1, spec: [{ vendor_id: 'ffff' }, { vendor_id: '10de' }] }], ['0000:5e:00.0']],
    ['the choosy one first', [{ count: 1, spec: [{}] }, { count: 1, spec: [{ product_id: '154c' }] }, gpu], undefined],
    ['a property that nothing has', [{ count: 1, spec: [{ constructor: 'x' }] }], undefined],
  ]
  for (const [what, requests, expected] of rows) {
    const claimed = claimDevices(freeBeside(), requests)
    if (what === 'the choosy one first') {
      assert.deepEqual(claimed?.toSorted(), ['0000:3b:02.0', '0000:3b:02.1', '0000:5e:00.0'], what)
    } else assert.deepEqual(claimed, expected, what)
  }
})

test('a card and its functions exclude each other', () => {
  const addresses = (devices: readonly PciDevice[]): string[] => devices.map(({ address }) => address)
  assert.deepEqual(addresses(freeBeside('0000:3b:00.0')), ['0000:5e:00.0'])
  assert.deepEqual(addresses(freeBeside('0000:3b:02.1')), ['0000:3b:02.0', '0000:5e:00.0'])
  assert.deepEqual(addresses(freeBeside()), addresses(DEVICES))
})
