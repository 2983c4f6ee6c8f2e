import { chmod, mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SystemFault } from '../../domain/errors.ts'
import type { Logger } from '../../orchestration/ports/clock.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { VolumeDriver } from '../../orchestration/ports/drivers.ts'
import type { EngineMount } from '../../orchestration/ports/engine.ts'
import type { MountData } from '../../orchestration/ports/wire.ts'
import type { HostCommand } from '../host-command/host-command.ts'
import { HostMounts } from './host-mounts.ts'
import { ensureImage, exists, flush, UNFINISHED } from './volume-image.ts'

export interface LocalVolumesDeps {
  /** Absolute. The engine must see it under the same path, and mounts below it too. */
  readonly directory: string
  readonly command: HostCommand
  readonly log: Logger
  /** Bytes a new volume must leave free on the disk, or the host itself runs into trouble. Default 1 GiB. */
  readonly keepFreeBytes?: number
}

const KEEP_FREE_BYTES = 1024 ** 3

/**
 * What containers see is this directory of the volume, not its root. It exists only while the volume is mounted, so an
 * engine that starts a container before that (at boot) fails, instead of letting it fill the host's disk. It also keeps
 * `lost+found` out of sight, which makes images of databases refuse the directory.
 */
const CONTENT = 'data'

interface Places {
  readonly images: string
  readonly mounts: string
  readonly files: string
}

/** Volumes of a host without Cinder, and files that users sent along. See docs/design/local-volumes.md. */
export class LocalVolumes implements VolumeDriver {
  readonly #deps: LocalVolumesDeps
  readonly #mounts: HostMounts
  /** By volume: the end of what is being done to it. */
  readonly #turns = new Map<string, Promise<unknown>>()
  #places: Promise<Places> | undefined

  constructor(deps: LocalVolumesDeps) {
    this.#deps = deps
    this.#mounts = new HostMounts(deps.command)
  }

  async attach(mount: MountData, { signal }: CallOptions): Promise<EngineMount> {
    const source = await this.#inTurn(mount.volumeUuid, signal, async () =>
      mount.provider === 'file' ? await this.#writeFile(mount) : await this.#mountVolume(mount, signal),
    )
    return { source, destination: mount.destination }
  }

  async detach(mount: MountData, destroy: boolean, { signal }: CallOptions): Promise<void> {
    await this.#inTurn(mount.volumeUuid, signal, async () => {
      const { files, images, mounts } = await this.#prepared()
      if (mount.provider === 'file') {
        if (destroy) await rm(join(files, mount.volumeUuid), { force: true })
        return
      }
      const mountPoint = join(mounts, mount.volumeUuid)
      await this.#mounts.unmount(mountPoint, destroy, { signal })
      if (destroy) await removeImage(imageIn(images, mount.volumeUuid))
      await rmdir(mountPoint).catch(unlessMissing)
    })
  }

  /**
   * Once per life of the agent, before anything is attached: mounts what was mounted when the host went down, and removes
   * what a crash has left half made. A volume that cannot be mounted is logged; it does not keep the others.
   */
  async restore(signal: AbortSignal): Promise<void> {
    const { images, mounts, files } = await this.#prepared()
    for (const directory of [images, files]) {
      const left = (await readdir(directory)).filter((name) => name.endsWith(UNFINISHED))
      for (const name of left) await rm(join(directory, name), { force: true })
    }
    // A mount point is made before the first mount and removed after the last: it says that the volume is held.
    for (const volumeUuid of await readdir(mounts)) {
      try {
        if (await exists(imageIn(images, volumeUuid))) await this.#mountImage(volumeUuid, signal)
        else if ((await this.#mounts.at(join(mounts, volumeUuid))) === undefined) await rmdir(join(mounts, volumeUuid))
      } catch (error) {
        signal.throwIfAborted()
        this.#deps.log.error({ volumeUuid, err: error }, 'a volume was not mounted again')
      }
    }
  }

  async #mountVolume(mount: MountData, signal: AbortSignal): Promise<string> {
    const { images } = await this.#prepared()
    await ensureImage(
      this.#deps.command,
      imageIn(images, mount.volumeUuid),
      { sizeGiB: mount.sizeGiB, keepFreeBytes: this.#deps.keepFreeBytes ?? KEEP_FREE_BYTES },
      { signal },
    )
    return await this.#mountImage(mount.volumeUuid, signal)
  }

  async #mountImage(volumeUuid: string, signal: AbortSignal): Promise<string> {
    const { images, mounts } = await this.#prepared()
    const image = imageIn(images, volumeUuid)
    const mountPoint = join(mounts, volumeUuid)
    await mkdir(mountPoint, { recursive: true, mode: 0o700 })
    if ((await this.#mounts.at(mountPoint)) === undefined) {
      await this.#mounts.mountImage(image, mountPoint, { signal })
    }
    const there = await this.#mounts.at(mountPoint)
    if (there?.image !== image) {
      const other = there?.image ?? there?.device ?? 'nothing'
      throw new SystemFault('volume.not_mounted', `${mountPoint} holds ${other} in place of ${image}`)
    }
    await this.#mounts.keepReserved(there)
    const content = join(mountPoint, CONTENT)
    const made = await mkdir(content, { recursive: true })
    if (made !== undefined) await chmod(content, 0o755)
    return content
  }

  /** An existing file is left as it is: the container may have changed it, and a running one is bound to that very file. */
  async #writeFile(mount: MountData): Promise<string> {
    const { files } = await this.#prepared()
    const path = join(files, mount.volumeUuid)
    if (await exists(path)) return path
    await rm(path + UNFINISHED, { force: true })
    // Any user inside may read it; on the host, the directories above keep strangers out.
    const file = await open(path + UNFINISHED, 'wx', 0o644)
    try {
      await file.chmod(0o644)
      await file.writeFile(Buffer.from(mount.contents ?? '', 'base64'))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(path + UNFINISHED, path)
    await flush(dirname(path))
    return path
  }

  /** One thing at a time per volume: two attaches at once must not make two images. */
  async #inTurn<T>(volumeUuid: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (!/^[0-9a-f-]{36}$/.test(volumeUuid)) throw new SystemFault('volume.bad_id', `${volumeUuid} is no volume id`)
    const before = this.#turns.get(volumeUuid)
    const mine = (async () => {
      await before?.catch(() => undefined)
      signal.throwIfAborted()
      return await task()
    })()
    this.#turns.set(volumeUuid, mine)
    try {
      return await mine
    } finally {
      if (this.#turns.get(volumeUuid) === mine) this.#turns.delete(volumeUuid)
    }
  }

  #prepared(): Promise<Places> {
    this.#places ??= makePlaces(this.#deps.directory).catch((error: unknown) => {
      this.#places = undefined
      throw error
    })
    return this.#places
  }
}

/** Only for root: what tenants keep is nobody else's business on the host. */
async function makePlaces(directory: string): Promise<Places> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // The kernel lists mounts by their real path.
  const root = await realpath(directory)
  const places = { images: join(root, 'volumes'), mounts: join(root, 'mnt'), files: join(root, 'files') }
  for (const place of Object.values(places)) await mkdir(place, { recursive: true, mode: 0o700 })
  return places
}

function imageIn(images: string, volumeUuid: string): string {
  return join(images, `${volumeUuid}.img`)
}

async function removeImage(image: string): Promise<void> {
  for (const path of [image, image + UNFINISHED]) await rm(path, { force: true })
}

function unlessMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}
