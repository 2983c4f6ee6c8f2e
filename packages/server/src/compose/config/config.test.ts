import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseIni } from './ini.ts'
import { ConfigError, loadConfig, strangeFilters } from './load.ts'

const none = { files: [], environment: {}, overrides: {} }

function withFile<T>(content: string, work: (file: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'zund-config-'))
  try {
    const file = join(directory, 'zun.conf')
    writeFileSync(file, content)
    return work(file)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('the dialect of oslo.config is read', () => {
  const values = parseIni(`
# comment
debug = true
[api]
max-limit: 5
[cors]
allowed_origin = http://a,
  http://b
; another
[x]
many = 1
many = "two"
`)
  assert.deepEqual(Object.fromEntries(values), {
    'DEFAULT.debug': ['true'],
    'api.max_limit': ['5'],
    'cors.allowed_origin': ['http://a,\nhttp://b'],
    'x.many': ['1', 'two'],
  })
  assert.throws(() => parseIni('[a]\nnonsense'), /line 2/)
})

test('without a file every option has its default, with references resolved', () => {
  const config = loadConfig(none)
  assert.equal(config.apiPort, 9517)
  assert.equal(config.wsproxyBaseUrl, 'ws://127.0.0.1:6784/')
  assert.equal(config.defaultRegistry, null)
  assert.deepEqual(config.allowedOrigins, [])
  assert.ok(Object.isFrozen(config))
})

test('the options of containers have the defaults of the contract', () => {
  const config = loadConfig(none)
  const expected: Partial<typeof config> = {
    defaultCpu: 1,
    minimumCpus: 0.1,
    maximumCpus: 16,
    defaultMemory: 512,
    defaultMemorySwap: -1,
    resumeContainerState: false,
    minimumMemory: 4,
    maximumMemory: 8192,
    defaultDisk: 10,
    minimumDisk: 1,
    maximumDisk: 160,
    syncContainerStateInterval: 60,
    serviceDownTime: 180,
    availabilityZone: 'nova',
    scheduleZone: null,
    executeTimeout: 5,
    dockerTimeout: 60,
  }
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(config[name as keyof typeof config], value, name)
  }
})

test('the options of scheduling have the defaults of the contract', () => {
  const config = loadConfig(none)
  const expected: Partial<typeof config> = {
    schedulerDriver: 'filter_scheduler',
    enabledFilters: ['AvailabilityZoneFilter', 'ComputeFilter', 'RuntimeFilter'],
    initialCpuAllocationRatio: 16,
    initialRamAllocationRatio: 1.5,
    initialDiskAllocationRatio: 1,
    cpuAllocationRatio: 0,
    ramAllocationRatio: 0,
    diskAllocationRatio: 0,
    reservedHostMemory: 512,
    reservedHostDisk: 0,
    reservedHostCpus: 0,
    reserveDiskForImage: 0.2,
    enableCpuPinning: false,
    pciWhitelist: [],
  }
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(config[name as keyof typeof config], value, name)
  }
})

test('files, then the environment, then the command line', () => {
  withFile('my_ip = 192.0.2.1\n[api]\nport = 1\n[quota]\ncontainers = 7\n[unknown]\nx = y\n', (file) => {
    const config = loadConfig({
      files: [file],
      environment: { OS_QUOTA__CONTAINERS: '8', OS_DEFAULT__DEBUG: 'yes' },
      overrides: { apiPort: '3' },
    })
    assert.equal(config.apiPort, 3)
    assert.equal(config.quotaContainers, 8)
    assert.equal(config.debug, true)
    assert.equal(config.apiHostIp, '192.0.2.1')
    assert.equal(config.wsproxyBaseUrl, 'ws://192.0.2.1:6784/')
  })
})

test('of an option that may be given several times, all values count', () => {
  withFile('[oslo_policy]\npolicy_dirs = a.d\npolicy_dirs = /etc/$other/b.d\nother = x\n', (file) => {
    assert.deepEqual(loadConfig({ ...none, files: [file] }).policyDirs, ['a.d', '/etc/x/b.d'])
    const environment = { OS_OSLO_POLICY__POLICY_DIRS: 'c.d' }
    assert.deepEqual(loadConfig({ ...none, files: [file], environment }).policyDirs, ['c.d'])
  })
  assert.deepEqual(loadConfig(none).policyDirs, ['policy.d'])
})

