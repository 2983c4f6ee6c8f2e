/** What hosts and the scheduler are told. */
import { DRIVERS } from '../../../domain/scheduling/choose.ts'
import { FILTERS, isFilterName, type FilterName } from '../../../domain/scheduling/filters/index.ts'
import { parseWhitelist } from '../../../domain/scheduling/pci-whitelist.ts'
import { decimal, flag, items, lines, mib, oneOf, option, optionalText, seconds, text, whole } from '../kinds.ts'

const filterNames = option('list', (value): readonly FilterName[] =>
  items(value).map((name) => {
    if (!isFilterName(name))
      throw new Error(`there is no filter '${name}'; there are ${Object.keys(FILTERS).join(', ')}`)
    return name
  }),
)

const whitelist = option('multi valued', (value) =>
  value
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap(parseWhitelist),
)
const ratio = decimal(0, 1_000_000)
const cores = whole(0, 65_535)

/** Of [scheduler] driver: read, and not used as it is. */
export const FAKE_DRIVER = 'fake_scheduler'

export const COMPUTE_OPTIONS = {
  uniqueContainerNameScope: oneOf('', 'project', 'global')('compute', 'unique_container_name_scope', {
    fallback: '',
    help: 'Where container names must be unique.',
  }),
  resumeContainerState: flag('compute', 'resume_container_state', {
    fallback: 'false',
    help: 'Start containers that were running when the host went down, and that the engine does not start by itself.',
  }),
  enableCpuPinning: flag('compute', 'enable_cpu_pinning', { fallback: 'false', help: 'Offer dedicated cores.' }),
  hostSharedWithNova: flag('compute', 'host_shared_with_nova', {
    fallback: 'false',
    help: "Take what containers hold from Nova's resource provider of this host, whose inventory stays Nova's.",
  }),
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
  schedulerDriver: oneOf(...DRIVERS, FAKE_DRIVER)('scheduler', 'driver', {
    fallback: 'filter_scheduler',
    help: 'filter_scheduler: filters, room and weights decide. chance_scheduler: any host that is up, however full. fake_scheduler: as filter_scheduler, with a warning.',
  }),
  availableFilters: lines('scheduler', 'available_filters', {
    fallback: 'zun.scheduler.filters.all_filters',
    help: 'Filters that may be enabled; classes of Python are no filters here and are not counted.',
    multiple: true,
  }),
  maxPlacementResults: whole(1, 1_000_000)('scheduler', 'max_placement_results', {
    fallback: '1000',
    help: 'Hosts that Placement may offer for one container.',
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
  pciWhitelist: whitelist('pci', 'passthrough_whitelist', {
    fallback: '',
    help: 'JSON: PCI devices of this host that containers may have for themselves; may be given several times.',
    multiple: true,
  }),
} as const
