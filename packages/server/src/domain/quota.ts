/** What a project may have of the containers service. `memory` is in MiB, `disk` in GiB. */
export const QUOTA_RESOURCES = ['containers', 'memory', 'cpu', 'disk'] as const
export type QuotaResource = (typeof QUOTA_RESOURCES)[number]

/** -1 is unlimited. */
export type QuotaLimits = Readonly<Record<QuotaResource, number>>

export const UNLIMITED: QuotaLimits = { containers: -1, memory: -1, cpu: -1, disk: -1 }

/** The one class that has an effect: it stands for every project that has no limit of its own. */
export const DEFAULT_CLASS = 'default'
