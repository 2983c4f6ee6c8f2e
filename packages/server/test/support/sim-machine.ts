/**
 * A whole machine in this process: the composed API with identity and terminals, SQLite, the host's agent and workers.
 * Only what is outside is not real: the engine is a SimEngine, networks and volumes of the host are in memory.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { LocalDoorbell } from '../../src/adapters/doorbell/local.ts'
import { FakeHost } from '../../src/adapters/fake/fake-host.ts'
import { FakeImageDriver } from '../../src/adapters/fake/fake-image-driver.ts'
import { FakeNetworkDriver } from '../../src/adapters/fake/fake-network-driver.ts'
import { FakeVolumeDriver } from '../../src/adapters/fake/fake-volume-driver.ts'
import { SimEngine } from '../../src/adapters/fake/sim-engine.ts'
import { SimStreams } from '../../src/adapters/fake/sim-streams.ts'
import { BuiltInIdentity } from '../../src/adapters/identity/built-in-identity.ts'
import { localLink } from '../../src/adapters/link/local.ts'
import { SqlDatabase } from '../../src/adapters/sql/database.ts'
import { SqlStreamTickets } from '../../src/adapters/sql/repos/stream-tickets.ts'
import { SqlStore } from '../../src/adapters/sql/sql-store.ts'
import { LocalStreamDialer } from '../../src/adapters/streams/local-dialer.ts'
import { LocalHostGateway } from '../../src/adapters/streams/local-host-gateway.ts'
import { accessForOperation } from '../../src/app/registries/access.ts'
import { PolicyEngine } from '../../src/app/policy/policy-engine.ts'
import { apiRoutes, composeApi, eventFeed, type ApiDeps } from '../../src/compose/api.ts'
import { loadConfig } from '../../src/compose/config/load.ts'
import type { OptionName } from '../../src/compose/config/options.ts'
import { composeTerminals } from '../../src/compose/terminals.ts'
import type { Route } from '../../src/edge/api/route.ts'
import { noCheckpoints } from '../../src/lib/checkpoints.ts'
import { Gate } from '../../src/lib/gate.ts'
import { systemClock } from '../../src/lib/system-clock.ts'
import { ControlPlaneService } from '../../src/orchestration/control-plane/service.ts'
import { Disposer } from '../../src/orchestration/disposer.ts'
import { HostAgent } from '../../src/orchestration/host-agent.ts'
import { ImageWorker } from '../../src/orchestration/image-worker.ts'
import type { Clock, Logger, Service } from '../../src/orchestration/ports/clock.ts'
import type { ControlPlane } from '../../src/orchestration/ports/control-plane.ts'
import { EVENTS_BELL } from '../../src/orchestration/ports/events.ts'
import { someSecrets } from './builders.ts'
import { appOptions, inventory } from './live-api.ts'
import { injected } from './injected.ts'
import { until } from './until.ts'
import { freePort } from './zund-process.ts'

export const HOST = 'sim-host'

/** Who may call: a member of one project, of another one, an admin, and one without a project. */
export const USERS = ['alice', 'bob', 'admin', 'eve'] as const
export type User = (typeof USERS)[number]

const SCOPES: Readonly<Record<User, { project: string; role: string } | null>> = {
  alice: { project: 'red', role: 'member' },
  bob: { project: 'blue', role: 'member' },
  admin: { project: 'ops', role: 'admin' },
  eve: null,
}

/** Records that come and go with what users make; those of the identity and of the host stay. */
const TABLES = [
  'container',
  'operation',
  'step',
  'binding',
  'local_address',
  'local_volume',
  'local_network',
  'disposal',
  'image',
  'registry',
  'stream_ticket',
]

/** What the engine may say of a container with this status. */
const STATES: Readonly<Partial<Record<string, readonly string[]>>> = {
  Created: ['created'],
  Running: ['running'],
  Paused: ['paused'],
  Stopped: ['exited'],
  Deleted: ['absent'],
}

/** Time on the engine goes fast: a stop that its process takes no notice of is over in a moment. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  sleep: async (ms, signal) => await systemClock.sleep(ms / 100, signal),
}

export interface SimMachineOptions {
  readonly overrides?: Readonly<Partial<Record<OptionName, string>>>
  readonly requestTimeoutMs?: number
  readonly streams?: ApiDeps['streams']
  /** The operator's rules, as a file of them. */
  readonly policy?: string
  /** What carries the agent's calls; absent: they stay in the process. */
  readonly link?: (end: ControlPlane) => ControlPlane
  /** How long a claim lasts whose answer was lost on the link. */
  readonly leaseTtlMs?: number
}

