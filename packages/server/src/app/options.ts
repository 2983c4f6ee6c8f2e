import type { Limits } from '@zund/contract/api/limits.ts'
import type { PullPolicy } from '../orchestration/ports/wire.ts'
import type { QuotaLimits } from '../domain/quota.ts'
import type { StreamBounds } from './streams/open-streams.ts'
import type { SchedulerOptions } from '../domain/scheduling/choose.ts'

export type { Limits }

/** Options the use cases need, as read once at start (compose/config.ts). Names in comments are zun.conf's. */
export interface AppOptions {
  readonly limits: Limits
  readonly defaults: Defaults
  readonly quota: QuotaOptions
  readonly localQuota: LocalQuota
  readonly sandbox: SandboxOptions
  /** [zund] quota_registries: records a project may have; -1 is unlimited. */
  readonly registriesPerProject: number
  /** [api] max_limit: largest page. */
  readonly maxPageSize: number
  /** service_down_time: seconds of silence after which a host counts as down. */
  readonly serviceDownTimeS: number
  /** Milliseconds an engine may be away before its host counts as down. */
  readonly engineGraceMs: number
  readonly scheduler: SchedulerOptions
  /** [zund] schedule_max_hosts */
  readonly maxHosts: number
  /** [docker] execute_timeout, in milliseconds. */
  readonly executeTimeoutMs: number
  /** [compute] unique_container_name_scope */
  readonly uniqueContainerNameScope: '' | 'project' | 'global'
  /** image_driver_list, those available here. */
  readonly imageDrivers: readonly string[]
  /** [docker] default_registry: domain put before short names. */
  readonly defaultRegistry: string | null
  readonly defaultRegistryUsername: string | null
  readonly defaultRegistryPassword: string | null
  /** [websocket_proxy] base_url, with its trailing slash. */
  readonly terminalBaseUrl: string
  /** That was not set: who has reached the API by a name for the public finds the terminals under it, too. */
  readonly terminalsFollowApi: boolean
  /** Largest archive in bytes, both directions. */
  readonly maxArchiveBytes: number
  /** [zund] streams_per_project, max_streams */
  readonly streams: StreamBounds
  /** Largest log answer, exec output in bytes. */
  readonly maxOutputBytes: number
  /** Pools from which subnets of local networks are cut, e.g. 10.128.0.0/10 in /24s and a ULA /48 in /64s. */
  readonly localNetwork: {
    readonly poolV4: string
    readonly prefixV4: number
    readonly poolV6: string | null
    readonly prefixV6: number
  }
}

/** What holds a capsule's network namespace. */
export interface SandboxOptions {
  /** sandbox_image; null: the built-in one. */
  readonly image: string | null
  /** sandbox_image_driver */
  readonly imageDriver: string
  /** sandbox_image_pull_policy */
  readonly pullPolicy: PullPolicy
}

export interface Defaults {
  readonly memoryMiB: number
  readonly cpu: number
  readonly imageDriver: string
  readonly availabilityZone: string
  readonly scheduleZone: string | null
}

/**
 * [zund] quota_local_*: what one project may have of the built-in network and volume services; -1 is unlimited. Every
 * network costs a bridge and firewall rules on the host, every volume reserved space of its disk.
 */
export interface LocalQuota {
  readonly networks: number
  readonly volumes: number
  /** GiB of all volumes together. */
  readonly volumeGiB: number
}

/** [quota]: the limits of who has no others, and whether there are any. */
export interface QuotaOptions extends QuotaLimits {
  readonly enforced: boolean
}
