import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { appOptions } from '../app-options.ts'
import { ignoredOption } from './ignored-options.ts'
import { parseIni } from './ini.ts'
import { items, type Option } from './kinds.ts'
import { OPTIONS } from './options.ts'
import { configFiles } from './places.ts'
import { referenceLines } from './reference.ts'
import { ConfigError } from './config-error.ts'
import { loadConfig, readConfig } from './load.ts'

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

const findingsIn = (...files: string[]): string[] =>
  readConfig({ ...none, files }).findings.map(({ level, text }) => `${level} ${text}`)

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
    ['[scheduler]\ndriver = no_scheduler', /option driver in \[scheduler\].*'chance_scheduler'/],
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

test('what has no effect is told once for each option, and stops nothing', () => {
  const conf = `
transport_url = rabbit://user:secret@ctl
capsule_driver = cri
container_driver = Docker
debgu = yes
max_limit = 3
[compute]
memory_swap = 4
[qouta]
containers = 1
cpu = 2
[database]
connection = mysql+pymysql://zun:secret@ctl/zun
max_pool_size = 9
[oslo_messaging_rabbit]
ssl = true
`
  withFile(conf, (file) => {
    const found = readConfig({ ...none, files: [file], environment: { OS_PRIVSEP__USER: 'x', OS_CLOUD: 'y' } })
    assert.ok(found.config !== null)
    const texts = found.findings.map(({ level, text }) => `${level} ${text}`)
    const expected = [
      /^warn option connection in \[database\] names mysql: only sqlite is supported yet; up uses its own file/,
      /^warn option transport_url in \[DEFAULT\] has no effect: not used by this deployment yet: roles speak/,
      /^warn option capsule_driver in \[DEFAULT\] has no effect: capsules are made with Docker/,
      /^warn there is no option debgu in \[DEFAULT\]; is it debug\?$/,
      /^warn there is no option max_limit in \[DEFAULT\]; it belongs into \[api\]$/,
      /^warn there is no option memory_swap in \[compute\]$/,
      /^warn there is no group \[qouta\]; is it \[quota\]\?$/,
      /^info option max_pool_size in \[database\] has no effect/,
      /^info option ssl in \[oslo_messaging_rabbit\] has no effect/,
      /^info option user in \[privsep\] has no effect/,
    ]
    for (const [i, pattern] of expected.entries()) assert.match(texts[i] ?? '', pattern)
    assert.equal(texts.length, expected.length)
    assert.ok(!texts.join('\n').includes('secret'))
  })
})

test('all mistakes are found at once', () => {
  withFile('my_ip = $nowhere\n[api]\nport = x\n', (file) => {
    assert.deepEqual(
      findingsIn(file).map((text) => text.replace(/ (is|refers).*/, '')),
      ['error option my_ip in [DEFAULT]', 'error option port in [api]'],
    )
  })
  withFile(`host = ${'h'.repeat(256)}\nminimum_memory = 9000\ndefault_cpu = 99\n`, (file) => {
    assert.deepEqual(findingsIn(file), [
      'error the minimum of memory (9000) is over its maximum (8192)',
      'error default_cpu (99) is not between 0.1 and 16',
      'error option host in [DEFAULT] has 256 characters, more than 255',
    ])
  })
})

