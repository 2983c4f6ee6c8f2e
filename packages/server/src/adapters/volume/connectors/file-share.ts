import { createHash } from 'node:crypto'
import { mkdir, readdir, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Retryable } from '../../../domain/errors.ts'
import { textIn } from '../../openstack/json.ts'
import type { HostCommand } from '../../host-command/host-command.ts'
import type { HostMounts } from '../host-mounts.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { Connector, ConnectorCall, Tidying } from './connector.ts'
import { badConnection, mustRun, told } from './faults.ts'
import type { LoopDevices } from './loop-devices.ts'

export interface FileShareDeps {
  /** `nfs`, `glusterfs`: what `mount -t` is told. */
  readonly kind: string
  /** Where exports are mounted, each in a directory of its own. */
  readonly directory: string
  readonly command: HostCommand
  readonly mounts: HostMounts
  readonly loops: LoopDevices
}

const MOUNT_TIMEOUT_MS = 60_000
/** A file that was just made may not be seen at once. */
const LOOKS = 5
const LOOK_MS = 500

/** Volumes that are files on a share of the network: the share is mounted, and the file becomes a device. */
export class FileShare implements Connector, Tidying {
  readonly #deps: FileShareDeps
  /** By export: mounting and the last unmounting must not meet. */
  readonly #turns = new TurnByKey()

  constructor(deps: FileShareDeps) {
    this.#deps = deps
  }

  async connect(call: ConnectorCall): Promise<string> {
    const { loops, kind } = this.#deps
    const { connection, volumeId, signal } = call
    const format = textIn(connection.data, 'format') ?? 'raw'
    if (format !== 'raw') throw badConnection(volumeId, kind, `its file has the format ${format}, only raw can be used`)
    const share = told(call, 'export')
    const file = this.#fileOf(call)
    return await this.#turns.run(share, signal, async () => {
      await this.#mount(share, call)
      await seen(file, signal)
      return await loops.attach(file, connection.readOnly, { signal })
    })
  }

  async disconnect(call: ConnectorCall): Promise<void> {
    const share = told(call, 'export')
    await this.#turns.run(share, call.signal, async () => {
      await this.#deps.loops.detach(this.#fileOf(call), call)
      await this.#unmountIfUnused(this.#placeOf(share), call)
    })
  }

  /** By the files that were told: their names need not say which volume they are. */
  async tidy(kept: readonly Omit<ConnectorCall, 'signal'>[], o: { readonly signal: AbortSignal }): Promise<void> {
    const { loops, directory, kind } = this.#deps
    const files = kept
      .filter(({ connection }) => connection.type === kind)
      .flatMap((one) => this.#fileIfTold({ ...one, ...o }) ?? [])
    for (const { file } of await loops.all(o)) {
      if (file.startsWith(`${directory}/`) && !files.includes(file)) await loops.detach(file, o)
    }
    for (const name of await readdir(directory).catch(() => [])) await this.#unmountIfUnused(join(directory, name), o)
  }

  async #mount(share: string, call: ConnectorCall): Promise<void> {
    const { command, mounts, kind } = this.#deps
    const place = this.#placeOf(share)
    await mkdir(place, { recursive: true, mode: 0o700 })
    if ((await mounts.at(place)) !== undefined) return
    const options = ['nosuid', 'nodev', ...optionsOf(call)].join(',')
    await mustRun(command, 'mount', ['-t', kind, '-o', options, share, place], {
      signal: call.signal,
      timeoutMs: MOUNT_TIMEOUT_MS,
    })
  }

  async #unmountIfUnused(place: string, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { mounts, loops } = this.#deps
    const isUsed = (await loops.all({ signal })).some(({ file }) => file.startsWith(`${place}/`))
    if (isUsed) return
    await mounts.unmount(place, false, { signal })
    await rmdir(place).catch(() => undefined)
  }

  #placeOf(share: string): string {
    return join(this.#deps.directory, createHash('sha256').update(share).digest('hex').slice(0, 32))
  }

  /** Of a connection that cannot be nothing was ever connected. */
  #fileIfTold(call: ConnectorCall): string | undefined {
    try {
      return this.#fileOf(call)
    } catch {
      return undefined
    }
  }

  #fileOf(call: ConnectorCall): string {
    const name = told(call, 'name')
    if (name.includes('/') || name === '..' || name === '.') {
      throw badConnection(call.volumeId, this.#deps.kind, `${JSON.stringify(name)} is not the name of a file`)
    }
    return join(this.#placeOf(told(call, 'export')), name)
  }
}

/** `-o a,b` or `a,b`, as backends write it. */
function optionsOf({ connection, volumeId }: ConnectorCall): string[] {
  const text = textIn(connection.data, 'options') ?? ''
  const options = text.replace(/^\s*-o\s*/, '').trim()
  if (options === '') return []
  if (!/^[\w.,:=/@+-]+$/.test(options)) throw badConnection(volumeId, connection.type, `its options are ${text}`)
  return options.split(',')
}

async function seen(file: string, signal: AbortSignal): Promise<void> {
  for (let look = 1; ; look += 1) {
    const there = await stat(file).catch(() => undefined)
    if (there?.isFile() === true) return
    if (look === LOOKS) throw new Retryable('volume.not_connected', `${file} is not there`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    signal.throwIfAborted()
  }
}
