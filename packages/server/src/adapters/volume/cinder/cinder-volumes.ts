import { mkdir, readdir, realpath, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SystemFault } from '../../../domain/errors.ts'
import type { Logger } from '../../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../../orchestration/ports/control-plane.ts'
import type { AttachedVolume, HostHoldings, VolumeDriver } from '../../../orchestration/ports/drivers.ts'
import type { MountData } from '../../../orchestration/ports/wire.ts'
import type { HostCommand } from '../../host-command/host-command.ts'
import type { Connectors } from '../connectors/index.ts'
import { numberOf, type HostMounts } from '../host-mounts.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { Attachments } from './attachments.ts'
import { ensureFileSystem } from './file-system.ts'
import type { HostRecord, HostRecords } from './host-records.ts'

export interface CinderVolumesDeps {
  readonly attachments: Attachments
  readonly connectors: Connectors
  readonly records: HostRecords
  readonly command: HostCommand
  readonly mounts: HostMounts
  readonly log: Logger
  /** [volume] volume_dir. The engine must see it under the same path, and mounts below it too. */
  readonly directory: string
  /** [volume] fstype */
  readonly fstype: string
  /** [compute] remount_container_volume */
  readonly remount: boolean
}

/** For all of them: at the start of a host nothing waits long for a service that may be down as well. */
const ASKING_MS = 5_000

/** Volumes of the cloud's block storage. See docs/design/cinder.md. */
export class CinderVolumes implements VolumeDriver, HostHoldings {
  readonly #deps: CinderVolumesDeps
  readonly #turns = new TurnByKey()
  /** What is made in the place of mount points, and taking that away, must not meet. */
  readonly #placing = new TurnByKey()

  constructor(deps: CinderVolumesDeps) {
    this.#deps = deps
  }

