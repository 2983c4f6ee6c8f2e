/** What a host is chosen by: pure data, so that every rule is a function that a table of cases can test. */
import type { Allocation } from '@zund/contract/link/container.ts'
import type { HostInventory } from '@zund/contract/link/messages.ts'

/** What containers hold of a host, added up. */
export interface HostUsage {
  readonly containers: number
  readonly cpu: number
  readonly memoryMiB: number
  readonly diskGiB: number
}

export interface HostView {
  readonly name: string
  readonly availabilityZone: string
  readonly up: boolean
  readonly disabled: boolean
  readonly has: HostInventory
  readonly used: HostUsage
  /** Of its containers that hold cores or devices of their own; those that only share are in `used` alone. */
  readonly exclusive: readonly Allocation[]
}

export interface PciRequest {
  readonly count: number
  /** Any of these will do; in one of them everything must match. */
  readonly spec: readonly PciSpec[]
}

/** `vendor_id`, `product_id`, `dev_type`, or a tag of the whitelist such as `physical_network`. */
export type PciSpec = Readonly<Record<string, string>>

export interface Wanted {
  /** Uuid of what is to be placed: decides between hosts that are equally good. */
  readonly uuid: string
  readonly cpu: number
  readonly memoryMiB: number
  /** 0: none was asked for. */
  readonly diskGiB: number
  readonly cpuPolicy: 'shared' | 'dedicated'
  /** null: the host's default. */
  readonly runtime: string | null
  readonly availabilityZone: string | null
  readonly hints: Readonly<Record<string, unknown>>
  /** Host name; null: any. */
  readonly host: string | null
  readonly pciRequests: readonly PciRequest[]
  /** Resource providers that have room by the count of a cloud; absent: nobody was asked. */
  readonly candidates?: ReadonlySet<string>
  /** Hosts that have refused it already. */
  readonly refusedBy: readonly string[]
}

export interface Filter {
  passes(host: HostView, wanted: Wanted): boolean
}
