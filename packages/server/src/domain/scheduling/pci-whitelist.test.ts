import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseWhitelist, tagsOf, type FoundDevice } from './pci-whitelist.ts'

const device: FoundDevice = {
  address: '0000:3b:02.1',
  vendorId: '8086',
  productId: '154c',
  parentAddress: '0000:3b:00.0',
  devnames: ['ens1f0v1'],
}

test('a device is on the list when one entry allows all that is known of it', () => {
  const rows: readonly [string, boolean][] = [
    ['{}', true],
    ['{"vendor_id": "8086", "product_id": "154C"}', true],
    ['{"vendor_id": "8086", "product_id": "*"}', true],
    ['{"vendor_id": "10de"}', false],
    ['[{"vendor_id": "10de"}, {"vendor_id": "8086"}]', true],
    ['{"devname": "ens1f0v1"}', true],
    ['{"devname": "eth0"}', false],
    ['{"address": "0000:3b:02.1"}', true],
    ['{"address": "3b:02.1"}', true],
    ['{"address": "*:3b:02.*"}', true],
    ['{"address": "3b:*.1"}', true],
    ['{"address": "3b:02"}', true],
    ['{"address": "3b:03.1"}', false],
    ['{"address": "0001:3b:02.1"}', false],
    ['{"address": "0000:3b:00.0"}', true],
    ['{"address": {"bus": "3[ab]", "function": "[1-3]"}}', true],
    ['{"address": {"domain": "0001"}}', false],
    ['{"address": {"slot": "0"}}', false],
  ]
  for (const [text, isOn] of rows) assert.equal(tagsOf(device, parseWhitelist(text)) !== undefined, isOn, text)
})

test('what else an entry says are tags of its devices', () => {
  const entries = parseWhitelist('[{"vendor_id": "10de"}, {"physical_network": "physnet1", "trusted": "true"}]')
  assert.deepEqual(tagsOf(device, entries), { physical_network: 'physnet1', trusted: 'true' })
})

test('an entry that cannot be is refused with what is wrong', () => {
  const rows: readonly [string, RegExp][] = [
    ['vendor_id=8086', /is not JSON/],
    ['"8086"', /not an object/],
    ['[[]]', /not an object/],
    ['{"address": "3b:00.0", "devname": "eth0"}', /both address and devname/],
    ['{"address": "3b"}', /'3b' is not domain:bus:slot.function/],
    ['{"address": 3}', /neither a text nor an object/],
    ['{"address": {"bus": "("}}', /no regular expression/],
    ['{"address": {"port": "1"}}', /unknown part 'port'/],
    ['{"vendor_id": "intel"}', /vendor_id 'intel' is not four hexadecimal digits/],
    ['{"physical_network": null}', /physical_network is not a text/],
  ]
  for (const [text, message] of rows) assert.throws(() => parseWhitelist(text), message, text)
})
