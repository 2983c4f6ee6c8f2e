import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRoutesV4, parseRoutesV6 } from './routes.ts'

test('IPv4 routes are read, the default route is not a subnet', () => {
  const text = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0101000A\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    'br\t0000800A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  ].join('\n')
  assert.deepEqual(parseRoutesV4(text), ['172.17.0.0/16', '10.128.0.0/24'])
})

test('IPv6 routes are read without link-local, multicast, host and default routes', () => {
  const rest =
    '00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001'
  const text = [
    `fd5a756e640000000000000000000000 40 ${rest} br`,
    `fe800000000000000000000000000000 40 ${rest} eth0`,
    `ff000000000000000000000000000000 08 ${rest} eth0`,
    `fd5a756e640000000000000000000001 80 ${rest} lo`,
    `00000000000000000000000000000000 00 ${rest} lo`,
  ].join('\n')
  assert.deepEqual(parseRoutesV6(text), ['fd5a:756e:6400::/64'])
})
