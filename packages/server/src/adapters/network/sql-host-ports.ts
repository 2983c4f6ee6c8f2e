import { DatabaseSync } from 'node:sqlite'
import type { HostNetwork, HostPort, HostPorts } from '../../orchestration/ports/host-ports.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS network (id TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS engine_network (id TEXT PRIMARY KEY, network_id TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS port (id TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS endpoint (id TEXT PRIMARY KEY, port_id TEXT NOT NULL) WITHOUT ROWID;
`

/**
 * In a file of the state directory, all of it in memory besides: the engine's questions are answered from there, and a
 * host has some hundreds of ports at most.
 */
export class SqlHostPorts implements HostPorts {
  readonly #database: DatabaseSync
  readonly #networks: Table<HostNetwork>
  readonly #engineNetworks: Table<string>
  readonly #ports: Table<HostPort>
  readonly #endpoints: Table<string>

  constructor(file: string) {
    this.#database = new DatabaseSync(file)
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    this.#database.exec(SCHEMA)
    this.#networks = new Table(this.#database, 'network', 'data', json())
    this.#engineNetworks = new Table(this.#database, 'engine_network', 'network_id', TEXT)
    this.#ports = new Table(this.#database, 'port', 'data', json())
    this.#endpoints = new Table(this.#database, 'endpoint', 'port_id', TEXT)
  }

  close(): void {
    this.#database.close()
  }

  putNetwork(network: HostNetwork): void {
    this.#networks.put(network.networkId, network)
  }

  network(networkId: string): HostNetwork | undefined {
    return this.#networks.rows.get(networkId)
  }

  networks(): HostNetwork[] {
    return [...this.#networks.rows.values()]
  }

  forgetNetwork(networkId: string): void {
    this.#networks.remove(networkId)
  }

  putEngineNetwork(engineId: string, networkId: string): void {
    this.#engineNetworks.put(engineId, networkId)
  }

  networkOfEngine(engineId: string): string | undefined {
    return this.#engineNetworks.rows.get(engineId)
  }

  forgetEngineNetwork(engineId: string): void {
    this.#engineNetworks.remove(engineId)
  }

  putPort(port: HostPort): void {
    this.#ports.put(port.portId, port)
  }

  port(portId: string): HostPort | undefined {
    return this.#ports.rows.get(portId)
  }

  ports(): HostPort[] {
    return [...this.#ports.rows.values()]
  }

  forgetPort(portId: string): void {
    for (const [endpoint, port] of this.#endpoints.rows) if (port === portId) this.#endpoints.remove(endpoint)
    this.#ports.remove(portId)
  }

  putEndpoint(endpointId: string, portId: string): void {
    for (const [earlier, port] of this.#endpoints.rows) {
      if (port === portId && earlier !== endpointId) this.#endpoints.remove(earlier)
    }
    this.#endpoints.put(endpointId, portId)
  }

  portOfEndpoint(endpointId: string): HostPort | undefined {
    const portId = this.#endpoints.rows.get(endpointId)
    return portId === undefined ? undefined : this.port(portId)
  }

  forgetEndpoint(endpointId: string): void {
    this.#endpoints.remove(endpointId)
  }
}

interface Codec<T> {
  write(value: T): string
  read(text: string): T
}

const json = <T>(): Codec<T> => ({ write: (value) => JSON.stringify(value), read: (text) => JSON.parse(text) as T })
const TEXT: Codec<string> = { write: (value) => value, read: (text) => text }

/** One table of ids and values, and its copy in memory. The disk comes first. */
class Table<T> {
  readonly rows = new Map<string, T>()
  readonly #codec: Codec<T>
  readonly #put
  readonly #remove

  constructor(database: DatabaseSync, name: string, column: string, codec: Codec<T>) {
    this.#codec = codec
    this.#put = database.prepare(`INSERT OR REPLACE INTO ${name} (id, ${column}) VALUES (?, ?)`)
    this.#remove = database.prepare(`DELETE FROM ${name} WHERE id = ?`)
    for (const row of database.prepare(`SELECT id, ${column} AS value FROM ${name}`).all()) {
      this.rows.set(String(row['id']), codec.read(String(row['value'])))
    }
  }

  put(id: string, value: T): void {
    const text = this.#codec.write(value)
    const known = this.rows.get(id)
    if (known !== undefined && this.#codec.write(known) === text) return
    this.#put.run(id, text)
    this.rows.set(id, value)
  }

  remove(id: string): void {
    if (!this.rows.has(id)) return
    this.#remove.run(id)
    this.rows.delete(id)
  }
}
