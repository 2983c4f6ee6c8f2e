/** The engine's plugin protocol, spoken by hand to a plugin that knows one network and one port. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqlHostPorts } from '../../src/adapters/network/sql-host-ports.ts'
import { PluginServer } from '../../src/edge/libnetwork/plugin-server.ts'
import type { HostPort, PortPlugger } from '../../src/orchestration/ports/host-ports.ts'
import { quietLog } from './quiet-log.ts'

export const NETWORK = randomUUID()
export const V4 = { id: randomUUID(), cidr: '10.0.0.0/24', gateway: '10.0.0.1', version: 4 } as const
export const V6 = { id: randomUUID(), cidr: 'fd00::/64', gateway: null, version: 6 } as const
export const PORT: HostPort = {
  portId: randomUUID(),
  networkId: NETWORK,
  containerUuid: randomUUID(),
  macAddress: 'fa:16:3e:00:00:01',
  mtu: 1450,
  addresses: [{ address: '10.0.0.5', version: 4, subnetId: V4.id }],
  subnets: [V4],
  plug: { kind: 'bridge', bridge: null, hybrid: false },
}

interface Answer {
  readonly status: number
  readonly type: string | undefined
  readonly body: unknown
}

export class PluginBench {
  readonly directory = mkdtempSync(join(tmpdir(), 'zund-plugin-'))
  readonly socketPath = join(this.directory, 'plugins/test.sock')
  readonly plugged: string[] = []
  /** Plugging begins with it. */
  beforePlug: (signal: AbortSignal) => Promise<void> | void = () => undefined
  ports = this.#remembered()
  #plugin = this.another(this.socketPath)

  async open(): Promise<void> {
    await this.#plugin.start()
    this.ports.putNetwork({ networkId: NETWORK, subnets: [V4, V6] })
    this.ports.putPort(PORT)
  }

  async close(): Promise<void> {
    await this.#plugin.stop()
    this.ports.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** A new life of the plugin, with what the earlier one has written down. */
  async restart(o: { readonly answerWithinMs?: number } = {}): Promise<void> {
    await this.#plugin.stop()
    this.ports.close()
    this.ports = this.#remembered()
    this.#plugin = this.another(this.socketPath, o)
    await this.#plugin.start()
  }

  another(socketPath: string, o: { readonly answerWithinMs?: number } = {}): PluginServer {
    const plugger: PortPlugger = {
      plug: async ({ portId }, { signal }) => {
        await this.beforePlug(signal)
        this.plugged.push(portId)
      },
      plugAhead: async () => assert.fail('the plugin plugs for containers that start'),
      isKeptOut: async () => assert.fail('who joins late asks'),
      hasFilters: async () => assert.fail('who joins late asks'),
      join: async () => assert.fail('who joins late does it'),
      unplug: async ({ portId }) => {
        this.plugged.splice(0, this.plugged.length, ...this.plugged.filter((id) => id !== portId))
      },
      containerEnd: (portId) => `end-${portId.slice(0, 4)}`,
    }
    return new PluginServer({ socketPath, ports: this.ports, plugger, log: quietLog, ...o })
  }

  async send(path: string, text: string, method = 'POST'): Promise<Answer> {
    const { socketPath } = this
    return await new Promise((resolve, reject) => {
      const call = request({ socketPath, path, method, agent: false }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
          resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'], body })
        })
      })
      call.setTimeout(20_000, () => call.destroy(new Error(`no answer to ${path}`)))
      call.on('error', reject)
      call.end(text)
    })
  }

  async answered(name: string, message: object = {}): Promise<unknown> {
    const { status, body } = await this.send(`/${name}`, JSON.stringify(message))
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }

  async refused(name: string, message: object = {}): Promise<string> {
    const { status, body } = await this.send(`/${name}`, JSON.stringify(message))
    assert.ok(status >= 400, JSON.stringify(body))
    const { Err, Error: error } = body as { Err: string; Error: string }
    assert.equal(Err, error)
    return `${status} ${Err}`
  }

  #remembered(): SqlHostPorts {
    return new SqlHostPorts(join(this.directory, 'ports.sqlite'))
  }
}
