/** The options of zun.conf that are read, each with its unit, default and limits (shared names with upstream's file). */
import { hostname } from 'node:os'
import { DRIVERS } from '../../domain/scheduling/choose.ts'
import { parseCpuList } from '../../domain/scheduling/cpuset.ts'
import { parseWhitelist } from '../../domain/scheduling/pci-whitelist.ts'
import { FILTERS, isFilterName, type FilterName } from '../../domain/scheduling/filters/index.ts'
import { WEIGHERS } from '../../domain/scheduling/weigh.ts'

export interface Option<T> {
  readonly group: string
  readonly name: string
  /** Throws an Error that says what is wrong with the value. */
  readonly parse: (text: string) => T
  /** As it would be written in the file; `$name` and `${group.name}` refer to other options. undefined: not set. */
  readonly fallback: string | undefined
  readonly help: string
  readonly secret?: true
  /** Written several times, all values count and not only the last; they reach `parse` as lines. */
  readonly multiple?: true
}

type Spec = { readonly fallback?: string; readonly help: string; readonly secret?: true; readonly multiple?: true }

const option =
  <T>(parse: (text: string) => T) =>
  (group: string, name: string, spec: Spec): Option<T> => ({ fallback: undefined, ...spec, group, name, parse })

const text = option((value) => value)
const optionalText = option<string | null>((value) => (value === '' ? null : value))
const items = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
const list = option(items)
const lines = option((value) =>
  value
    .split('\n')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
const flag = option((value) => {
  if (/^(true|1|on|yes)$/i.test(value)) return true
  if (/^(false|0|off|no)$/i.test(value)) return false
  throw new Error('it is not one of true, false, 1, 0, on, off, yes, no')
})

function number(limits: { min: number; max: number; integer: boolean }): (value: string) => number {
  return (value) => {
    const parsed = Number(value)
    if (value.trim() === '' || !Number.isFinite(parsed)) throw new Error('it is not a number')
    if (limits.integer && !Number.isInteger(parsed)) throw new Error('it is not a whole number')
    if (parsed < limits.min || parsed > limits.max) {
      throw new Error(`it is not between ${limits.min} and ${limits.max}`)
    }
    return parsed
  }
}

const whole = (min: number, max: number) => option(number({ min, max, integer: true }))
const decimal = (min: number, max: number) => option(number({ min, max, integer: false }))
const oneOf = <const T extends string>(...values: readonly T[]) =>
  option<T>((value) => {
    const known = values.find((v) => v === value)
    if (known === undefined) throw new Error(`it is not one of ${values.map((v) => `'${v}'`).join(', ')}`)
    return known
  })

const port = whole(0, 65_535)
const seconds = whole(1, 86_400)
const gib = whole(0, 1_000_000)
const mib = whole(0, 1_000_000_000)
const quota = whole(-1, 2_000_000_000)
const cidr = (pattern: RegExp) =>
  option<string | null>((value) => {
    if (value === '' || value === 'none') return null
    if (!pattern.test(value)) throw new Error('it is not a network of the form address/prefix')
    return value
  })

const filterNames = option((value): readonly FilterName[] =>
  items(value).map((name) => {
    if (!isFilterName(name))
      throw new Error(`there is no filter '${name}'; there are ${Object.keys(FILTERS).join(', ')}`)
    return name
  }),
)

const whitelist = option((value) =>
  value
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap(parseWhitelist),
)
const ratio = decimal(0, 1_000_000)
const cores = whole(0, 65_535)
const cpuList = option(parseCpuList)

const encryptionKeys = option((value) => {
  const texts = items(value)
  if (texts.includes(PUBLISHED_KEY)) throw new Error('it is a key that everybody knows')
  if (texts.some((key) => key.length < SHORTEST_KEY)) throw new Error(`a key has fewer than ${SHORTEST_KEY} characters`)
  return texts
})

/** Of a key that is written as text. */
const SHORTEST_KEY = 32
/** What the option stands at where upstream's file was never touched. */
const PUBLISHED_KEY = 'notgood but just long enough i t'

const DEFAULT = 'DEFAULT'

export const OPTIONS = {
  host: text(DEFAULT, 'host', { fallback: hostname(), help: 'Name of this compute host.' }),
  myIp: text(DEFAULT, 'my_ip', { fallback: '127.0.0.1', help: 'Address other options default to.' }),
  authEncryptionKeys: encryptionKeys(DEFAULT, 'auth_encryption_key', {
    fallback: '',
    help: 'Seals passwords of registries: texts of at least 32 characters, the first seals, all open. Empty: a key file.',
    secret: true,
  }),
  debug: flag(DEFAULT, 'debug', { fallback: 'false', help: 'Log each step.' }),
  containerRuntime: optionalText(DEFAULT, 'container_runtime', {
    fallback: '',
    help: "Runtime when none is asked for; empty: the engine's own default.",
  }),
  sandboxImage: optionalText(DEFAULT, 'sandbox_image', {
    fallback: '',
    help: "Image of the container that holds a capsule's network; empty: one that each host makes itself.",
  }),
  sandboxImagePullPolicy: oneOf('always', 'ifnotpresent', 'never')(DEFAULT, 'sandbox_image_pull_policy', {
    fallback: 'ifnotpresent',
    help: 'When sandbox_image is pulled.',
  }),
  minimumMemory: mib(DEFAULT, 'minimum_memory', { fallback: '4', help: 'MiB.' }),
  maximumMemory: mib(DEFAULT, 'maximum_memory', { fallback: '8192', help: 'MiB.' }),
  minimumCpus: decimal(0, 1024)(DEFAULT, 'minimum_cpus', { fallback: '0.1', help: 'Cores.' }),
  maximumCpus: decimal(0, 1024)(DEFAULT, 'maximum_cpus', { fallback: '16', help: 'Cores.' }),
  minimumDisk: gib(DEFAULT, 'minimum_disk', { fallback: '1', help: 'GiB.' }),
  maximumDisk: gib(DEFAULT, 'maximum_disk', { fallback: '160', help: 'GiB.' }),
  defaultMemory: mib(DEFAULT, 'default_memory', { fallback: '512', help: 'MiB; 0: no limit.' }),
  defaultMemorySwap: whole(-1, 1_048_576)(DEFAULT, 'default_memory_swap', {
    fallback: '-1',
    help: 'MiB of memory and swap together, when the memory of a container is changed; -1: no limit.',
  }),
  defaultCpu: decimal(0, 1024)(DEFAULT, 'default_cpu', { fallback: '1.0', help: 'Cores; 0: no share.' }),
  defaultDisk: gib(DEFAULT, 'default_disk', {
    fallback: '10',
    help: 'GiB that a container may write when it asks for no limit, where the engine can limit disk; 0: no limit.',
  }),
  floatingCpus: cpuList(DEFAULT, 'floating_cpu_set', {
    fallback: '',
    help: 'Cores such as 1-4,6 that are never dedicated; with enable_cpu_pinning shared containers run on these only.',
  }),
  availabilityZone: text(DEFAULT, 'default_availability_zone', { fallback: 'nova', help: 'Zone of this host.' }),
  scheduleZone: optionalText(DEFAULT, 'default_schedule_zone', { fallback: '', help: 'Zone when none is asked for.' }),
  serviceDownTime: seconds(DEFAULT, 'service_down_time', {
    fallback: '180',
    help: 'Seconds of silence after which a host counts as down. Less than 60 makes a busy host look down.',
  }),
  syncContainerStateInterval: whole(-1, 86_400)(DEFAULT, 'sync_container_state_interval', {
    fallback: '60',
    help: 'Seconds between two full comparisons with the engine; 0: the default. Events are followed in any case.',
  }),
  apiPort: port('api', 'port', { fallback: '9517', help: 'TCP port of the API.' }),
  apiHostIp: text('api', 'host_ip', { fallback: '$my_ip', help: 'Address the API listens on.' }),
  maxLimit: whole(1, 1_000_000)('api', 'max_limit', { fallback: '1000', help: 'Largest page of a list.' }),
  publicEndpoint: optionalText('api', 'public_endpoint', {
    fallback: '',
    help: 'Scheme and host for links, e.g. https://cloud.example:9517; empty: as the request came.',
  }),
  enableProxyHeaders: flag('oslo_middleware', 'enable_proxy_headers_parsing', {
    fallback: 'false',
    help: 'Believe X-Forwarded-Proto and X-Forwarded-Host.',
  }),
  allowedOrigins: list('cors', 'allowed_origin', { fallback: '', help: 'Origins that browsers may call from.' }),
  healthcheckDisableFile: text('healthcheck', 'disable_by_file_path', {
    fallback: '/etc/zun/healthcheck_disable',
    help: 'While this file exists the healthcheck answers 503.',
  }),
  uniqueContainerNameScope: oneOf('', 'project', 'global')('compute', 'unique_container_name_scope', {
    fallback: '',
    help: 'Where container names must be unique.',
  }),
  resumeContainerState: flag('compute', 'resume_container_state', {
    fallback: 'false',
    help: 'Start containers that were running when the host went down, and that the engine does not start by itself.',
  }),
  enableCpuPinning: flag('compute', 'enable_cpu_pinning', { fallback: 'false', help: 'Offer dedicated cores.' }),
  reserveDiskForImage: decimal(0, 1)('compute', 'reserve_disk_for_image', {
    fallback: '0.2',
    help: "Share of the engine's disk that is kept for images.",
  }),
  reservedHostMemory: mib('compute', 'reserved_host_memory_mb', {
    fallback: '512',
    help: 'MiB kept for the host, but never more than half of what it has.',
  }),
  reservedHostDisk: mib('compute', 'reserved_host_disk_mb', {
    fallback: '0',
    help: 'MiB of disk kept for the host besides reserve_disk_for_image.',
  }),
  reservedHostCpus: cores('compute', 'reserved_host_cpus', {
    fallback: '0',
    help: 'Cores kept for the host, but never more than half of what it has.',
  }),
  cpuAllocationRatio: ratio('compute', 'cpu_allocation_ratio', {
    fallback: '0',
    help: 'How many times each core may be promised to containers; 0: as initial_cpu_allocation_ratio says.',
  }),
  ramAllocationRatio: ratio('compute', 'ram_allocation_ratio', {
    fallback: '0',
    help: 'How many times the memory may be promised; 0: as initial_ram_allocation_ratio says.',
  }),
  diskAllocationRatio: ratio('compute', 'disk_allocation_ratio', {
    fallback: '0',
    help: 'How many times the disk may be promised; 0: as initial_disk_allocation_ratio says.',
  }),
  initialCpuAllocationRatio: ratio('compute', 'initial_cpu_allocation_ratio', { fallback: '16.0', help: 'See above.' }),
  initialRamAllocationRatio: ratio('compute', 'initial_ram_allocation_ratio', { fallback: '1.5', help: 'See above.' }),
  initialDiskAllocationRatio: ratio('compute', 'initial_disk_allocation_ratio', {
    fallback: '1.0',
    help: 'See above.',
  }),
  schedulerDriver: oneOf(...DRIVERS)('scheduler', 'driver', {
    fallback: 'filter_scheduler',
    help: 'filter_scheduler: filters, room and weights decide. chance_scheduler: any host that is up, however full.',
  }),
  availableFilters: lines('scheduler', 'available_filters', {
    fallback: 'zun.scheduler.filters.all_filters',
    help: 'Filters that may be enabled; classes of Python are no filters here and are not counted.',
    multiple: true,
  }),
  enabledFilters: filterNames('scheduler', 'enabled_filters', {
    fallback: 'AvailabilityZoneFilter,ComputeFilter,RuntimeFilter',
    help: 'Filters that a host must pass, in this order.',
  }),
  dockerApiUrl: text('docker', 'api_url', {
    fallback: 'unix:///var/run/docker.sock',
    help: 'The engine. Only a unix socket: its TCP port gives root on the host to whoever reaches it.',
  }),
  dockerTimeout: seconds('docker', 'default_timeout', { fallback: '60', help: 'Seconds for one call of the engine.' }),
  executeTimeout: seconds('docker', 'execute_timeout', { fallback: '5', help: 'Seconds an execute is waited for.' }),
  defaultRegistry: optionalText('docker', 'default_registry', { fallback: '', help: 'Put before short image names.' }),
  defaultRegistryUsername: optionalText('docker', 'default_registry_username', { fallback: '', help: '' }),
  defaultRegistryPassword: optionalText('docker', 'default_registry_password', {
    fallback: '',
    help: '',
    secret: true,
  }),
  quotaContainers: quota('quota', 'containers', { fallback: '40', help: 'Per project; -1: unlimited.' }),
  quotaMemory: quota('quota', 'memory', { fallback: '51200', help: 'MiB per project.' }),
  quotaCpu: quota('quota', 'cpu', { fallback: '20', help: 'Cores per project.' }),
  quotaDisk: quota('quota', 'disk', { fallback: '100', help: 'GiB per project.' }),
  quotaDriver: text('quota', 'driver', {
    fallback: 'zun.common.quota.DbQuotaDriver',
    help: 'A name that ends in NoopQuotaDriver switches quotas off.',
  }),
  wsproxyHost: text('websocket_proxy', 'wsproxy_host', { fallback: '$my_ip', help: 'Address terminals listen on.' }),
  wsproxyPort: port('websocket_proxy', 'wsproxy_port', { fallback: '6784', help: 'TCP port of terminals.' }),
  wsproxyBaseUrl: text('websocket_proxy', 'base_url', {
    fallback: 'ws://$wsproxy_host:$wsproxy_port/',
    help: 'Where users reach the terminals; with its trailing slash.',
  }),
  wsproxyAllowedOrigins: list('websocket_proxy', 'allowed_origins', {
    fallback: '',
    help: "Host names, besides the request's own, that a browser may come from.",
  }),
  policyFile: text('oslo_policy', 'policy_file', {
    fallback: 'policy.yaml',
    help: 'Rules that replace the defaults; looked for beside the configuration when it is not a full path.',
  }),
  policyDirs: lines('oslo_policy', 'policy_dirs', {
    fallback: 'policy.d',
    help: 'Directories whose files come on top of the policy file; may be given several times.',
    multiple: true,
  }),
  policyDefaultRule: text('oslo_policy', 'policy_default_rule', {
    fallback: 'default',
    help: 'Rule that stands in for unknown ones, if there is one of that name.',
  }),
  pciWhitelist: whitelist('pci', 'passthrough_whitelist', {
    fallback: '',
    help: 'JSON: PCI devices of this host that containers may have for themselves; may be given several times.',
    multiple: true,
  }),
  // What follows is zund's own.
  pidsLimit: whole(16, 4_194_304)('zund', 'pids_limit', {
    fallback: '4096',
    help: 'Processes and threads in one container.',
  }),
  logMaxSize: option((value: string) => {
    if (!/^[1-9][0-9]*[kmg]$/.test(value)) throw new Error('it is not a size such as 10m')
    return value
  })('zund', 'log_max_size', { fallback: '10m', help: 'Size at which a container log file is turned over.' }),
  logMaxFiles: whole(1, 100)('zund', 'log_max_files', { fallback: '3', help: 'Log files kept of one container.' }),
  maxArchiveMiB: whole(1, 16_384)('zund', 'max_archive_size', { fallback: '64', help: 'MiB of one archive.' }),
  maxOutputMiB: whole(1, 1024)('zund', 'max_output_size', { fallback: '16', help: 'MiB of one log or exec answer.' }),
  networkPoolV4: cidr(/^[0-9.]+\/[0-9]{1,2}$/)('zund', 'network_pool_v4', {
    fallback: '10.128.0.0/10',
    help: 'Pool from which each project network gets an IPv4 subnet.',
  }),
  networkPrefixV4: whole(8, 29)('zund', 'network_prefix_v4', { fallback: '24', help: 'Prefix of such a subnet.' }),
  networkPoolV6: cidr(/^[0-9a-fA-F:]+\/[0-9]{1,3}$/)('zund', 'network_pool_v6', {
    fallback: 'fd5a:756e:6400::/48',
    help: 'Pool from which each project network gets an IPv6 subnet; none: no IPv6.',
  }),
  networkPrefixV6: whole(16, 120)('zund', 'network_prefix_v6', { fallback: '64', help: 'Prefix of such a subnet.' }),
  quotaLocalNetworks: quota('zund', 'quota_local_networks', {
    fallback: '10',
    help: 'Local networks a project may make itself; each is a bridge of the host. -1: unlimited.',
  }),
  quotaLocalVolumes: quota('zund', 'quota_local_volumes', { fallback: '20', help: 'Local volumes per project.' }),
  quotaLocalVolumeSize: quota('zund', 'quota_local_volume_size', {
    fallback: '100',
    help: 'GiB of all local volumes of a project; the space is reserved on the disk.',
  }),
  quotaRegistries: quota('zund', 'quota_registries', {
    fallback: '100',
    help: 'Private registries a project may have records of. -1: unlimited.',
  }),
  historyDays: whole(0, 3650)('zund', 'history_days', {
    fallback: '14',
    help: 'Days for which a deleted container is remembered: its actions and why it stopped. 0: not at all.',
  }),
  registryAllowed: list('zund', 'registry_allowed', {
    fallback: '',
    help: 'Registries that may be used: host, host:port or *.example.com; empty: any.',
  }),
  registryDenied: list('zund', 'registry_denied', {
    fallback: '',
    help: 'Registries that may not be used: the same forms, or networks such as 10.1.0.0/16.',
  }),
  registryAllowLoopback: flag('zund', 'registry_allow_loopback', {
    fallback: 'true',
    help: 'Registries on this machine. False where tenants are not trusted with its local services.',
  }),
  registryAllowPrivate: flag('zund', 'registry_allow_private', {
    fallback: 'true',
    help: 'Registries on private addresses.',
  }),
  registryPlainHttp: list('zund', 'registry_plain_http', {
    fallback: '',
    help: "Registries spoken to without TLS, as in the engine's insecure-registries.",
  }),
  hostWeigher: oneOf(...WEIGHERS)('zund', 'host_weigher', {
    fallback: 'spread',
    help: 'Which of the hosts that fit: spread takes the emptiest, pack the fullest.',
  }),
  scheduleMaxHosts: whole(1, 100)('zund', 'schedule_max_hosts', {
    fallback: '3',
    help: 'Hosts that may try to create one container, when those before it could not for reasons of their own.',
  }),
  operationRetryTime: whole(1, 604_800)('zund', 'operation_retry_time', {
    fallback: '300',
    help: 'Seconds an accepted operation waits for an engine, registry or disk that is away before it ends in Error.',
  }),
  maxConcurrentOperations: whole(1, 1024)('zund', 'max_concurrent_operations', {
    fallback: '32',
    help: 'Operations one host has under way at once.',
  }),
  tokenLifetime: whole(60, 2_592_000)('zund', 'token_lifetime', {
    fallback: '14400',
    help: 'Seconds a token of the built-in identity is good for.',
  }),
} as const

type Value<O> = O extends Option<infer T> ? T : never

/** Every option by its name here, read, checked and frozen. */
export type Config = { readonly [K in keyof typeof OPTIONS]: Value<(typeof OPTIONS)[K]> }
export type OptionName = keyof typeof OPTIONS
