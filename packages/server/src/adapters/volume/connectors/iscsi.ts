import { readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Retryable } from '../../../domain/errors.ts'
import { complaint, type CommandResult, type HostCommand } from '../../host-command/host-command.ts'
import { textIn } from '../../openstack/json.ts'
import { TurnByKey } from '../../../lib/turn-by-key.ts'
import type { Connector, ConnectorCall } from './connector.ts'
import { badConnection, mustRun } from './faults.ts'
import { targetsOf, type Target } from './iscsi-targets.ts'

export interface IscsiDeps {
  readonly command: HostCommand
  /** [volume] use_multipath */
  readonly multipath: boolean
  /** Where /sys and /dev are; others than `/` are for tests. */
  readonly root?: string
  /** Milliseconds between two looks for a device that was asked for. */
  readonly lookMs?: number
}

/** As long as upstream looks for a device, in looks. */
const LOOKS = 3
const LOOK_MS = 1_000
const TIMEOUT_MS = 60_000
/** What iscsiadm says by its exit code. */
const NO_RECORDS = 21
const SESSION_EXISTS = 15
const NO_SESSION = [21, 24]

/** Volumes of iSCSI targets, over one path, or over all of them as one device. */
export class Iscsi implements Connector {
  readonly #deps: IscsiDeps
  /** By target: a login and the last logout must not meet. */
  readonly #turns = new TurnByKey()

  constructor(deps: IscsiDeps) {
    this.#deps = deps
  }

