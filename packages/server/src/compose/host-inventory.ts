import { readInventory } from '../adapters/host/inventory.ts'
import { hostNames } from '../adapters/host/names.ts'
import { ResourceReport } from '../adapters/openstack/placement/report.ts'
import { systemClock } from '../lib/system-clock.ts'
import type { HostAgentDeps } from '../orchestration/host-agent.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import type { ContainerEngine } from '../orchestration/ports/engine.ts'
import type { Cloud } from './cloud.ts'
import type { Config } from './config/options.ts'

export interface HostInventoryDeps {
  readonly config: Config
  readonly log: Logger
  readonly engine: ContainerEngine
  /** undefined: the machine stands alone. */
  readonly cloud: Cloud | undefined
}

/** What the host has. Where there is a Placement it is told, and what it makes of that counts. */
export function composeInventory({ config, log, engine, cloud }: HostInventoryDeps): HostAgentDeps['readInventory'] {
  const report =
    cloud?.placement === undefined
      ? undefined
      : new ResourceReport({
          client: cloud.placement.client,
          clock: systemClock,
          log,
          host: config.host,
          sharedNames: config.hostSharedWithNova ? () => hostNames(config.host) : undefined,
          ratios: {
            cpu: config.cpuAllocationRatio,
            ram: config.ramAllocationRatio,
            disk: config.diskAllocationRatio,
          },
          reservedForImages: config.reserveDiskForImage,
        })
  return async (signal, { uuid }) => {
    const inventory = await readInventory(engine, config, { signal })
    return report === undefined || uuid === undefined ? inventory : await report.told(uuid, inventory, signal)
  }
}