  async attach(mount: MountData, o: CallOptions): Promise<AttachedVolume> {
    const { volumeUuid: volumeId, destination } = mount
    const holder = holderOf(mount)
    return await this.#turns.run(volumeId, o.signal, async () => {
      const { attachments, records } = this.#deps
      const before = await records.read(volumeId)
      const known = before?.holders[holder]?.attachmentId ?? null
      const attached = await attachments.obtain(volumeId, holder, known, o)
      const record: HostRecord = {
        volumeId,
        connection: attached.connection,
        isBeingFormatted: before?.isBeingFormatted ?? false,
        holders: {
          ...before?.holders,
          [holder]: { attachmentId: attached.attachmentId, autoRemove: mount.autoRemove },
        },
      }
      await records.write(record)
      const source = await this.#mount(record, mount.autoRemove, o)
      await attachments.complete(attached, o)
      return { source, destination, data: { ...mount, attachment: { holder, id: attached.attachmentId } } }
    })
  }

  async detach(mount: MountData, destroy: boolean, o: CallOptions): Promise<void> {
    const known = mount.attachment?.id ?? null
    await this.#turns.run(mount.volumeUuid, o.signal, () =>
      this.#letGo(mount.volumeUuid, holderOf(mount), known, destroy, o),
    )
  }

  async holders(): Promise<readonly string[]> {
    return (await this.#deps.records.all()).flatMap(({ holders }) => Object.keys(holders))
  }

  async abandon(holder: string, o: CallOptions): Promise<void> {
    for (const { volumeId, holders } of await this.#deps.records.all()) {
      if (!Object.hasOwn(holders, holder)) continue
      await this.#turns.run(volumeId, o.signal, async () => {
        const record = await this.#deps.records.read(volumeId)
        const { [holder]: mine, ...others } = record?.holders ?? {}
        if (record === undefined || mine === undefined) return
        if (Object.keys(others).length === 0) await this.#disconnect(record, false, o)
        // No other one: its container may be on another host by now.
        await this.#deps.attachments.releaseOne(mine.attachmentId, o)
        await this.#note(record, others)
      })
    }
  }

  /**
   * At the start of the agent, and when the engine is back: mounts again what is written down. A volume that cannot be mounted
   * is logged; it does not keep the others. `isStart`: nothing else is under way, so what is connected and not written
   * down was left by a crash. That nobody knows a holder is no reason to let go: the host may only have another name.
   */
  async restore({ isStart }: { readonly isStart: boolean }, signal: AbortSignal): Promise<void> {
    const { records, log, remount, connectors } = this.#deps
    if (isStart) await this.#leaveWhatWasTaken(signal)
    const known = await records.all()
    for (const { volumeId } of remount ? known : []) {
      try {
        await this.#turns.run(volumeId, signal, async () => {
          const record = await records.read(volumeId)
          if (record !== undefined) await this.#mount(record, false, { signal })
        })
      } catch (error) {
        signal.throwIfAborted()
        log.error({ volumeUuid: volumeId, err: error }, 'a volume was not mounted again')
      }
    }
    if (isStart) await connectors.tidy(known, { signal })
  }

  /**
   * A host that was given up for lost, and is back: what it had was given back without it, and somebody else may have it
   * mounted. Where the volume service does not answer, what is written down counts.
   */
  async #leaveWhatWasTaken(signal: AbortSignal): Promise<void> {
    const { records, attachments, log } = this.#deps
    const soon = AbortSignal.any([signal, AbortSignal.timeout(ASKING_MS)])
    for (const record of await records.all()) {
      const { volumeId, holders } = record
      try {
        const known = Object.entries(holders).map(([holder, { attachmentId }]) => ({ holder, attachmentId }))
        if (!(await attachments.isTaken(volumeId, known, { signal: soon }))) continue
        await this.#disconnect(record, false, { signal })
        await records.remove(volumeId)
        log.warn({ volumeUuid: volumeId }, 'a volume that was taken from this host is let go')
      } catch (error) {
        signal.throwIfAborted()
        log.warn({ volumeUuid: volumeId, err: error }, 'it is not known whether a volume is still attached here')
      }
    }
  }

  async #mount(record: HostRecord, isOurs: boolean, o: CallOptions): Promise<string> {
    const { connectors, command, mounts, records, fstype } = this.#deps
    const { volumeId, connection, isBeingFormatted } = record
    const place = await this.#place()
    const point = join(place, volumeId)
    const device = await connectors.of(connection.type).connect({ volumeId, connection, signal: o.signal })
    const there = await mounts.at(point)
    if (there === undefined) {
      const found = await ensureFileSystem(
        command,
        device,
        {
          volumeId,
          fstype,
          readOnly: connection.readOnly,
          isOurs: isOurs || isBeingFormatted,
          onFormat: () => records.write({ ...record, isBeingFormatted: true }),
        },
        o,
      )
      await this.#placing.run(place, o.signal, async () => {
        await mounts.mountMemory(place, o)
        await mkdir(point, { recursive: true, mode: 0o700 })
        await mounts.mountDevice(device, point, { fstype: found, readOnly: connection.readOnly }, o)
      })
      await records.write({ ...record, isBeingFormatted: false })
    } else if (there.device !== (await numberOf(device))) {
      throw new SystemFault('volume.not_mounted', `${point} holds ${there.device} in place of ${device}`)
    }
    return point
  }

  /** The last holder of this host takes the device along; the volume service is told when it is gone from here. */
  async #letGo(
    volumeId: string,
    holder: string,
    known: string | null,
    destroy: boolean,
    o: CallOptions,
  ): Promise<void> {
    const { attachments } = this.#deps
    const record = await this.#deps.records.read(volumeId)
    const { [holder]: mine, ...others } = record?.holders ?? {}
    const isLast = Object.keys(others).length === 0
    if (record !== undefined && isLast) await this.#disconnect(record, destroy, o)
    await attachments.release(volumeId, holder, known ?? mine?.attachmentId ?? null, o)
    if (destroy && isLast) await attachments.destroy(volumeId, o)
    if (record !== undefined) await this.#note(record, others)
  }

  async #note(record: HostRecord, holders: HostRecord['holders']): Promise<void> {
    const { records } = this.#deps
    if (Object.keys(holders).length === 0) await records.remove(record.volumeId)
    else await records.write({ ...record, holders })
  }

  async #disconnect({ volumeId, connection }: HostRecord, destroy: boolean, o: CallOptions): Promise<void> {
    const { connectors, mounts } = this.#deps
    const place = await this.#place()
    const point = join(place, volumeId)
    await mounts.unmount(point, destroy, o)
    await rmdir(point).catch(unlessMissing)
    await this.#clear(place, o)
    await connectors.of(connection.type).disconnect({ volumeId, connection, signal: o.signal })
  }

  /**
   * Mount points stand in memory: when the host starts anew there are none, so an engine that starts a container before us
   * fails ("bind source path does not exist"), instead of letting it write to the host's own disk.
   */
  async #place(): Promise<string> {
    await mkdir(this.#deps.directory, { recursive: true, mode: 0o700 })
    // The kernel lists mounts by their real path.
    return await realpath(this.#deps.directory)
  }

  /** After the last volume. */
  async #clear(place: string, o: CallOptions): Promise<void> {
    await this.#placing.run(place, o.signal, async () => {
      // Somebody of the host may look into it; it holds nothing.
      if ((await readdir(place)).length === 0) await this.#deps.mounts.unmount(place, false, o).catch(() => undefined)
    })
  }
}

function holderOf({ attachment, volumeUuid }: MountData): string {
  if (!/^[0-9a-f-]{36}$/.test(volumeUuid)) throw new SystemFault('volume.bad_id', `${volumeUuid} is no volume id`)
  if (attachment !== undefined && attachment !== null) return attachment.holder
  throw new SystemFault('volume.no_holder', `volume ${volumeUuid} was planned for nobody`)
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
