import { SystemFault, UserFault } from '../../../domain/errors.ts'
import { complaint, type HostCommand } from '../../host-command/host-command.ts'
import { mustRun } from '../connectors/faults.ts'
import { looksEmpty } from './looks-empty.ts'

interface CallOptions {
  readonly signal: AbortSignal
}

export interface FormatOptions {
  readonly volumeId: string
  /** [volume] fstype */
  readonly fstype: string
  readonly readOnly: boolean
  /** Nobody but us can have written to it: it was made for this container, or was found empty and begun to be formatted. */
  readonly isOurs: boolean
  /** To be noted before anything is written, so that what a crash leaves half made is known to be ours. */
  readonly onFormat: () => Promise<void>
}

/** File systems that are mounted, whoever has made them. */
const KNOWN: readonly string[] = ['ext2', 'ext3', 'ext4', 'xfs']
const FORMAT_TIMEOUT_MS = 30 * 60_000
const NOTHING_FOUND = 2

/** Makes sure that there is one, and says which. Only a device that has nothing on it is ever formatted. */
export async function ensureFileSystem(
  command: HostCommand,
  device: string,
  options: FormatOptions,
  o: CallOptions,
): Promise<string> {
  const { volumeId, fstype, readOnly, isOurs, onFormat } = options
  const found = await signatureOf(command, device, o)
  if (found !== undefined) {
    if (KNOWN.includes(found) || found === fstype) return found
    throw notMountable(volumeId, `it holds ${found}; there is no file system to be mounted`)
  }
  if (readOnly) throw notMountable(volumeId, 'it has no file system, and may not be written to')
  if (!isOurs && !(await isEmpty(device, volumeId))) {
    throw notMountable(volumeId, 'it has no file system that is known, but it is not empty: it is left as it is')
  }
  await onFormat()
  const force = fstype.startsWith('ext') ? ['-F', '-q'] : ['-f', '-q']
  await mustRun(command, 'mkfs', ['-t', fstype, ...force, device], { signal: o.signal, timeoutMs: FORMAT_TIMEOUT_MS })
  return fstype
}

/** What the device says it holds; undefined: nothing. */
async function signatureOf(command: HostCommand, device: string, { signal }: CallOptions): Promise<string | undefined> {
  const result = await command.run('blkid', ['--probe', '--output', 'export', device], { signal, timeoutMs: 60_000 })
  if (result.exitCode === NOTHING_FOUND && result.stderr.trim() === '') return undefined
  // Also when it is not sure: two signatures at once are data, too.
  if (result.exitCode !== 0) {
    throw new SystemFault('volume.not_read', `what ${device} holds cannot be told: ${complaint(result)}`)
  }
  const values = new Map(
    result.stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const type = values.get('TYPE')
  const table = values.get('PTTYPE')
  if (table !== undefined) return `a partition table (${table})`
  return type ?? 'something unknown'
}

async function isEmpty(device: string, volumeId: string): Promise<boolean> {
  const empty = await looksEmpty(device)
  if (empty === undefined) throw notMountable(volumeId, 'its device has no size')
  return empty
}

function notMountable(volumeId: string, why: string): UserFault {
  return new UserFault('volume.not_mountable', `volume ${volumeId} cannot be mounted: ${why}`)
}
