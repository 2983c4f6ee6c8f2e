import { SystemFault } from '../../../domain/errors.ts'
import type { HostCommand } from '../../host-command/host-command.ts'
import type { HostMounts } from '../host-mounts.ts'
import type { Connector, ConnectorCall, Tidying } from './connector.ts'
import { FileShare } from './file-share.ts'
import { Iscsi } from './iscsi.ts'
import { LocalDevice } from './local-device.ts'
import { LoopDevices } from './loop-devices.ts'
import { Rbd } from './rbd.ts'

export interface ConnectorsDeps {
  readonly command: HostCommand
  readonly mounts: HostMounts
  /** Absolute, and without links in it: of what connectors keep. */
  readonly directory: string
  readonly multipath: boolean
}

/** By `driver_volume_type`. */
export class Connectors implements Tidying {
  readonly #byType: Readonly<Record<string, Connector>>
  readonly #shares: readonly FileShare[]

  constructor({ command, mounts, directory, multipath }: ConnectorsDeps) {
    const loops = new LoopDevices(command)
    const share = (kind: string): FileShare =>
      new FileShare({ kind, directory: `${directory}/exports/${kind}`, command, mounts, loops })
    const [nfs, glusterfs] = [share('nfs'), share('glusterfs')]
    this.#shares = [nfs, glusterfs]
    this.#byType = {
      nfs,
      glusterfs,
      iscsi: new Iscsi({ command, multipath }),
      rbd: new Rbd({ directory: `${directory}/rbd`, command }),
      local: new LocalDevice(),
    }
  }

  of(type: string): Connector {
    const found = Object.hasOwn(this.#byType, type) ? this.#byType[type] : undefined
    if (found !== undefined) return found
    throw new SystemFault(
      'volume.no_connector',
      `volumes of type ${type} cannot be connected on this host; there are connectors for ${Object.keys(this.#byType).join(', ')}`,
    )
  }

  async tidy(kept: readonly Omit<ConnectorCall, 'signal'>[], o: { readonly signal: AbortSignal }): Promise<void> {
    for (const share of this.#shares) await share.tidy(kept, o)
  }
}
