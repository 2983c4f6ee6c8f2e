import type { AppOptions } from '../app/options.ts'
import { imageDriversOf } from './config/check-logins.ts'
import type { Config } from './config/options.ts'
import { FAKE_DRIVER } from './config/options/compute.ts'

const MIB = 1024 * 1024

/** An engine that is away for longer makes its host count as down. */
const ENGINE_GRACE_MS = 5_000

export function appOptions(config: Config): AppOptions {
  return {
    limits: {
      minimumMemory: config.minimumMemory,
      maximumMemory: config.maximumMemory,
      minimumCpus: config.minimumCpus,
      maximumCpus: config.maximumCpus,
      minimumDisk: config.minimumDisk,
      maximumDisk: config.maximumDisk,
    },
    defaults: {
      memoryMiB: config.defaultMemory,
      cpu: config.defaultCpu,
      imageDriver: config.defaultImageDriver,
      availabilityZone: config.availabilityZone,
      scheduleZone: config.scheduleZone,
    },
    quota: {
      enforced: !config.quotaDriver.endsWith('NoopQuotaDriver'),
      containers: config.quotaContainers,
      memory: config.quotaMemory,
      cpu: config.quotaCpu,
      disk: config.quotaDisk,
    },
    sandbox: {
      image: config.sandboxImage,
      imageDriver: config.sandboxImageDriver,
      pullPolicy: config.sandboxImagePullPolicy,
    },
    registriesPerProject: config.quotaRegistries,
    streams: { perProject: config.streamsPerProject, total: config.maxStreams },
    localQuota: {
      networks: config.quotaLocalNetworks,
      volumes: config.quotaLocalVolumes,
      volumeGiB: config.quotaLocalVolumeSize,
    },
    maxPageSize: config.maxLimit,
    serviceDownTimeS: config.serviceDownTime,
    engineGraceMs: ENGINE_GRACE_MS,
    scheduler: {
      driver: driverOf(config.schedulerDriver),
      filters: config.enabledFilters,
      weigher: config.hostWeigher,
    },
    maxHosts: config.scheduleMaxHosts,
    executeTimeoutMs: config.executeTimeout * 1000,
    uniqueContainerNameScope: config.uniqueContainerNameScope,
    imageDrivers: imageDriversOf(config),
    defaultRegistry: config.defaultRegistry,
    defaultRegistryUsername: config.defaultRegistryUsername,
    defaultRegistryPassword: config.defaultRegistryPassword,
    terminalBaseUrl: terminalBaseUrl(config),
    terminalsFollowApi: isUsualBaseUrl(config),
    maxArchiveBytes: config.maxArchiveMiB * MIB,
    maxOutputBytes: config.maxOutputMiB * MIB,
    localNetwork: {
      poolV4: config.networkPoolV4 ?? '10.128.0.0/10',
      prefixV4: config.networkPrefixV4,
      poolV6: config.networkPoolV6,
      prefixV6: config.networkPrefixV6,
    },
  }
}

/** What users are given, unless it follows the API's address. */
export function terminalBaseUrl(config: Config): string {
  const { wsproxyBaseUrl: url, wsproxyCert } = config
  return wsproxyCert !== null && isUsualBaseUrl(config) ? url.replace(/^ws:/, 'wss:') : url
}

/** As it is when the operator has not set [websocket_proxy] base_url. */
function isUsualBaseUrl({ wsproxyBaseUrl, wsproxyHost, wsproxyPort }: Config): boolean {
  const host = wsproxyHost.includes(':') ? `[${wsproxyHost}]` : wsproxyHost
  return wsproxyBaseUrl === `ws://${host}:${wsproxyPort}/`
}

function driverOf(driver: Config['schedulerDriver']): AppOptions['scheduler']['driver'] {
  return driver === FAKE_DRIVER ? 'filter_scheduler' : driver
}