test('a bad option is one line that names group, option, value and limit', () => {
  const rows: readonly [string, RegExp][] = [
    ['[api]\nport = x', /option port in \[api\] is 'x': it is not a number/],
    ['[api]\nport = 70000', /between 0 and 65535/],
    ['debug = maybe', /option debug in \[DEFAULT\]/],
    ['minimum_memory = 10000', /minimum of memory \(10000\) is over its maximum \(8192\)/],
    ['default_cpu = 99', /default_cpu \(99\)/],
    ['[docker]\napi_url = tcp://127.0.0.1:2375', /only unix:\/\/ is supported/],
    ['my_ip = $host_ip_of_mine', /refers to \$host_ip_of_mine/],
    ['my_ip = ${api.host_ip}', /refers to itself/],
    ['[compute]\nunique_container_name_scope = town', /'project'/],
    [
      '[scheduler]\nenabled_filters = ComputeFilter, NoSuchFilter',
      /option enabled_filters in \[scheduler\] is .*: there is no filter 'NoSuchFilter'; there are AvailabilityZoneFilter,/,
    ],
    ['[scheduler]\nenabled_filters = toString', /there is no filter 'toString'/],
    [
      '[scheduler]\navailable_filters = zun.scheduler.filters.compute_filter.ComputeFilter',
      /enabled_filters in \[scheduler\] names AvailabilityZoneFilter, which available_filters leaves out/,
    ],
    ['[scheduler]\ndriver = fake_scheduler', /option driver in \[scheduler\].*'chance_scheduler'/],
    ['[pci]\npassthrough_whitelist = {"vendor_id": "x"}', /passthrough_whitelist in \[pci\].*hexadecimal/],
    ['[zund]\nhost_weigher = random', /'spread', 'pack'/],
    ['floating_cpu_set = 1-x', /option floating_cpu_set in \[DEFAULT\] is '1-x'.*a range of cores/],
    ['[compute]\nram_allocation_ratio = -1', /between 0 and 1000000/],
    ['maximum_disk = 5', /default_disk \(10\) is not between 1 and 5/],
    ['minimum_disk = 200', /minimum of disk \(200\) is over its maximum \(160\)/],
  ]
  for (const [content, message] of rows) {
    withFile(content, (file) => {
      assert.throws(
        () => loadConfig({ ...none, files: [file] }),
        (error) => error instanceof ConfigError && message.test(error.message) && !error.message.includes('\n'),
        content,
      )
    })
  }
})

test('each value of the list of devices is JSON of its own', () => {
  const conf =
    '[pci]\npassthrough_whitelist = {"vendor_id": "8086"}\npassthrough_whitelist = [{"devname": "eth1"}, {}]\n'
  withFile(conf, (file) => {
    const entries = loadConfig({ ...none, files: [file] }).pciWhitelist
    assert.deepEqual(
      entries.map(({ vendorId, devname }) => [vendorId, devname]),
      [
        ['8086', null],
        [null, 'eth1'],
        [null, null],
      ],
    )
  })
})

test('filters are enabled in the order written; classes that are not ours are passed over', () => {
  const conf = `
[scheduler]
enabled_filters = RamFilter,ComputeFilter
available_filters = zun.scheduler.filters.all_filters
available_filters = site.filters.MoonPhaseFilter
`
  withFile(conf, (file) => {
    const config = loadConfig({ ...none, files: [file] })
    assert.deepEqual(config.enabledFilters, ['RamFilter', 'ComputeFilter'])
    assert.deepEqual(strangeFilters(config), ['site.filters.MoonPhaseFilter'])
    assert.deepEqual(strangeFilters(loadConfig(none)), [])
  })
  withFile('[scheduler]\navailable_filters = site.filters.MoonPhaseFilter\n', (file) => {
    assert.deepEqual(loadConfig({ ...none, files: [file] }).enabledFilters, loadConfig(none).enabledFilters)
  })
})

test('a secret is not shown', () => {
  const known = 'notgood but just long enough i t'
  for (const keys of ['too short', known, `${'x'.repeat(32)}, too short`, `${'x'.repeat(32)}, ${known}`]) {
    withFile(`auth_encryption_key = ${keys}`, (file) => {
      assert.throws(
        () => loadConfig({ ...none, files: [file] }),
        (error) =>
          error instanceof ConfigError &&
          /option auth_encryption_key in \[DEFAULT\] is '\[redacted\]'/.test(error.message) &&
          !/too short|notgood|xxx/.test(error.message),
      )
    })
  }
  withFile(`auth_encryption_key = ${'a b'.repeat(11)}, ${'y'.repeat(32)},`, (file) => {
    const { authEncryptionKeys } = loadConfig({ ...none, files: [file] })
    assert.deepEqual(authEncryptionKeys, ['a b'.repeat(11), 'y'.repeat(32)])
  })
  withFile('[docker]\ndefault_registry_password = pa$$$missing', (file) => {
    assert.throws(
      () => loadConfig({ ...none, files: [file] }),
      (error) => error instanceof ConfigError && !error.message.includes('pa$'),
    )
  })
})
