import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachOf, RegistryHosts, type RegistryHostOptions } from './registry-hosts.ts'

const signal = AbortSignal.timeout(30_000)

function hosts(options: Partial<RegistryHostOptions> = {}): RegistryHosts {
  return new RegistryHosts({
    allowed: [],
    denied: [],
    allowLoopback: true,
    allowPrivate: true,
    plainHttp: [],
    ...options,
  })
}

test('addresses are public, private, loopback, or nothing to be asked, however they are written', () => {
  const rows: readonly [string, string | undefined][] = [
    ['93.184.216.34', 'public'],
    ['2606:2800:220::1', 'public'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.2', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['169.254.169.254', undefined],
    ['::ffff:169.254.169.254', undefined],
    ['64:ff9b::169.254.169.254', undefined],
    ['2002:a9fe:a9fe::1', undefined],
    ['fe80::1', undefined],
    ['0.0.0.0', undefined],
    ['::', undefined],
    ['255.255.255.255', undefined],
    ['224.0.0.1', undefined],
    ['100.100.100.200', undefined],
    ['fd00:ec2::254', undefined],
  ]
  for (const [address, reach] of rows) assert.equal(reachOf(address), reach, address)
})

test('nothing is connected to that lies further inside than allowed', () => {
  assert.equal(hosts().permitsAddress('127.0.0.1', 'private'), false)
  assert.equal(hosts().permitsAddress('10.0.0.1', 'public'), false)
  assert.equal(hosts().permitsAddress('10.0.0.1', 'private'), true)
  assert.equal(hosts({ allowLoopback: false }).permitsAddress('::1', 'loopback'), false)
  assert.equal(hosts({ allowPrivate: false }).permitsAddress('192.168.0.1', 'loopback'), false)
  assert.equal(hosts({ denied: ['10.1.0.0/16'] }).permitsAddress('10.1.9.9', 'loopback'), false)
  assert.equal(hosts({ denied: ['10.1.0.0/16'] }).permitsAddress('10.2.9.9', 'loopback'), true)
})

test('registries are allowed and denied by name, with or without port, and by ending', () => {
  const some = hosts({ allowed: ['docker.io', '*.example.com', 'r.example.org:5000'], denied: ['bad.example.com'] })
  for (const domain of ['docker.io', 'a.example.com', 'a.b.example.com:443', 'r.example.org:5000', 'DOCKER.IO']) {
    assert.equal(some.permits(domain), true, domain)
  }
  for (const domain of ['bad.example.com', 'bad.example.com:443', 'example.com', 'r.example.org', 'quay.io']) {
    assert.equal(some.permits(domain), false, domain)
  }
  assert.equal(some.permitsNext('quay.io'), true)
  assert.equal(some.permitsNext('bad.example.com'), false)
  for (const domain of ['169.254.169.254', '169.254.169.254:80', '[fe80::1]:5000', '0.0.0.0:5000']) {
    assert.equal(hosts().permits(domain), false, domain)
  }
})

test('a name that leads to a refused address is refused, one that leads nowhere is left to the engine', async () => {
  assert.equal(await hosts().leadsToPermitted('localhost:5000', { signal }), true)
  assert.equal(await hosts({ allowLoopback: false }).leadsToPermitted('localhost:5000', { signal }), false)
  // What the resolver takes for an address is one.
  assert.equal(await hosts({ allowLoopback: false }).leadsToPermitted('2130706433:80', { signal }), false)
  assert.equal(await hosts().leadsToPermitted('nowhere.invalid', { signal }), true)
})

test('only this machine and what the operator lists is spoken to without TLS', () => {
  const some = hosts({ plainHttp: ['r.example:5000'] })
  for (const domain of ['localhost:5000', '127.0.0.3', '[::1]:80', 'r.example:5000']) {
    assert.equal(some.speaksPlainHttp(domain), true, domain)
  }
  for (const domain of ['r.example', 'docker.io', '10.0.0.1:5000']) {
    assert.equal(some.speaksPlainHttp(domain), false, domain)
  }
})
