import { messageOf } from '../../../domain/errors.ts'
import type { Clock, Logger } from '../../../orchestration/ports/clock.ts'
import type { HostInventory } from '../../../orchestration/ports/wire.ts'
import { OpenStackError } from '../errors.ts'
import { numberIn, type JsonRecord } from '../json.ts'
import type { Inventories, PlacementClient } from './client.ts'
import { overConflicts } from './conflicts.ts'

export interface ReportOptions {
  readonly client: PlacementClient
  readonly clock: Clock
  readonly log: Logger
  /** Its own provider has this name. */
  readonly host: string
  /** [compute] host_shared_with_nova: names under which the provider of the other service may be. undefined: its own one. */
  readonly sharedNames: (() => Promise<readonly string[]>) | undefined
  /** What the operator has set; 0: as Placement has it, else as the inventory says. */
  readonly ratios: { readonly cpu: number; readonly ram: number; readonly disk: number }
  /** Share of the disk that the inventory leaves out, and Placement counts. */
  readonly reservedForImages: number
}

/** Of each compute node of Nova. */
const NOVA_TRAITS = 'COMPUTE_'

/** Tells Placement what a host has, and the inventory what Placement makes of it. */
export class ResourceReport {
  readonly #options: ReportOptions
  #known: HostInventory['resourceProvider']
  #trouble: string | undefined

  constructor(options: ReportOptions) {
    this.#options = options
  }

  /** Never fails: a Placement that is away must not keep a host from saying what it has. */
  async told(hostUuid: string, inventory: HostInventory, signal: AbortSignal): Promise<HostInventory> {
    const { log, host } = this.#options
    try {
      const { ratios, resourceProvider } = await this.#report(hostUuid, inventory, signal)
      this.#known = resourceProvider
      if (this.#trouble !== undefined) log.info({ host }, 'the placement service knows what the host has')
      this.#trouble = undefined
      return { ...inventory, allocation: { ...inventory.allocation, ...ratios }, resourceProvider }
    } catch (error) {
      signal.throwIfAborted()
      const trouble = messageOf(error)
      if (trouble !== this.#trouble) log.warn({ host, trouble }, 'the placement service was not told what the host has')
      this.#trouble = trouble
      return this.#known === undefined ? inventory : { ...inventory, resourceProvider: this.#known }
    }
  }

  async #report(
    hostUuid: string,
    inventory: HostInventory,
    signal: AbortSignal,
  ): Promise<{ ratios: Ratios; resourceProvider: { uuid: string; isShared: boolean } }> {
    const { client, clock, sharedNames } = this.#options
    if (sharedNames !== undefined) {
      const uuid = await this.#shared(await sharedNames(), signal)
      // What the host has is said by the service it is shared with; that may have promised more than once of it.
      const { inventories } = await client.inventories(uuid, signal)
      return { ratios: ratiosIn(inventories, inventory), resourceProvider: { uuid, isShared: true } }
    }
    const resourceProvider = await this.#own(hostUuid, signal)
    const { uuid } = resourceProvider
    const ratios = await overConflicts(
      clock,
      signal,
      async () => {
        const there = await client.inventories(uuid, signal)
        const set = this.#ratios(there.inventories, inventory)
        const wanted = { ...there.inventories, ...this.#wanted(inventory, set) }
        if (!isLike(there.inventories, wanted)) {
          await client.putInventories(uuid, { ...there, inventories: wanted }, signal)
        }
        return set
      },
      (type) => type !== 'placement.inventory.inuse',
    )
    return { ratios, resourceProvider }
  }

  async #shared(names: readonly string[], signal: AbortSignal): Promise<string> {
    for (const name of names) {
      const found = await this.#options.client.providerByName(name, signal)
      if (found !== undefined) return found.uuid
    }
    throw new Error(`there is no resource provider named ${names.join(' or ')}, with which the host is shared`)
  }

  /**
   * Under the uuid of the host's record. One of its name that was there before, as that of an earlier installation, is
   * used; what is held of it by those whom we do not know is left alone.
   */
  async #own(uuid: string, signal: AbortSignal): Promise<NonNullable<HostInventory['resourceProvider']>> {
    const { client, host, log } = this.#options
    const isThere = async (): Promise<boolean> =>
      (await client.providersInTree(uuid, signal)).some((provider) => provider.uuid === uuid)
    const own = { uuid, isShared: false }
    if (await isThere()) return own
    try {
      await client.createProvider({ uuid, name: host }, signal)
      return own
    } catch (error) {
      if (!(error instanceof OpenStackError) || error.status !== 409) throw error
      // Somebody has made it just now; or the name is taken.
      if (await isThere()) return own
      const other = await client.providerByName(host, signal)
      if (other === undefined) throw error
      const { traits } = await client.traits(other.uuid, signal)
      if (traits.some((trait) => trait.startsWith(NOVA_TRAITS))) {
        const message = `the resource provider named ${host} is Nova's (${other.uuid}): [compute] host_shared_with_nova is to be set`
        throw new Error(message, { cause: error })
      }
      if (this.#known?.uuid !== other.uuid) {
        log.info({ host, provider: other.uuid }, 'a resource provider of its name was there before and is used')
      }
      return { uuid: other.uuid, isShared: true }
    }
  }

  #ratios(there: Inventories['inventories'], inventory: HostInventory): Ratios {
    const { cpu, ram, disk } = this.#options.ratios
    const found = ratiosIn(there, inventory)
    return {
      cpuRatio: cpu || found.cpuRatio,
      ramRatio: ram || found.ramRatio,
      diskRatio: disk || found.diskRatio,
    }
  }

  #wanted(has: HostInventory, ratios: Ratios): Inventories['inventories'] {
    const { reservedCpus, reservedMemoryMiB, reservedDiskGiB } = has.allocation
    const disk = Math.floor(has.diskTotalGiB / (1 - this.#options.reservedForImages))
    return {
      ...inventoryOf('VCPU', has.cpus, reservedCpus, ratios.cpuRatio),
      ...inventoryOf('MEMORY_MB', has.memTotalMiB, reservedMemoryMiB, ratios.ramRatio),
      ...inventoryOf('DISK_GB', disk, reservedDiskGiB, ratios.diskRatio),
    }
  }
}

type Ratios = Pick<HostInventory['allocation'], 'cpuRatio' | 'ramRatio' | 'diskRatio'>

/** As Placement has them, where it has any. */
function ratiosIn(there: Inventories['inventories'], { allocation }: HostInventory): Ratios {
  const of = (name: string): number | undefined => numberIn(there[name], 'allocation_ratio')
  return {
    cpuRatio: of('VCPU') ?? allocation.cpuRatio,
    ramRatio: of('MEMORY_MB') ?? allocation.ramRatio,
    diskRatio: of('DISK_GB') ?? allocation.diskRatio,
  }
}

/** Of what a host has none of there is no inventory. A reserve leaves half of what there is, as in our own count. */
function inventoryOf(name: string, total: number, reserved: number, ratio: number): Record<string, JsonRecord> {
  if (total < 1) return {}
  const kept = Math.min(reserved, Math.floor(total / 2))
  return { [name]: { total, reserved: kept, min_unit: 1, max_unit: total, step_size: 1, allocation_ratio: ratio } }
}

/** Classes of others stand in both. */
function isLike(there: Inventories['inventories'], wanted: Inventories['inventories']): boolean {
  return Object.entries(wanted).every(([name, fields]) =>
    Object.entries(fields).every(([field, value]) => there[name]?.[field] === value),
  )
}
