import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { BridgeFirewall } from '../../src/adapters/network/bridge-firewall.ts'
import { bridgeName } from '../../src/adapters/network/guarded-network.ts'
import { quietLog } from './quiet-log.ts'

const run = promisify(execFile)

/** The engine as tests look at it and meddle with it, behind the back of the service. */
export class TestEngine {
  readonly socketPath: string

  constructor(socketPath = process.env['ZUND_TEST_ENGINE'] ?? '') {
    if (socketPath === '') throw new Error('ZUND_TEST_ENGINE must name the socket of a container engine for tests')
    this.socketPath = socketPath
  }

  /** JSON answer of the engine's own API; throws with its message on an error status. */
  async api<T>(method: string, path: string, body?: object): Promise<T> {
    const text = await this.text(method, path, body)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  /** The same as text. */
  async text(method: string, path: string, body?: object): Promise<string> {
    return await new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const call = request(
        {
          socketPath: this.socketPath,
          method,
          path,
          headers: payload === undefined ? {} : { 'content-type': 'application/json' },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))
            else resolve(text)
          })
        },
      )
      call.on('error', reject)
      call.end(payload)
    })
  }

  /** Names of all containers (running or not) that carry the label of a deployment. */
  async containers(deployment: string): Promise<{ id: string; name: string; state: string }[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`org.openstack.zund.deployment=${deployment}`] }))
    const rows = await this.api<{ Id: string; Names: string[]; State: string }[]>(
      'GET',
      `/containers/json?all=1&filters=${filters}`,
    )
    return rows.map((row) => ({ id: row.Id, name: row.Names[0]?.slice(1) ?? '', state: row.State }))
  }

  async networks(deployment: string): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`org.openstack.zund.deployment=${deployment}`] }))
    return (await this.api<{ Name: string }[]>('GET', `/networks?filters=${filters}`)).map((row) => row.Name)
  }

  async kill(name: string): Promise<void> {
    await this.api('POST', `/containers/${name}/kill`)
  }

  async remove(name: string): Promise<void> {
    await this.api('DELETE', `/containers/${name}?force=1&v=1`)
  }

  /** All engine objects, packet filter rules and mounts of the deployment that the database belongs to. */
  async removeDeployment(databaseFile: string): Promise<void> {
    const deployment = deploymentOf(databaseFile)
    for (const { id } of await this.containers(deployment)) await this.remove(id).catch(() => undefined)
    const firewall = new BridgeFirewall({ command: new ProcessCommand(), log: quietLog })
    for (const name of await this.networks(deployment)) {
      await this.api('DELETE', `/networks/${name}`)
      await firewall.forget(bridgeName(name), { signal: AbortSignal.timeout(60_000) })
    }
    const directory = databaseFile.slice(0, databaseFile.lastIndexOf('/'))
    for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
      const target = line.split(' ')[1] ?? ''
      if (target.startsWith(`${directory}/`)) await run('umount', [target])
    }
  }
}

/** Id of the deployment, as the service keeps it in its database. */
export function deploymentOf(databaseFile: string): string {
  const database = new DatabaseSync(databaseFile, { readOnly: true, timeout: 5_000 })
  try {
    const row = database.prepare('SELECT id FROM deployment').get() as { id: string } | undefined
    return row?.id ?? 'none'
  } finally {
    database.close()
  }
}
