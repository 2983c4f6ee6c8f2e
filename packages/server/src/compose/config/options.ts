/** The options of zun.conf that are read, each with its unit, default and limits (shared names with upstream's file). */
import type { Option } from './kinds.ts'
import { API_OPTIONS } from './options/api.ts'
import { CLOUD_OPTIONS } from './options/cloud.ts'
import { COMPUTE_OPTIONS } from './options/compute.ts'
import { GENERAL_OPTIONS } from './options/general.ts'
import { NETWORK_OPTIONS } from './options/network.ts'
import { ROLE_OPTIONS } from './options/roles.ts'
import { STORAGE_OPTIONS } from './options/storage.ts'
import { ZUND_OPTIONS } from './options/zund.ts'

export const OPTIONS = {
  ...GENERAL_OPTIONS,
  ...API_OPTIONS,
  ...COMPUTE_OPTIONS,
  ...CLOUD_OPTIONS,
  ...NETWORK_OPTIONS,
  ...STORAGE_OPTIONS,
  ...ROLE_OPTIONS,
  ...ZUND_OPTIONS,
} as const

type Value<O> = O extends Option<infer T> ? T : never

/** Every option by its name here, read, checked and frozen. */
export type Config = { readonly [K in keyof typeof OPTIONS]: Value<(typeof OPTIONS)[K]> }
export type OptionName = keyof typeof OPTIONS