export class SimMachine {
  readonly engine = new SimEngine({
    clock: hastyClock,
    callTimeoutMs: 500_000,
    hostHas: (path) => this.host.hasPath(path),
  })
  readonly host = new FakeHost()
  /** What went wrong inside, as the log has it. */
  readonly errors: unknown[] = []
  /** Fields that a rule of the operator may keep from somebody. */
  readonly hidden: readonly string[]
  readonly store: SqlStore
  readonly routes: readonly Route[]
  readonly app: FastifyInstance
  readonly identity: BuiltInIdentity
  readonly #directory = mkdtempSync(join(tmpdir(), 'zund-sim-'))
  readonly #database = new SqlDatabase(join(this.#directory, 'zund.sqlite'))
  readonly #doorbell = new LocalDoorbell()
  readonly #secrets = someSecrets()
  readonly #services: Service[]
  readonly #terminals: ReturnType<typeof composeTerminals>
  readonly #tokens = new Map<User, string>()
  readonly #link: (end: ControlPlane) => ControlPlane
  readonly #leaseTtlMs: number
  readonly #projects = new Map<string, string>()

  private constructor(options: SimMachineOptions, terminalPort: number) {
    const config = loadConfig({
      files: [],
      environment: {},
      overrides: {
        host: HOST,
        wsproxyHost: '127.0.0.1',
        wsproxyPort: String(terminalPort),
        networkPrefixV4: '24',
        ...options.overrides,
      },
    })
    const log = this.#log()
    this.#link = options.link ?? localLink
    this.#leaseTtlMs = options.leaseTtlMs ?? 60_000
    const ruled = (options.policy ?? '').matchAll(/(?:(?:container|registry):get_one|capsule:get):(\w+)/g)
    // In the format that capsules had first, some have another name.
    this.hidden = [...ruled].flatMap(([, field = '']) => [field, `meta_${field}`])
    this.store = new SqlStore(this.#database, { onEvents: () => this.#doorbell.ring(EVENTS_BELL) })
    this.identity = new BuiltInIdentity({
      database: this.#database,
      authenticateUri: 'http://identity.test/v3',
      tokenTtlMs: 3_600_000,
    })
    const tickets = new SqlStreamTickets({ database: this.#database, ttlMs: 60_000 })
    const { engine } = this
    const images = new FakeImageDriver(engine)
    const agent = this.#agent(images, log)
    this.#services = [agent, ...this.#workers(agent, images, log)]
    const rules = { file: join(this.#directory, 'policy.yaml'), dirs: [] }
    if (options.policy !== undefined) writeFileSync(rules.file, options.policy)
    const dialer = new LocalStreamDialer({ host: HOST, engine: new SimStreams(engine) })
    this.#terminals = composeTerminals({
      config,
      log,
      store: this.store,
      tickets,
      dialer,
    })
    const deps: ApiDeps = {
      config,
      rules,
      log,
      store: this.store,
      doorbell: this.#doorbell,
      identity: this.identity,
      logins: this.identity,
      tickets,
      secrets: this.#secrets,
      terminals: this.#terminals.proxy,
      dialer,
      registry: { check: async ({ path }) => (/busybox|nginx/.test(path) ? 'exists' : 'absent') },
      gateway: new LocalHostGateway({
        name: HOST,
        engine,
        images,
        networks: {
          prepare: async (port, o) =>
            await new FakeNetworkDriver({ engine, sim: engine, host: this.host }).prepare(port, o),
          remove: async (networkId, o) => await engine.removeNetwork(networkId, o),
        },
        trouble: () => agent.engineTrouble,
      }),
      ...(options.requestTimeoutMs === undefined ? {} : { requestTimeoutMs: options.requestTimeoutMs }),
      ...(options.streams === undefined ? {} : { streams: options.streams }),
    }
    this.app = composeApi(deps)
    this.routes = apiRoutes({ ...deps, feed: eventFeed(deps) }, new PolicyEngine({ file: null, log }))
    for (const name of ['busybox', 'nginx', 'nginx:1', 'nginx:kept'])
      engine.images.publish(name, { command: ['serve'] })
  }

  static async start(options: SimMachineOptions = {}): Promise<SimMachine> {
    const machine = new SimMachine(options, await freePort())
    for (const service of machine.#services) await service.start()
    await machine.#terminals.server.start()
    await machine.app.listen({ host: '127.0.0.1', port: 0 })
    for (const user of USERS) machine.#tokens.set(user, await machine.#login(user))
    return machine
  }

  async stop(): Promise<void> {
    await this.#terminals.server.stop()
    await this.app.close()
    for (const service of this.#services.toReversed()) await service.stop()
    await this.store.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port
  }

  get terminalPort(): number {
    return this.#terminals.server.port
  }

  token(user: User): string {
    return this.#tokens.get(user) ?? ''
  }

  projectId(name: string): string {
    return this.#projects.get(name) ?? ''
  }

  /** One request as its user sends it. */
  async ask(user: User, method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, body?: object) {
    const request = {
      method,
      url,
      headers: {
        'x-auth-token': this.token(user),
        'openstack-api-version': 'container 1.40',
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    }
    return await injected(this.app, request, this)
  }

  /** Rows by table, of all that users have made. */
  async rows(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const table of TABLES) {
      const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(
        this.#database.read,
      )
      counts[table] = Number(rows[0]?.n)
    }
    return counts
  }

  /** Waits until everything that was accepted has come to its end. */
  async settled(): Promise<void> {
    const { read } = this.#database
    await until('all accepted work is done', async () => {
      const { rows } = await sql<{ n: number }>`
        select (select count(*) from operation where state in ('queued', 'running'))
          + (select count(*) from disposal)
          + (select count(*) from image where pending is not null and error is null) as n`.execute(read)
      return Number(rows[0]?.n) === 0
    })
  }

  /** Deletes all containers and capsules, as an admin would, and waits until they are gone. */
  async clearContainers(): Promise<void> {
    for (const { uuid } of await this.#list('/v1/capsules?all_projects=true', 'capsules')) {
      await this.ask('admin', 'DELETE', `/v1/capsules/${uuid}`)
    }
    await this.settled()
    for (const { uuid, status } of await this.#list('/v1/containers?all_projects=true', 'containers')) {
      if (status === 'Paused') await this.ask('admin', 'POST', `/v1/containers/${uuid}/unpause`)
    }
    await this.settled()
    for (const { uuid } of await this.#list('/v1/containers?all_projects=true', 'containers')) {
      await this.ask('admin', 'DELETE', `/v1/containers/${uuid}?force=true`)
    }
    await until('all containers are gone', async () => (await this.rows())['container'] === 0)
  }

  /** Once there are no containers that use them. */
  async clearRegistries(): Promise<void> {
    for (const { uuid } of await this.#list('/v1/registries?all_projects=true', 'registries')) {
      await this.ask('admin', 'DELETE', `/v1/registries/${uuid}`)
    }
  }

  /** Deletes, as their users would, all that is there, and waits until it is gone. */
  async clear(): Promise<void> {
    await this.clearContainers()
    for (const user of USERS) {
      for (const { uuid } of await this.#list('/v1/local/volumes', 'volumes', user)) {
        await this.ask(user, 'DELETE', `/v1/local/volumes/${uuid}`)
      }
      for (const { uuid } of await this.#list('/v1/local/networks', 'networks', user)) {
        await this.ask(user, 'DELETE', `/v1/local/networks/${uuid}`)
      }
    }
    // The list of images has only those of the caller's project; an admin may delete them all.
    const { rows } = await sql<{ uuid: string }>`select uuid from image`.execute(this.#database.read)
    for (const { uuid } of rows) await this.ask('admin', 'DELETE', `/v1/images/${uuid}`)
    await this.clearRegistries()
    await until('nothing is left', async () => Object.values(await this.rows()).every((n) => n === 0))
  }

  /** Waits until records and engine say the same; what the engine does by itself takes a moment to be seen. */
  async agreed(): Promise<void> {
    let found: string[] = []
    await until('records and engine agree', async () => {
      found = await this.#disagreements()
      return found.length === 0
    }).catch((error: unknown) => {
      throw new Error(found.join('; '), { cause: error })
    })
  }

  async #disagreements(): Promise<string[]> {
    const found: string[] = []
    const { containers } = this.engine.world()
    const rows = await this.store.containers.onHost(HOST)
    for (const { uuid } of containers) {
      if (!rows.some((row) => row.uuid === uuid)) found.push(`engine container ${uuid} has no record`)
    }
    for (const { uuid, status, addresses } of rows) {
      const state = containers.find((one) => one.uuid === uuid)?.state
      const expected = STATES[status]
      if (expected !== undefined && !expected.includes(state ?? 'absent'))
        found.push(`${uuid} is ${status}, and ${state}`)
      const shown = Object.values(addresses).flat().length
      const held = (await this.store.bindings.ofContainer(uuid)).flatMap(({ data }) =>
        data.kind === 'port' ? data.fixedIps : [],
      ).length
      if (shown !== held) found.push(`${uuid} shows ${shown} addresses and holds ${held}`)
    }
    return [...found, ...this.host.world().violations]
  }

  /** What is still there of containers, on the engine and on the host; for a world that was cleared. */
  async leftovers(): Promise<string[]> {
    const { containers, networks } = this.engine.world()
    const { addresses, volumes, mounted, violations } = this.host.world()
    const rows = Object.entries(await this.rows()).filter(([, n]) => n > 0)
    return [
      ...containers.map(({ uuid }) => `engine container ${uuid}`),
      ...networks.map((network) => `engine network ${network}`),
      ...addresses.map((address) => `address ${address}`),
      ...volumes.map((uuid) => `volume ${uuid}`),
      ...mounted.map((uuid) => `mounted volume ${uuid}`),
      ...violations,
      ...rows.map(([table, n]) => `${n} rows of ${table}`),
    ]
  }

  async #list(url: string, key: string, user: User = 'admin'): Promise<{ uuid: string; status?: string }[]> {
    const body = JSON.parse((await this.ask(user, 'GET', url)).body) as Record<string, { uuid: string }[]>
    return body[key] ?? []
  }

  async #login(name: User): Promise<string> {
    const scope = SCOPES[name]
    const user = await this.identity.ensureUser(name, `secret of ${name}`)
    if (scope === null) return (await this.identity.issue(user, null, [])).token
    const project = await this.identity.ensureProject(scope.project)
    this.#projects.set(project.name, project.id)
    await this.identity.assign(user.id, project.id, scope.role)
    return (await this.identity.issue(user, project, [scope.role])).token
  }

  #log(): Logger {
    const none = (): void => undefined
    return { debug: none, info: none, warn: none, error: (fields) => this.errors.push(fields) }
  }

  #controlPlane(log: Logger) {
    return this.#link(
      new ControlPlaneService({
        moving: appOptions,
        store: this.store,
        doorbell: this.#doorbell,
        clock: systemClock,
        log,
        leaseTtlMs: this.#leaseTtlMs,
        deployment: 'test',
        newUuid: randomUUID,
        registryFor: (container) =>
          accessForOperation(
            { registries: this.store.registries, secrets: this.#secrets, log, defaultRegistry: null },
            container,
          ),
      }),
    )
  }

  #agent(images: FakeImageDriver, log: Logger): HostAgent {
    const { engine, host } = this
    return new HostAgent({
      controlPlane: this.#controlPlane(log),
      host: HOST,
      availabilityZone: 'nova',
      tools: {
        engine,
        images,
        networks: new FakeNetworkDriver({ engine, sim: engine, host }),
        volumes: new FakeVolumeDriver({ sim: engine, host }),
        floatingCpus: [],
        gate: new Gate(4),
        clock: systemClock,
        log,
        checkpoint: noCheckpoints,
      },
      readInventory: async () => inventory,
      restore: async () => undefined,
      onFencedOut: () => this.errors.push('the agent was fenced out'),
      intervals: {
        heartbeatMs: Math.min(5_000, this.#leaseTtlMs / 3),
        relistMs: 5_000,
        pingMs: 1_000,
        pingTimeoutMs: 5_000,
        inventoryMs: 60_000,
        claimWaitMs: 1_000,
        progressMs: 100,
      },
      retryBudgetMs: 1_000,
      maxOperations: 16,
    })
  }

  #workers(agent: HostAgent, images: FakeImageDriver, log: Logger): Service[] {
    const { engine, host } = this
    const deps = {
      controlPlane: this.#controlPlane(log),
      doorbell: this.#doorbell,
      host: HOST,
      session: () => agent.session,
      clock: systemClock,
      log,
      checkpoint: noCheckpoints,
      pollMs: 1_000,
    }
    return [
      new Disposer({
        ...deps,
        volumes: new FakeVolumeDriver({ sim: engine, host }),
        networks: { remove: async (networkId, o) => await engine.removeNetwork(networkId, o) },
      }),
      new ImageWorker({ ...deps, images, engine, retryBudgetMs: 0, maxAtOnce: 3, progressMs: 0 }),
    ]
  }
}
