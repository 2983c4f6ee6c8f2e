/** [DEFAULT] */
import { hostname } from 'node:os'
import { parseCpuList } from '../../../domain/scheduling/cpuset.ts'
import {
  decimal,
  flag,
  gib,
  items,
  mib,
  oneOf,
  option,
  optionalFlag,
  optionalText,
  seconds,
  text,
  whole,
} from '../kinds.ts'

const cpuList = option('string', parseCpuList, 'cores such as 1-4,6')

const encryptionKeys = option('list', (value) => {
  const texts = items(value)
  if (texts.includes(PUBLISHED_KEY)) throw new Error('it is a key that everybody knows')
  if (texts.some((key) => key.length < SHORTEST_KEY)) throw new Error(`a key has fewer than ${SHORTEST_KEY} characters`)
  return texts
})

/** Of a key that is written as text. */
const SHORTEST_KEY = 32
/** What the option stands at where upstream's file was never touched. */
const PUBLISHED_KEY = 'notgood but just long enough i t'

export const GENERAL_OPTIONS = {
  host: text('DEFAULT', 'host', { fallback: hostname(), help: 'Name of this compute host.' }),
  myIp: text('DEFAULT', 'my_ip', { fallback: '127.0.0.1', help: 'Address other options default to.' }),
  authEncryptionKeys: encryptionKeys('DEFAULT', 'auth_encryption_key', {
    fallback: '',
    help: 'Seals passwords of registries: texts of at least 32 characters, the first seals, all open. Empty: a key file.',
    secret: true,
  }),
  debug: flag('DEFAULT', 'debug', { fallback: 'false', help: 'Log each step.' }),
  logFile: optionalText('DEFAULT', 'log_file', {
    fallback: '',
    help: 'Where is logged, in log_dir when it is no full path; empty: zund.log, or zun-api.log and so on. SIGHUP reopens.',
  }),
  logDir: optionalText('DEFAULT', 'log_dir', {
    fallback: '',
    help: 'Directory of the log; empty: the state directory for up, standard error for roles by themselves.',
  }),
  useJson: optionalFlag('DEFAULT', 'use_json', {
    fallback: '',
    help: "Log JSON, or lines in oslo.log's form; empty: JSON of up, lines of roles by themselves. Upstream has false.",
  }),
  containerRuntime: optionalText('DEFAULT', 'container_runtime', {
    fallback: '',
    help: "Runtime when none is asked for; empty: the engine's own default.",
  }),
  sandboxImage: optionalText('DEFAULT', 'sandbox_image', {
    fallback: '',
    help: "Image of the container that holds a capsule's network; empty: one that each host makes itself.",
  }),
  sandboxImagePullPolicy: oneOf('always', 'ifnotpresent', 'never')('DEFAULT', 'sandbox_image_pull_policy', {
    fallback: 'ifnotpresent',
    help: 'When sandbox_image is pulled.',
  }),
  minimumMemory: mib('DEFAULT', 'minimum_memory', { fallback: '4', help: 'MiB.' }),
  maximumMemory: mib('DEFAULT', 'maximum_memory', { fallback: '8192', help: 'MiB.' }),
  minimumCpus: decimal(0, 1024)('DEFAULT', 'minimum_cpus', { fallback: '0.1', help: 'Cores.' }),
  maximumCpus: decimal(0, 1024)('DEFAULT', 'maximum_cpus', { fallback: '16', help: 'Cores.' }),
  minimumDisk: gib('DEFAULT', 'minimum_disk', { fallback: '1', help: 'GiB.' }),
  maximumDisk: gib('DEFAULT', 'maximum_disk', { fallback: '160', help: 'GiB.' }),
  defaultMemory: mib('DEFAULT', 'default_memory', { fallback: '512', help: 'MiB; 0: no limit.' }),
  defaultMemorySwap: whole(-1, 1_048_576)('DEFAULT', 'default_memory_swap', {
    fallback: '-1',
    help: 'MiB of memory and swap together, when the memory of a container is changed; -1: no limit.',
  }),
  defaultCpu: decimal(0, 1024)('DEFAULT', 'default_cpu', { fallback: '1.0', help: 'Cores; 0: no share.' }),
  defaultDisk: gib('DEFAULT', 'default_disk', {
    fallback: '10',
    help: 'GiB that a container may write when it asks for no limit, where the engine can limit disk; 0: no limit.',
  }),
  floatingCpus: cpuList('DEFAULT', 'floating_cpu_set', {
    fallback: '',
    help: 'Cores such as 1-4,6 that are never dedicated; with enable_cpu_pinning shared containers run on these only.',
  }),
  availabilityZone: text('DEFAULT', 'default_availability_zone', { fallback: 'nova', help: 'Zone of this host.' }),
  scheduleZone: optionalText('DEFAULT', 'default_schedule_zone', {
    fallback: '',
    help: 'Zone when none is asked for.',
  }),
  serviceDownTime: seconds('DEFAULT', 'service_down_time', {
    fallback: '180',
    help: 'Seconds of silence after which a host counts as down. Less than 60 makes a busy host look down.',
  }),
  periodicIntervalMax: seconds('DEFAULT', 'periodic_interval_max', {
    fallback: '60',
    help: 'Seconds between two reports of what the host has; more than 60 counts as 60.',
  }),
  syncContainerStateInterval: whole(-1, 86_400)('DEFAULT', 'sync_container_state_interval', {
    fallback: '60',
    help: 'Seconds between two full comparisons with the engine; 0: the default. Events are followed in any case.',
  }),
} as const