  async connect(call: ConnectorCall): Promise<string> {
    const targets = targetsOf(call)
    const paths: string[] = []
    let refused: unknown
    for (const target of targets) {
      try {
        paths.push(await this.#turns.run(target.iqn, call.signal, () => this.#connectOne(target, call)))
        if (!this.#deps.multipath) break
      } catch (error) {
        call.signal.throwIfAborted()
        // Another way may lead there.
        refused ??= error
      }
    }
    const [first] = paths
    if (first === undefined) throw refused ?? badConnection(call.volumeId, 'iscsi', 'it names no target')
    return this.#deps.multipath ? await this.#mapOver(paths, call) : first
  }

  async disconnect(call: ConnectorCall): Promise<void> {
    const targets = targetsOf(call)
    const found: string[] = []
    for (const target of targets) found.push(...(await this.#deviceOf(target, call.signal, 1)))
    const { command, multipath } = this.#deps
    if (multipath) {
      for (const map of await this.#mapsOver(found)) await mustRun(command, 'multipath', ['-f', map], call)
    }
    for (const device of found) {
      await mustRun(command, 'blockdev', ['--flushbufs', device], { signal: call.signal, timeoutMs: TIMEOUT_MS })
      await writeFile(this.#sys('block', basename(device), 'device', 'delete'), '1')
    }
    for (const target of targets) {
      await this.#turns.run(target.iqn, call.signal, () => this.#logOutIfUnused(target, call.signal))
    }
  }

  async #connectOne(target: Target, call: ConnectorCall): Promise<string> {
    const { signal } = call
    const known = await this.#admin(target, [], signal)
    if (known.exitCode === NO_RECORDS) await this.#must(target, ['--interface', 'default', '--op', 'new'], signal)
    else if (known.exitCode !== 0) throw this.#fault(known)
    // Only the volume that was asked for is looked at, not all that a shared target has.
    await this.#set(target, 'node.session.scan', 'manual', signal)
    for (const [name, value] of chapOf(call)) await this.#set(target, name, value, signal)
    const login = await this.#admin(target, ['--login'], signal)
    if (login.exitCode !== 0 && login.exitCode !== SESSION_EXISTS) throw this.#fault(login)
    await this.#set(target, 'node.startup', 'automatic', signal)
    await this.#scan(target)
    const [device] = await this.#deviceOf(target, signal, LOOKS)
    if (device !== undefined) return device
    throw new Retryable(
      'volume.not_connected',
      `no device came of ${target.iqn} at ${target.portal}, LUN ${target.lun}`,
    )
  }

  /** Of the hosts that the target's sessions are on. */
  async #scan(target: Target): Promise<void> {
    for (const host of await namesIn(this.#sys('class', 'iscsi_host'))) {
      const device = this.#sys('class', 'iscsi_host', host, 'device')
      for (const session of (await namesIn(device)).filter((name) => name.startsWith('session'))) {
        const name = await readFile(join(device, session, 'iscsi_session', session, 'targetname'), 'utf8').catch(
          () => '',
        )
        if (name.trim() !== target.iqn) continue
        await writeFile(this.#sys('class', 'scsi_host', host, 'scan'), `- - ${target.lun}`)
      }
    }
  }

  async #deviceOf(target: Target, signal: AbortSignal, looks: number): Promise<string[]> {
    const link = this.#dev('disk', 'by-path', `ip-${target.portal}-iscsi-${target.iqn}-lun-${target.lun}`)
    for (let look = 1; ; look += 1) {
      const device = await realpath(link).catch(() => undefined)
      if (device !== undefined) return [device]
      if (look >= looks) return []
      await new Promise((resolve) => setTimeout(resolve, this.#deps.lookMs ?? LOOK_MS))
      signal.throwIfAborted()
    }
  }

  async #logOutIfUnused(target: Target, signal: AbortSignal): Promise<void> {
    const mine = `ip-${target.portal}-iscsi-${target.iqn}-lun-`
    const left = (await namesIn(this.#dev('disk', 'by-path'))).filter((name) => name.startsWith(mine))
    if (left.some((name) => /^\d+$/.test(name.slice(mine.length)) && name !== `${mine}${target.lun}`)) return
    const logout = await this.#admin(target, ['--logout'], signal)
    if (logout.exitCode !== 0 && !NO_SESSION.includes(logout.exitCode)) throw this.#fault(logout)
    const deleted = await this.#admin(target, ['--op', 'delete'], signal)
    if (deleted.exitCode !== 0 && !NO_SESSION.includes(deleted.exitCode)) throw this.#fault(deleted)
  }

  async #mapOver(paths: readonly string[], { signal, volumeId }: ConnectorCall): Promise<string> {
    for (let look = 1; look <= LOOKS; look += 1) {
      const [map] = await this.#mapsOver(paths)
      if (map !== undefined) return map
      await new Promise((resolve) => setTimeout(resolve, this.#deps.lookMs ?? LOOK_MS))
      signal.throwIfAborted()
    }
    throw new Retryable('volume.not_connected', `multipathd has made no device of the paths of volume ${volumeId}`)
  }

  /** Devices that multipathd has made over these. */
  async #mapsOver(paths: readonly string[]): Promise<string[]> {
    const maps = new Set<string>()
    for (const path of paths) {
      for (const holder of await namesIn(this.#sys('block', basename(path), 'holders'))) {
        const uuid = await readFile(this.#sys('block', holder, 'dm', 'uuid'), 'utf8').catch(() => '')
        if (uuid.startsWith('mpath-')) maps.add(this.#dev(holder))
      }
    }
    return [...maps]
  }

  async #set(target: Target, name: string, value: string, signal: AbortSignal): Promise<void> {
    await this.#must(target, ['--op', 'update', '-n', name, '-v', value], signal)
  }

  async #must(target: Target, args: readonly string[], signal: AbortSignal): Promise<void> {
    const result = await this.#admin(target, args, signal)
    if (result.exitCode !== 0) throw this.#fault(result)
  }

  async #admin(target: Target, args: readonly string[], signal: AbortSignal): Promise<CommandResult> {
    const node = ['-m', 'node', '-T', target.iqn, '-p', target.portal]
    return await this.#deps.command.run('iscsiadm', [...node, ...args], { signal, timeoutMs: TIMEOUT_MS })
  }

  /** Without the arguments: a password may be among them. */
  #fault(result: CommandResult): Retryable {
    return new Retryable('volume.not_connected', `iscsiadm: ${complaint(result)}`)
  }

  #sys(...path: readonly string[]): string {
    return join(this.#deps.root ?? '/', 'sys', ...path)
  }

  #dev(...path: readonly string[]): string {
    return join(this.#deps.root ?? '/', 'dev', ...path)
  }
}

function chapOf({ connection: { data } }: ConnectorCall): [string, string][] {
  const method = textIn(data, 'auth_method')
  const username = textIn(data, 'auth_username')
  const password = textIn(data, 'auth_password')
  if (method === undefined || username === undefined || password === undefined) return []
  return [
    ['node.session.auth.authmethod', method],
    ['node.session.auth.username', username],
    ['node.session.auth.password', password],
  ]
}

async function namesIn(directory: string): Promise<string[]> {
  return await readdir(directory).catch(() => [])
}
