import { constants } from 'node:fs'
import { access, readFile, stat, writeFile } from 'node:fs/promises'
import { Retryable, SystemFault } from '../../domain/errors.ts'
import { complaint, type CommandResult, type HostCommand } from '../host-command/host-command.ts'

export interface Mounted {
  /** `major:minor` */
  readonly device: string
  /** File behind the device; null: it is no loop device. */
  readonly image: string | null
}

/** More mounts than this on top of each other are not of our making. */
const MAX_STACKED = 8

/** Mounts image files of the host through loop devices, and finds out what is mounted. */
export class HostMounts {
  readonly #command: HostCommand

  constructor(command: HostCommand) {
    this.#command = command
  }

  /** What is mounted there; undefined: nothing is. */
  async at(mountPoint: string): Promise<Mounted | undefined> {
    const table = await readFile('/proc/self/mountinfo', 'utf8')
    // The last one of that place is the one on top.
    const entry = table
      .split('\n')
      .map((line) => line.split(' '))
      .findLast((fields) => unescape(fields[4] ?? '') === mountPoint)
    if (entry === undefined) return undefined
    const device = entry[2] ?? ''
    const backing = await readFile(`/sys/dev/block/${device}/loop/backing_file`, 'utf8').catch(() => null)
    return { device, image: backing === null ? null : backing.replace(/\n$/, '') }
  }

  /** Trimming, which hosts do on a timer, would give the blocks of the image back that were reserved for it. */
  async keepReserved({ device }: Mounted): Promise<void> {
    await writeFile(`/sys/dev/block/${device}/queue/discard_max_bytes`, '0')
  }

  /**
   * The loop device goes away by itself with its last mount. An image that has one already, because a container of an
   * earlier life still holds its mount, gets the same one again: a second would be a second file system on one image.
   */
  async mountImage(image: string, mountPoint: string, { signal }: { signal: AbortSignal }): Promise<void> {
    const options = 'loop,nodev,nosuid,noatime,errors=remount-ro'
    const result = await this.#command.run('mount', ['-t', 'ext4', '-o', options, image, mountPoint], { signal })
    if (result.exitCode !== 0) throw await mountFault(image, result)
  }

  /** A device that holds a file system. */
  async mountDevice(
    device: string,
    mountPoint: string,
    { fstype, readOnly }: { readonly fstype: string; readonly readOnly: boolean },
    { signal }: { signal: AbortSignal },
  ): Promise<void> {
    const options = ['nodev', 'nosuid', ...(readOnly ? ['ro'] : [])].join(',')
    const result = await this.#command.run('mount', ['-t', fstype, '-o', options, device, mountPoint], { signal })
    if (result.exitCode !== 0) throw await mountFault(mountPoint, result)
  }

  /** So that what stands in directories below it is gone when the host starts anew, before anybody looks. */
  async mountMemory(directory: string, { signal }: { signal: AbortSignal }): Promise<void> {
    if ((await this.at(directory)) !== undefined) return
    const args = ['-t', 'tmpfs', '-o', 'mode=0700,size=1m,nodev,nosuid', 'zund', directory]
    const result = await this.#command.run('mount', args, { signal })
    if (result.exitCode !== 0) throw await mountFault(directory, result)
  }

  /** Repeatable. Retryable `volume.busy` while a process of the host itself uses it, unless `evenIfBusy`. */
  async unmount(mountPoint: string, evenIfBusy: boolean, { signal }: { signal: AbortSignal }): Promise<void> {
    for (let n = 0; n < MAX_STACKED && (await this.at(mountPoint)) !== undefined; n += 1) {
      const result = await this.#command.run('umount', [mountPoint], { signal })
      if (result.exitCode === 0 || (await this.at(mountPoint)) === undefined) continue
      if (!evenIfBusy) throw new Retryable('volume.busy', `a volume cannot be unmounted: ${complaint(result)}`)
      await this.#command.run('umount', ['--lazy', mountPoint], { signal })
    }
  }
}

/** `major:minor` of a device, as tables of mounts have it. */
export async function numberOf(device: string): Promise<string> {
  const { rdev } = await stat(device)
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`
}

/** In /proc, blanks and the like are written as octal numbers. */
function unescape(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

async function mountFault(image: string, result: CommandResult): Promise<SystemFault> {
  const why = (await missingRight()) ?? complaint(result)
  return new SystemFault('volume.not_mounted', `volume ${nameOf(image)} cannot be mounted on this host: ${why}`)
}

/** Looks at facts instead of reading the program's words. */
async function missingRight(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'volumes with a size need zund to run as root'
  const hasLoop = await access('/dev/loop-control', constants.F_OK).then(
    () => true,
    () => false,
  )
  return hasLoop ? undefined : 'it has no loop devices (/dev/loop-control is missing)'
}

function nameOf(image: string): string {
  return image.replace(/^.*\//, '').replace(/\.img$/, '')
}
