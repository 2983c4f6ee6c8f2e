/** Whose volumes containers mount: those of a cloud, or of the machine itself. */
import { randomUUID } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessCommand } from '../adapters/host-command/process-command.ts'
import { Cinder } from '../adapters/openstack/cinder.ts'
import { Attachments } from '../adapters/volume/cinder/attachments.ts'
import { CinderPlanner } from '../adapters/volume/cinder/cinder-planner.ts'
import { CinderVolumes } from '../adapters/volume/cinder/cinder-volumes.ts'
import { HostRecords } from '../adapters/volume/cinder/host-records.ts'
import { Connectors } from '../adapters/volume/connectors/index.ts'
import { connectorProperties } from '../adapters/volume/connectors/properties.ts'
import { HostMounts } from '../adapters/volume/host-mounts.ts'
import { LocalVolumes } from '../adapters/volume/local-volumes.ts'
import { VolumesByProvider } from '../adapters/volume/volumes-by-provider.ts'
import type { AppOptions } from '../app/options.ts'
import type { VolumePlanner } from '../app/ports/volume-planner.ts'
import { LocalVolumePlanner } from '../app/volumes/local-planner.ts'
import { systemClock } from '../lib/system-clock.ts'
import type { Logger } from '../orchestration/ports/clock.ts'
import type { HostHoldings, VolumeDriver } from '../orchestration/ports/drivers.ts'
import type { Store } from '../orchestration/ports/store.ts'
import type { MountData } from '../orchestration/ports/wire.ts'
import type { Cloud } from './cloud.ts'
import { ConfigError } from './config/config-error.ts'
import type { Config } from './config/options.ts'
import type { StateDir } from './state-dir.ts'

function cinderOf(config: Config, cloud: Cloud | undefined): Cinder | undefined {
  if (config.volumesFrom === 'local') return undefined
  if (cloud !== undefined) return new Cinder(cloud.session)
  if (config.volumesFrom === 'auto') return undefined
  throw new ConfigError('option volumes in [zund] is cinder, which needs the login of [keystone_auth]')
}

export function composeVolumePlanner(
  config: Config,
  options: AppOptions,
  { cloud, store, log }: { readonly cloud?: Cloud | undefined; readonly store: Store; readonly log: Logger },
): VolumePlanner {
  const cinder = cinderOf(config, cloud)
  return cinder === undefined
    ? new LocalVolumePlanner({ quota: options.localQuota, newUuid: randomUUID })
    : new CinderPlanner({ cinder, store, newUuid: randomUUID, log })
}

export interface HostVolumes extends VolumeDriver {
  /** `isStart`: nothing is under way yet. */
  restore(o: { readonly isStart: boolean }, signal: AbortSignal): Promise<void>
  /** Absent: none is a cloud's. */
  readonly holdings?: HostHoldings
}

export function composeHostVolumes({
  config,
  state,
  log,
  cloud,
}: {
  readonly config: Config
  readonly state: StateDir
  readonly log: Logger
  readonly cloud: Cloud | undefined
}): HostVolumes {
  const command = new ProcessCommand()
  const local = new LocalVolumes({ directory: state.file('volumes'), command, log })
  const cinder = cinderOf(config, cloud)
  const block = cinder === undefined ? undefined : composeCinderVolumes(config, state, log, cinder)
  const accepts = (driver: string): boolean => config.volumeDriverList.includes(driver)
  const drivers = new Map<MountData['provider'], VolumeDriver>()
  if (block !== undefined) {
    if (accepts('cinder')) drivers.set('block-storage', block)
    if (accepts('local')) drivers.set('file', local)
  } else drivers.set('volume', local).set('file', local)
  const byProvider = new VolumesByProvider(drivers)
  return {
    attach: async (mount, o) => await byProvider.attach(mount, o),
    detach: async (mount, destroy, o) => await byProvider.detach(mount, destroy, o),
    restore: async (o, signal) => {
      await local.restore(signal)
      await block?.restore(o, signal)
    },
    ...(block === undefined ? {} : { holdings: block }),
  }
}

function composeCinderVolumes(config: Config, state: StateDir, log: Logger, cinder: Cinder): CinderVolumes {
  const command = new ProcessCommand()
  const mounts = new HostMounts(command)
  // What is mounted is listed by its real path.
  const directory = join(realpathSync(state.path), 'block-storage')
  const { host, useMultipath: multipath } = config
  return new CinderVolumes({
    attachments: new Attachments({
      cinder,
      clock: systemClock,
      properties: () => connectorProperties({ host, ip: config.myBlockStorageIp, multipath }),
      availableTimeoutMs: config.volumeAvailableTimeout * 1000,
      deletedTimeoutMs: config.volumeDeletedTimeout * 1000,
    }),
    connectors: new Connectors({ command, mounts, directory, multipath }),
    records: new HostRecords(`${directory}/records`),
    command,
    mounts,
    log,
    directory: config.volumeDir ?? state.file('mnt'),
    fstype: config.volumeFstype,
    remount: config.remountVolumes,
  })
}
