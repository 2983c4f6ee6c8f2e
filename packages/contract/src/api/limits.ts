/** What the operator's options decide about requests. */
export interface Limits {
  /** [DEFAULT] minimum_*, maximum_*: MiB, cores, GiB. They bind values given by the user, not defaults. */
  readonly minimumMemory: number
  readonly maximumMemory: number
  readonly minimumCpus: number
  readonly maximumCpus: number
  readonly minimumDisk: number
  readonly maximumDisk: number
}

export interface RequestOptions {
  readonly limits: Limits
  /** [api] max_limit: largest page. */
  readonly maxPageSize: number
}

/** Where nobody has set any. */
export const USUAL_OPTIONS: RequestOptions = {
  limits: {
    minimumMemory: 4,
    maximumMemory: 8192,
    minimumCpus: 0.1,
    maximumCpus: 16,
    minimumDisk: 1,
    maximumDisk: 160,
  },
  maxPageSize: 1000,
}
