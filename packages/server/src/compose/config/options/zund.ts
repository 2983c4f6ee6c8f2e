/** [zund]: what upstream does not have. */
import { WEIGHERS } from '../../../domain/scheduling/weigh.ts'
import { flag, list, oneOf, option, quota, whole } from '../kinds.ts'

const cidr = (pattern: RegExp) =>
  option<string | null>('string', (value) => {
    if (value === '' || value === 'none') return null
    if (!pattern.test(value)) throw new Error('it is not a network of the form address/prefix')
    return value
  })

export const ZUND_OPTIONS = {
  pidsLimit: whole(16, 4_194_304)('zund', 'pids_limit', {
    fallback: '4096',
    help: 'Processes and threads in one container.',
  }),
  logMaxSize: option('string', (value: string) => {
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
  streamsPerProject: whole(1, 100_000)('zund', 'streams_per_project', {
    fallback: '100',
    help: 'Followed logs and figures, and archives on their way, that a project may have open at once; more are a 429.',
  }),
  maxStreams: whole(1, 1_000_000)('zund', 'max_streams', {
    fallback: '1000',
    help: 'The same for a process as a whole; more are a 503. Each takes two connections.',
  }),
  historyDays: whole(0, 3650)('zund', 'history_days', {
    fallback: '14',
    help: 'Days for which a deleted container is remembered: its actions and why it stopped. 0: not at all.',
  }),
  eventHours: whole(1, 8760)('zund', 'event_hours', {
    fallback: '24',
    help: 'Hours for which events are kept for clients that come back; one that was away for longer has to list anew.',
  }),
  eventCount: whole(1000, 10_000_000)('zund', 'event_count', {
    fallback: '100000',
    help: 'Events that are kept at most, about 500 bytes each; a busy service may need more for event_hours.',
  }),
  eventStreams: whole(4, 100_000)('zund', 'event_streams', {
    fallback: '1000',
    help: 'Streams of events that may be open at once; of one user a quarter of them. More are refused with 503.',
  }),
  idempotencyHours: whole(1, 8760)('zund', 'idempotency_hours', {
    fallback: '24',
    help: 'Hours for which a create with an Idempotency-Key may be sent again; later the same key makes another one.',
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