test('no option is both read and without effect, and the listing has all of them', () => {
  const options = Object.values<Option<unknown>>(OPTIONS)
  for (const { group, name } of options) {
    assert.ok(ignoredOption(group, name)?.names.includes('*') !== false, `[${group}] ${name}`)
  }
  const listing = referenceLines()
  for (const { name } of options)
    assert.ok(
      listing.some((line) => line.startsWith(`#${name} =`)),
      name,
    )
  const text = listing.map((line) => line.replace(/^#(\w+ =)/, '$1')).join('\n')
  withFile(text, (file) => assert.deepEqual(loadConfig({ ...none, files: [file] }), loadConfig(none)))
})

test('several files: later ones win, values of a list of lines add up; names refer across files', () => {
  withFile('my_ip = 192.0.2.1\ndebug = true\nmine = ${quota.cpu}0\n[oslo_policy]\npolicy_dirs = a.d\n', (one) =>
    withFile('my-ip: "192.0.2.2"\n[quota]\ncpu = 3\nmemory = $mine\n[oslo_policy]\npolicy_dirs = b.d\n', (two) => {
      const config = loadConfig({ ...none, files: [one, two] })
      assert.deepEqual(
        [config.apiHostIp, config.debug, config.quotaMemory, config.policyDirs],
        ['192.0.2.2', true, 30, ['a.d', 'b.d']],
      )
    }),
  )
})

test('items of a list may be quoted', () => {
  assert.deepEqual(items('a, "b,c" ,\n\'d\',, e'), ['a', 'b,c', 'd', 'e'])
})

test('files are those of the command line, else the first found, and the directory beside them', () => {
  const home = mkdtempSync(join(tmpdir(), 'zund-places-'))
  try {
    const [state, dir] = [join(home, 'state'), join(home, 'more')]
    for (const path of [state, dir, join(home, '.zun'), join(home, 'zun.conf.d')]) mkdirSync(path)
    const write = (...path: string[]): string => {
      writeFileSync(join(home, ...path), '')
      return join(home, ...path)
    }
    const dropped = write('zun.conf.d', '1.conf')
    write('zun.conf.d', '1.conf.bak')
    const plain = write('zun.conf')
    assert.deepEqual(configFiles({ files: [], dirs: [] }, state, home), [plain, dropped])
    const hidden = write('.zun', 'zun.conf')
    assert.deepEqual(configFiles({ files: [], dirs: [] }, state, home), [hidden, dropped])
    const own = write('state', 'zun.conf')
    assert.deepEqual(configFiles({ files: [], dirs: [] }, state, home), [own, dropped])
    const [b, a] = [write('more', 'b.conf'), write('more', 'a.conf')]
    assert.deepEqual(configFiles({ files: [plain, hidden], dirs: [dir] }, state, home), [plain, hidden, a, b])
    assert.throws(() => configFiles({ files: [], dirs: [join(home, 'none')] }, state, home), /none cannot be read/)
  } finally {
    rmSync(home, { recursive: true })
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
    assert.match(
      findingsIn(file)[0] ?? '',
      /^warn option available_filters in \[scheduler\] names site\.filters\.MoonPhaseFilter/,
    )
    assert.deepEqual(readConfig(none).findings, [])
  })
  withFile('[scheduler]\navailable_filters = site.filters.MoonPhaseFilter\n', (file) => {
    assert.deepEqual(loadConfig({ ...none, files: [file] }).enabledFilters, loadConfig(none).enabledFilters)
  })
})

test('the driver of upstream’s tests is taken for the usual one, and that is told', () => {
  withFile('[scheduler]\ndriver = fake_scheduler', (file) => {
    assert.match(findingsIn(file).join(), /^warn option driver in \[scheduler\] is fake_scheduler.*filter_scheduler/)
    assert.equal(appOptions(loadConfig({ ...none, files: [file] })).scheduler.driver, 'filter_scheduler')
  })
  withFile('[scheduler]\ndriver = chance_scheduler', (file) => {
    assert.deepEqual(findingsIn(file), [])
    assert.equal(appOptions(loadConfig({ ...none, files: [file] })).scheduler.driver, 'chance_scheduler')
  })
})

test('a default image driver must be one that is there', () => {
  const refused: readonly [string, RegExp][] = [
    [
      'default_image_driver = glance',
      /default_image_driver in \[DEFAULT\] is glance, which needs auth_url in \[keystone_auth\]/,
    ],
    ['image_driver_list = glance', /default_image_driver in \[DEFAULT\] is docker, which is not in image_driver_list/],
    ['sandbox_image = pause\nsandbox_image_driver = glance', /sandbox_image_driver in \[DEFAULT\] is glance/],
    ['image_driver_list = glance, rkt', /there is no image driver 'rkt'/],
  ]
  for (const [text, why] of refused) {
    withFile(text, (file) => {
      assert.throws(
        () => loadConfig({ ...none, files: [file] }),
        (error) => error instanceof ConfigError && why.test(error.message),
        text,
      )
    })
  }
  const login = '[keystone_auth]\nauth_url = http://k.test\nusername = zun\npassword = p\nproject_name = service'
  withFile(`default_image_driver = glance\nsandbox_image_driver = glance\n${login}`, (file) => {
    const { imageDrivers, defaults } = appOptions(loadConfig({ ...none, files: [file] }))
    assert.deepEqual([imageDrivers, defaults.imageDriver], [['glance', 'docker'], 'glance'])
  })
  withFile('sandbox_image_driver = glance', (file) => {
    assert.deepEqual(appOptions(loadConfig({ ...none, files: [file] })).imageDrivers, ['docker'])
  })
})

test('a secret is not shown', () => {
  const known = 'notgood but just long enough i t'
  for (const keys of ['too short', known, `${'k'.repeat(32)}, too short`, `${'k'.repeat(32)}, ${known}`]) {
    withFile(`auth_encryption_key = ${keys}`, (file) => {
      assert.throws(
        () => loadConfig({ ...none, files: [file] }),
        (error) =>
          error instanceof ConfigError &&
          /option auth_encryption_key in \[DEFAULT\] is '\[redacted\]'/.test(error.message) &&
          !/too short|notgood|kkk/.test(error.message),
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
