import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord, textIn, textsIn } from '../../openstack/json.ts'
import type { HostCommand } from '../../host-command/host-command.ts'
import type { Connector, ConnectorCall } from './connector.ts'
import { badConnection, mustRun, told } from './faults.ts'

export interface RbdDeps {
  /** Where monitors and key stand while they are asked. */
  readonly directory: string
  readonly command: HostCommand
}

const TIMEOUT_MS = 60_000

/** Ceph's block devices, mapped by the kernel. */
export class Rbd implements Connector {
  readonly #deps: RbdDeps

  constructor(deps: RbdDeps) {
    this.#deps = deps
  }

  async connect(call: ConnectorCall): Promise<string> {
    const image = imageOf(call)
    return await this.#asked(call, async (access) => {
      const [there] = await this.#mapped(image, access, call)
      if (there !== undefined) return there
      const mode = call.connection.readOnly ? ['--read-only'] : []
      const args = ['map', image.name, '--pool', image.pool, ...mode, ...access]
      const { stdout } = await mustRun(this.#deps.command, 'rbd', args, { signal: call.signal, timeoutMs: TIMEOUT_MS })
      const device = stdout.trim().split('\n').at(-1) ?? ''
      if (device.startsWith('/dev/')) return device
      throw badConnection(call.volumeId, 'rbd', `rbd map answered ${JSON.stringify(device)}`)
    })
  }

  async disconnect(call: ConnectorCall): Promise<void> {
    const image = imageOf(call)
    await this.#asked(call, async (access) => {
      for (const device of await this.#mapped(image, access, call)) {
        await mustRun(this.#deps.command, 'rbd', ['unmap', device, ...access], {
          signal: call.signal,
          timeoutMs: TIMEOUT_MS,
        })
      }
    })
  }

  async #mapped(
    image: { readonly pool: string; readonly name: string },
    access: readonly string[],
    { signal }: ConnectorCall,
  ): Promise<string[]> {
    const args = ['showmapped', '--format=json', ...access]
    const { stdout } = await mustRun(this.#deps.command, 'rbd', args, { signal, timeoutMs: TIMEOUT_MS })
    const parsed: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout)
    // Older versions name each by its number.
    const rows: unknown[] = Array.isArray(parsed) ? parsed : isRecord(parsed) ? Object.values(parsed) : []
    return rows.flatMap((row) => {
      const isIt = textIn(row, 'pool') === image.pool && textIn(row, 'name') === image.name
      const device = textIn(row, 'device')
      return isIt && device !== undefined ? [device] : []
    })
  }

  /** With what the service says of the monitors; the key, where it gives one, is on the disk no longer than needed. */
  async #asked<T>(call: ConnectorCall, ask: (access: readonly string[]) => Promise<T>): Promise<T> {
    const { data } = call.connection
    const monitors = monitorsOf(call)
    const keyring = textIn(data, 'keyring')
    const access = [...userOf(call), '--mon_host', monitors]
    if (keyring === undefined) return await ask(access)
    await mkdir(this.#deps.directory, { recursive: true, mode: 0o700 })
    const key = join(this.#deps.directory, `${call.volumeId}.keyring`)
    const conf = join(this.#deps.directory, `${call.volumeId}.conf`)
    try {
      await writeFile(key, keyring, { mode: 0o600 })
      await writeFile(conf, `[global]\nmon_host = ${monitors}\nkeyring = ${key}\n`, { mode: 0o600 })
      return await ask([...access, '--conf', conf])
    } finally {
      await rm(key, { force: true })
      await rm(conf, { force: true })
    }
  }
}

/** Storage without authentication has no users. */
function userOf(call: ConnectorCall): string[] {
  const { auth_enabled: isAuthenticated, auth_username: name } = call.connection.data
  if (isAuthenticated !== true && (name === undefined || name === null)) return []
  return ['--id', told(call, 'auth_username')]
}

function imageOf(call: ConnectorCall): { readonly pool: string; readonly name: string } {
  const [pool = '', name = '', ...more] = told(call, 'name').split('/')
  if (pool !== '' && name !== '' && more.length === 0 && !name.startsWith('-')) return { pool, name }
  throw badConnection(call.volumeId, 'rbd', 'its name is not of the form pool/image')
}

function monitorsOf({ connection, volumeId }: ConnectorCall): string {
  const hosts = textsIn(connection.data, 'hosts')
  const ports = textsIn(connection.data, 'ports')
  if (
    hosts.length === 0 ||
    hosts.length !== ports.length ||
    ![...hosts, ...ports].every((one) => /^[\w.:[\]-]+$/.test(one))
  ) {
    throw badConnection(volumeId, 'rbd', 'it names no monitors')
  }
  return hosts.map((host, n) => `${host}:${ports[n]}`).join(',')
}
